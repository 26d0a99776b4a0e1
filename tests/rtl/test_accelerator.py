"""Whole small networks in Verilog and VHDL, every spike of every stage compared; a planted fault is found where it is."""

import dataclasses

import pytest

from duospike.cosim.design.beats import pack_fields
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation import network_run
from duospike.cosim.simulation.bench import DRAIN_CYCLES, Beat
from duospike.cosim.simulation.compare import MISSING, first_mismatch
from duospike.reference.data.datasets import random_images
from duospike.reference.network import RESETS
from duospike.rtl.memory import Table
from tests.benches.small_networks import small_network, small_stages

NETWORKS = {
    "odd sizes, pool that drops a row and a column": ("3C3-5C3-MP2-FC6", (1, 7, 5), {"conv1": 2, "conv2": 3, "fc1": 4}, {}),
    "smallest map, signed, T = 3": ("4C3-5C3-FC6", (2, 3, 3), {"conv1": 3, "fc1": 1}, {"timesteps": 3, "image_signed": True}),
    "kernel 5, T = 4, 8 bits": ("3C5-MP2-3C5-FC6-FC3", (3, 9, 6), 1, {"timesteps": 4, "weight_bits": 8}),
    "kernel 1, T = 1, 2 and 1 bits": ("4C1-3C1-FC9-FC6", (3, 5, 3), 3, {"timesteps": 1, "weight_bits": 2, "image_bits": 1}),
    "pools in a row, whole layers in parallel": ("4C3-MP2-MP2-FC6", (1, 12, 13), {"conv1": 4, "fc1": 6}, {}),
    "deep": ("3C3-4C3-4C1-MP2-3C3-FC7-FC6", (2, 6, 8), 2, {"weight_bits": 3}),
}  # fmt: skip

STALLS = [(0, 0), (100, 60), (0, 220), (220, 0)]


def run(folder, network, lanes=None, images=3, stages=None, **options):
    stages = stages or small_stages(network, lanes)
    batch = random_images(images, network.input_shape, network.pixel_range, 5)
    folder.mkdir(exist_ok=True)
    return network_run.run_network(network, stages, batch, folder, **options)


READOUTS = {
    "leaks of channels, first spike": {"leaks": True, "readout": "first_spike", "timesteps": 3},
    "no reset, last potential, two passes": {"reset": "none", "readout": "last_membrane", "timesteps": 8, "classes": 6},
    "leaks, resets, largest potential": {"leaks": True, "readout": "max_membrane", "timesteps": 4, "classes": 6},
    "leaks, delayed resets, largest potential, three passes": {
        "leaks": True, "readout": "max_membrane", "timesteps": 9, "classes": 6, "reset": "subtract_delayed",
    },
    "one timestep, last potential": {"readout": "last_membrane", "timesteps": 1, "classes": 6, "leaks": True, "reset": "zero"},
}  # fmt: skip


@pytest.mark.parametrize(
    "name", [name if i < 2 else pytest.param(name, marks=pytest.mark.slow) for i, name in enumerate(READOUTS)]
)
def test_every_potential_and_score_equals_the_reference(tmp_path, simulator, name):
    network = small_network("3C3-MP2-FC6", (1, 6, 5), **READOUTS[name])
    finished = run(tmp_path, network, {"conv1": 2, "fc1": 4}, simulator=simulator, src_stall=60, dst_stall=30)
    assert finished.mismatch is None and len(set(finished.trace.scores.flatten().tolist())) > 1
    if network.reads_membranes:
        assert finished.trace.scores.min() < 0
        first = finished.outcome.streams["fc1"][0]
        finished.outcome.streams["fc1"][0] = Beat(first.cycle, f"{int(first.payload, 16) ^ 1:x}")
        found = compare(finished, streams_of(finished))
        assert (found.stage, found.image, found.channel) == ("fc1", 0, 0) and abs(found.expected - found.got) == 1


