"""A loadable core in Verilog and in VHDL: networks come through the bus, the core runs them, and no wrong load does harm."""

import random
import zlib

import pytest

from duospike.cosim.axi.loadable import load_file, network_words
from duospike.cosim.axi.pynq_driver import DriverError
from duospike.cosim.axi.simulated_overlay import BusError
from duospike.cosim.errors import CosimError
from duospike.reference import golden
from tests.benches.shell_bench import receive, send_packet, shell_design, shell_running
from tests.benches.small_networks import small_network
from tests.rtl.test_axi_shell import packets_of, planted

pytestmark = pytest.mark.slow

# What the core is made from has wider numbers than what is loaded: its weights are of another seed.
SETTINGS = {"seed": 11, "loadable": True, "headroom": 2}
NETWORKS = {
    "pools, three layers": ("3C3-5C3-MP2-FC6", (1, 6, 7), 2, {"classes": 3}),
    "signed, kernels of 1 and 5": ("4C5-3C1-FC6", (3, 5, 4), 3, {"image_signed": True, "reset": "zero"}),
    "two passes": ("3C3-MP2-FC6", (1, 4, 5), None, {"timesteps": 8, "reset": "subtract_delayed"}),
    "rate coding": ("3C3-FC6", (2, 4, 3), None, {"timesteps": 8, "coding": "rate"}),
    "leaks of channels": ("3C3-FC6", (2, 4, 3), 2, {"timesteps": 8, "leaks": True}),
    "leaks of channels, potentials without thresholds": (
        "3C3-FC6", (2, 4, 3), None, {"timesteps": 2, "leaks": True, "reset": "none", "readout": "max_membrane", "classes": 6},
    ),
    "an image into a fully connected layer": ("FC7-FC6", (3, 2, 5), 3, {"timesteps": 4}),
    "events": ("3C1-FC6", (5, 3, 3), None, {"timesteps": 5, "coding": "events", "image_bits": 1}),
}  # fmt: skip


def core_design(simulator):
    return shell_design(simulator=simulator, **SETTINGS)


def other_network(design, seed=4, architecture="2C3-FC6", shape=(1, 9, 8), **settings):
    """Another network of the shape of shell_design's."""
    return small_network(architecture, shape, **{"rate": 0.4, "classes": 6, "seed": seed} | settings)


def file_of(network, design):
    return load_file(network, design.description["load"])


def write_words(core, words):
    for word in words:
        core.write("LOAD_DATA", int(word))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_core_runs_each_network_that_is_loaded(simulator, tmp_path, name):
    """The one that it was made from, others, one with narrower weights, and the first again; with stalls the last two."""
    architecture, shape, lanes, settings = NETWORKS[name]
    design = shell_design(architecture, shape, lanes, simulator=simulator, **SETTINGS, **settings)
    other = [other_network(design, seed, architecture, shape, **settings) for seed in (4, 5)]
    narrow = other_network(design, 6, architecture, shape, weight_bits=3, **settings)
    images = design.images(4)
    expected = [golden.run(network, images) for network in (design.network, *other, narrow, design.network)]
    assert len({str(trace.scores) for trace in expected}) >= 3
    networks = list(zip((design.network, *other, narrow, design.network), expected, strict=True))
    for stall, loaded in ((0, networks), (150, networks[-2:])):
        with shell_running(tmp_path, design, stall=stall, seed=stall + 1) as (_, core):
            for network, trace in loaded:
                core.load(file_of(network, design))
                classes, counts = core.infer(images)
                assert counts.tolist() == trace.scores.tolist()
                assert classes.tolist() == trace.predicted.tolist()
                assert core.errors() == []


def test_the_network_that_is_loaded_runs_and_not_the_one_of_the_core(simulator, tmp_path):
    design = core_design(simulator)
    network, images = other_network(design), design.images(3)
    expected = golden.run(network, images)
    assert expected.scores.tolist() != golden.run(design.network, images).scores.tolist()
    words = network_words(network, design.description["load"])
    with shell_running(tmp_path, design, stall=60) as (_, core):
        core.start()
        assert core.errors() == ["NOT_LOADED"]
        assert core.state() == {"RUNNING": False, "BUSY": False, "LOADED": False}
        core.load(file_of(network, design))
        assert core.read("LOADED_WORDS") == len(words) == core.load_words
        assert core.read("LOAD_CRC") == zlib.crc32(words.astype("<u4").tobytes())
        assert core.read("LOAD_DATA") == 0
        classes, counts = core.infer(images)
        assert (classes.tolist(), counts.tolist()) == (expected.predicted.tolist(), expected.scores.tolist())
        # What is loaded outlasts a reset.
        core.reset()
        assert core.state() == {"RUNNING": False, "BUSY": False, "LOADED": True}
        assert core.infer(images)[1].tolist() == expected.scores.tolist()
        assert core.errors() == []


def test_a_start_without_a_whole_network_is_flagged_and_does_nothing(simulator, tmp_path):
    design = core_design(simulator)
    network, images = other_network(design), design.images(1)
    words = network_words(network, design.description["load"])
    with shell_running(tmp_path, design, idle_limit=500) as (overlay, core):
        [packet] = packets_of(core, images)
        for taken in (0, 1, len(words) - 1):
            core.write("CONTROL", core.registers["CONTROL"]["bits"]["LOAD"])
            write_words(core, words[:taken])
            core.start()
            assert core.errors() == ["NOT_LOADED"]
            assert core.state() == {"RUNNING": False, "BUSY": False, "LOADED": False}
            assert core.read("LOADED_WORDS") == taken
        core.clear_errors()
        assert core.errors() == []
        overlay.dma.sendchannel.transfer(packet)
        with pytest.raises(CosimError, match="takes no further beat"):
            overlay.dma.sendchannel.wait()
        # A reset keeps the place, so the last word makes it whole.
        core.reset()
        write_words(core, words[-1:])
        core.start()
        overlay.run(20)
        overlay.dma.sendchannel.wait()
        assert receive(overlay, core)[1:].tolist() == golden.run(network, images).scores[0].tolist()
        assert core.errors() == []


def test_words_beyond_the_last_are_flagged_and_dropped_while_the_core_runs(simulator, tmp_path):
    design = core_design(simulator)
    network, images = other_network(design), design.images(2)
    expected = golden.run(network, images)
    with shell_running(tmp_path, design, stall=60) as (overlay, core):
        core.load(file_of(network, design))
        checksum = core.read("LOAD_CRC")
        write_words(core, [1])
        assert core.errors() == ["BAD_LOAD"]
        core.clear_errors()
        assert core.errors() == []
        first, second = packets_of(core, images)
        core.start()
        overlay.dma.sendchannel.transfer(first)
        write_words(core, range(40))
        overlay.dma.sendchannel.wait()
        assert core.errors() == ["BAD_LOAD"] and core.state()["LOADED"]
        counts = [receive(overlay, core)[1:].tolist(), send_packet(overlay, core, second)[1:].tolist()]
        assert counts == expected.scores.tolist()
        assert (core.read("LOADED_WORDS"), core.read("LOAD_CRC")) == (core.load_words, checksum)
        core.reset()
        assert core.errors() == []


def test_a_load_while_the_core_runs_is_a_reset(simulator, tmp_path):
    """The current image is forgotten, the rest of its packet a short one of the network that is loaded."""
    design = core_design(simulator)
    network, images = other_network(design), design.images(2)
    with shell_running(tmp_path, design, stall=30) as (overlay, core):
        core.load(file_of(design.network, design))
        packet, other = packets_of(core, images)
        core.start()
        overlay.dma.sendchannel.transfer(packet)
        overlay.run(30)
        core.load(file_of(network, design))
        assert core.state() == {"RUNNING": False, "BUSY": False, "LOADED": True} and core.read("IMAGES") == 0
        core.start()
        overlay.dma.sendchannel.wait()
        receive(overlay, core)
        assert core.errors() == ["SHORT_IMAGE"]
        assert send_packet(overlay, core, other)[1:].tolist() == golden.run(network, images[1:]).scores[0].tolist()


def test_load_among_several_commands_does_nothing(simulator, tmp_path):
    design = core_design(simulator)
    with shell_running(tmp_path, design) as (_, core):
        core.load(file_of(design.network, design))
        core.write("CONTROL", 0b1001)
        assert core.errors() == ["BAD_COMMAND"]
        assert core.state() == {"RUNNING": False, "BUSY": False, "LOADED": True}