@pytest.mark.parametrize(
    "number", [0, 1, *(pytest.param(number, marks=pytest.mark.slow) for number in range(2, len(NETWORKS)))], ids=NETWORKS
)
def test_every_spike_equals_the_reference(tmp_path, simulator, number):
    architecture, shape, lanes, options = list(NETWORKS.values())[number]
    kind, stalls = RESETS[number % 3], STALLS[number % 4]
    network = small_network(architecture, shape, kind, **options)
    finished = run(tmp_path, network, lanes, simulator=simulator, src_stall=stalls[0], dst_stall=stalls[1])
    assert finished.mismatch is None
    assert finished.trace.spikes["conv1"].any()


LATE = ("16C1-MP2-FC2", (1, 3, 31), {"conv1": 1, "fc1": 2})
"""The pool drops conv1's last row: its last beats come hundreds of cycles after the class."""


@pytest.fixture
def late():
    architecture, shape, lanes = LATE
    network = small_network(architecture, shape, classes=2, timesteps=1)
    return network, small_stages(network, lanes)


@pytest.mark.parametrize("name", ["icarus", "ghdl", pytest.param("verilator", marks=pytest.mark.slow)])
def test_a_class_may_come_long_before_the_last_beats(tmp_path, monkeypatch, late, name):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    network, stages = late
    finished = run(tmp_path / "run", network, stages=stages, images=2, simulator=name)
    assert finished.mismatch is None
    beats = finished.outcome.streams["conv1"]
    assert beats[-1].cycle > finished.outcome.cycles + DRAIN_CYCLES
    # Counters and cycles are those at the class.
    assert finished.outcome.cycles == finished.outcome.streams["dst"][-1].cycle + 1
    counts = finished.activity["conv1"]
    assert sum(counts[what] for what in ("busy", "stall_in", "stall_out")) <= finished.outcome.cycles


def test_beats_that_do_not_come_after_the_class_are_named(tmp_path, simulator, late):
    """Planted: more beats are expected than there are; the class has come, but the run has a fault."""
    network, stages = late
    language, run_bench = network_run.SIMULATORS[simulator]
    images = random_images(1, network.input_shape, network.pixel_range, 5)
    bench = network_run.network_bench(network, stages, images, language, idle_limit=300)
    assert bench.expected_beats == {"dst": 1, "conv1": 16 * 3 * 31, "pool1": 16 * 1 * 15, "fc1": 1}
    expected = {"conv1": bench.expected_watched["conv1"] + 2, "pool1": bench.expected_watched["pool1"] + 1, "fc1": 0}
    outcome = run_bench(dataclasses.replace(bench, expected_watched=expected), tmp_path)
    assert outcome.fault == "nothing moved for 300 cycles, 93 of 93 beats sent, missing on conv1: 2, missing on pool1: 1"
    assert len(outcome.streams["conv1"]) == bench.expected_watched["conv1"] and outcome.activity_word
    with pytest.raises(CosimError, match="missing on conv1: 2"):
        outcome.complete()


def with_flipped_bit(stage, word, bit):
    """The stage with one weight bit changed in what the hardware reads."""
    words = list(stage.weights.words)
    words[word] ^= 1 << bit
    return dataclasses.replace(stage, weights=Table(stage.weights.path, stage.weights.width, tuple(words)))


@pytest.mark.parametrize("name", ["conv1", "conv2", "fc1"])
def test_a_flipped_weight_bit_is_found_in_its_stage(tmp_path, simulator, name):
    """The sign bit of a weight of output channel 0; the first stage to differ is the one that reads it."""
    network = small_network("2C3-2C3-MP2-FC6", rate=0.5)
    stages = small_stages(network, 1)
    # Of the words of channel 0 the one that the most events read; lanes = 1, so its lowest field is channel 0.
    word = {"conv1": 0, "conv2": 1, "fc1": 0}[name]
    stages[name] = with_flipped_bit(stages[name], word, bit=network.layers[0].weight_bits - 1)
    mismatch = run(tmp_path, network, stages=stages, images=6, simulator=simulator).mismatch
    assert mismatch is not None
    assert mismatch.stage == name
    assert mismatch.channel == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run without a fault, whose records the tests below spoil."""
    network = small_network(rate=0.4)
    done = run(tmp_path_factory.mktemp("run"), network, {"conv1": 2, "conv2": 3, "fc1": 4})
    assert done.mismatch is None
    return done


def test_counters_of_every_stage_cover_its_cycles(finished):
    """A stage is busy, waits for input or waits for its successor in each cycle since reset."""
    for name, counts in finished.activity.items():
        total = counts["busy"] + counts["stall_in"] + counts["stall_out"]
        assert finished.outcome.cycles - 2 <= total <= finished.outcome.cycles + 2, name


def streams_of(finished):
    return {name: list(finished.outcome.streams["dst" if name == network_run.READOUT else name]) for name in finished.stages}


def compare(finished, streams, trace=None):
    return first_mismatch(finished.stages, trace or finished.trace, streams)


@pytest.mark.parametrize(("name", "at"), [("conv1", (1, 0, 2, 6, 3)), ("pool1", (0, 1, 4, 2, 1)), ("fc1", (2, 1, 5, 0, 0))])
def test_a_flipped_expected_spike_is_named(finished, name, at):
    at = tuple(min(i, size - 1) for i, size in zip(at, finished.trace.spikes[name].shape, strict=True))
    spikes = finished.trace.spikes[name].copy()
    spikes[at] ^= 1
    trace = dataclasses.replace(finished.trace, spikes=finished.trace.spikes | {name: spikes})
    found = compare(finished, streams_of(finished), trace)
    assert (found.image, found.timestep, found.channel, found.y, found.x) == at
    assert (found.stage, found.expected, found.got) == (name, spikes[at], 1 - spikes[at])


def beat_place(finished, name, index):
    """(image, first channel, y, x) of a beat in stream order."""
    _, _, channels, height, width = finished.trace.spikes[name].shape
    lanes = finished.stages[name].lanes
    groups = -(-channels // lanes)
    return index // (height * groups * width), index // width % groups * lanes, index // (groups * width) % height, index % width


def place_of(found):
    return found.image, found.channel, found.y, found.x


@pytest.mark.parametrize("index", [0, 17, 30])
@pytest.mark.parametrize("name", ["conv1", "conv2"])
def test_a_flipped_recorded_bit_is_named(finished, name, index):
    streams = streams_of(finished)
    beat = streams[name][index]
    streams[name][index] = Beat(beat.cycle, f"{int(beat.payload, 16) ^ 1:x}")
    found = compare(finished, streams)
    assert (found.stage, place_of(found), found.timestep) == (name, beat_place(finished, name, index), 0)


@pytest.mark.parametrize("name", ["conv1", "fc1"])
def test_an_unknown_bit_is_named(finished, name):
    streams = streams_of(finished)
    index = len(streams[name]) - 2
    streams[name][index] = Beat(9, "x" + streams[name][index].payload[1:])
    found = compare(finished, streams)
    assert (found.stage, place_of(found)) == (name, beat_place(finished, name, index))
    assert "x" in found.got


@pytest.mark.parametrize("name", ["conv1", "pool1", "fc1", network_run.READOUT])
def test_a_missing_last_line_is_named(finished, name):
    streams = streams_of(finished)
    streams[name].pop()
    found = compare(finished, streams)
    assert (found.stage, found.image) == (name, len(finished.images) - 1)
    assert found.got == MISSING


def test_a_line_dropped_in_the_middle_is_found_in_its_stage(finished):
    streams = streams_of(finished)
    payloads = [beat.payload for beat in streams["conv2"]]
    index = next(i for i in range(len(payloads) - 1) if payloads[i] != payloads[i + 1])
    del streams["conv2"][index]
    found = compare(finished, streams)
    image, _, y, x = beat_place(finished, "conv2", index)
    assert (found.stage, found.image, found.y, found.x) == ("conv2", image, y, x)


def test_a_wrong_score_is_named(finished):
    streams = streams_of(finished)
    stage, beat = finished.stages[network_run.READOUT], streams[network_run.READOUT][1]
    word = int(beat.payload, 16) ^ pack_fields([[0, 0, 1]], stage.score_bits)[0] << stage.class_bits
    streams[network_run.READOUT][1] = Beat(beat.cycle, f"{word:x}")
    found = compare(finished, streams)
    assert (found.stage, found.image, found.channel) == (network_run.READOUT, 1, 2)