def test_a_word_without_all_strobes_is_not_loaded(simulator, tmp_path):
    """With no strobe it is as if it had not been written, with some an error; the words around it come to their places."""
    design = core_design(simulator)
    network, images = other_network(design), design.images(1)
    words = network_words(network, design.description["load"])
    rng = random.Random(8)
    with shell_running(tmp_path, design, stall=40) as (overlay, core):
        offset, control = (core.registers[name]["offset"] for name in ("LOAD_DATA", "CONTROL"))
        bits = core.registers["CONTROL"]["bits"]
        core.write("CONTROL", bits["LOAD"])
        partial = 0
        for i, word in enumerate(words.tolist()):
            core.write("LOAD_DATA", word)
            strobes = rng.randrange(0b1111) if rng.random() < 0.5 else 0
            partial += strobes != 0
            for where, value in ((offset, rng.getrandbits(32)), (control, bits["LOAD"])):
                if strobes:
                    with pytest.raises(BusError, match="SLVERR"):
                        overlay.ip.write(where, value, strobes)
                else:
                    overlay.ip.write(where, value, strobes)
            assert core.read("LOADED_WORDS") == i + 1
        assert 0 < partial < len(words) and core.errors() == ["BAD_ACCESS"]
        assert core.read("LOAD_CRC") == zlib.crc32(words.astype("<u4").tobytes())
        assert core.infer(images)[1].tolist() == golden.run(network, images).scores.tolist()


class CorruptingRegisters:
    """Registers behind a bus that spoils a word."""

    def __init__(self, ip, offset, at, spoil):
        self.ip, self.offset, self.left, self.spoil, self.read = ip, offset, at, spoil, ip.read

    def write(self, offset, value):
        if offset == self.offset:
            self.left -= 1
            if self.left == -1:
                return self.spoil(self.ip.write, offset, value)
        return self.ip.write(offset, value)


SPOILS = {
    "a bit": lambda write, offset, value: write(offset, value ^ 0x10),
    "no byte strobe": lambda write, offset, value: write(offset, value, 0),
    "a word is lost": lambda write, offset, value: None,
    "a word comes twice": lambda write, offset, value: (write(offset, value), write(offset, value)),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_load_that_goes_wrong_is_found_and_leaves_the_core_without_a_network(simulator, tmp_path, spoil):
    design = core_design(simulator)
    with shell_running(tmp_path, design) as (overlay, core):
        core._ip = CorruptingRegisters(overlay.ip, core.registers["LOAD_DATA"]["offset"], 3, SPOILS[spoil])
        with pytest.raises(DriverError, match="words of CRC-32 0x.* were loaded; expected: "):
            core.load(file_of(design.network, design))
        assert not core.state()["LOADED"]
        core.start()
        assert core.errors() == ["NOT_LOADED"] and not core.state()["RUNNING"]
        core.load(file_of(design.network, design))
        assert core.state()["LOADED"]


FAULTS = {
    "one piece too few": {
        "icarus": ("complete <= (taken == {last});", "complete <= (taken == {last} - 1);"),
        "ghdl": ("complete <= stdl(taken = {last});", "complete <= stdl(taken = {last} - 1);"),
    },
    "no gate": {
        "icarus": ("assign too_early = (write &&", "assign too_early = (1'b0 && write &&"),
        "ghdl": ("too_early <= stdl(bool(write) and", "too_early <= stdl(false and bool(write) and"),
    },
    "no reset": {
        "icarus": ("assign core_rst = (control_rst || unsettled);", "assign core_rst = control_rst;"),
        "ghdl": ("core_rst <= stdl(bool(control_rst) or bool(unsettled));", "core_rst <= control_rst;"),
    },
    "not flagged": {
        "icarus": ("bad_load <= 1'b1;", "bad_load <= 1'b0;"),
        "ghdl": ("bad_load <= '1';", "bad_load <= '0';"),
    },
    "the polynomial": {
        "icarus": ("33'hedb88320", "33'hedb88321"),
        "ghdl": ("11101101101110001000001100100000", "11101101101110001000001100100001"),
    },
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(simulator, tmp_path, fault):
    design = core_design(simulator)
    network, images = other_network(design), design.images(2)
    expected = golden.run(network, images).scores.tolist()

    def passes(**settings):
        with shell_running(tmp_path, design, idle_limit=2000, **settings) as (_, core):
            core.start()
            flagged = core.errors() == ["NOT_LOADED"] and not core.state()["RUNNING"]
            core.load(file_of(network, design))
            write_words(core, [1])
            return flagged and core.errors() == ["BAD_LOAD"] and core.infer(images)[1].tolist() == expected

    assert passes()
    old, new = (text.format(last=design.description["load"]["words"] - 1) for text in FAULTS[fault][simulator])
    try:
        found = not passes(modules=planted(design.modules, old, new))
    except (CosimError, DriverError):
        found = True
    assert found
