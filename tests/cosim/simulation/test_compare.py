"""The first difference is found, whatever it is, and named where it is."""

from dataclasses import replace

import numpy as np
import pytest

from duospike.cosim.design.beats import spike_beats
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.simulation.bench import Beat
from duospike.cosim.simulation.compare import (
    MISSING,
    SURPLUS,
    Mismatch,
    decode_result,
    first_potential_mismatch,
    first_result_mismatch,
    first_spike_mismatch,
)
from duospike.reference.golden import Trace
from duospike.rtl.readout import Readout
from tests.benches.small_networks import small_network

LANES = 3
SHAPE = (2, 2, 5, 3, 4)  # images, timesteps, channels, height, width
READOUT = Readout(outputs=6, lanes=2, timesteps=2, passes=1, classes=3)


@pytest.fixture
def spikes():
    return np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.uint8)


def recorded(spikes):
    return [Beat(index, f"{beat:02x}") for index, beat in enumerate(spike_beats(spikes, LANES))]


def test_equal_streams_have_no_mismatch(spikes):
    assert first_spike_mismatch("conv1", spikes, LANES, recorded(spikes)) is None


@pytest.mark.parametrize("place", [(0, 0, 0, 0, 0), (0, 1, 4, 2, 3), (1, 0, 2, 1, 0), (1, 1, 3, 2, 3)])
def test_every_flipped_spike_is_named(spikes, place):
    beats = recorded(spikes)
    wrong = spikes.copy()
    wrong[place] ^= 1
    image, timestep, channel, y, x = place
    expected = Mismatch(image, "conv1", timestep, channel, y, x, int(wrong[place]), int(spikes[place]))
    assert first_spike_mismatch("conv1", wrong, LANES, beats) == expected


@pytest.mark.parametrize("place", [(0, 0, 0, 0, 0), (0, 1, 4, 2, 3), (1, 0, 2, 1, 0), (1, 1, 3, 2, 3)])
def test_every_flipped_spike_is_named_where_an_image_takes_two_passes(spikes, place):
    beats = [Beat(index, f"{beat:x}") for index, beat in enumerate(spike_beats(spikes, LANES, 1))]
    assert first_spike_mismatch("conv1", spikes, LANES, beats, 1) is None
    wrong = spikes.copy()
    wrong[place] ^= 1
    expected = Mismatch(place[0], "conv1", *place[1:], int(wrong[place]), int(spikes[place]))
    assert first_spike_mismatch("conv1", wrong, LANES, beats, 1) == expected


def test_a_spike_of_a_lane_without_a_channel_is_a_difference(spikes):
    beats = recorded(spikes)
    second_group = 4
    beats[second_group] = Beat(0, f"{beats[second_group].value('conv1') | 1 << 4:02x}")
    assert first_spike_mismatch("conv1", spikes, LANES, beats) == Mismatch(0, "conv1", 0, 5, 0, 0, 0, 1)


@pytest.mark.parametrize("payload", ["0x01", "0X00", "x000", "00x0", "000z", "Z000", "xxxx"])
def test_an_unknown_digit_is_seen_at_every_place(payload):
    zeros = np.zeros((1, 2, 8, 1, 1), np.uint8)
    assert first_spike_mismatch("conv1", zeros, 8, [Beat(0, "0000")]) is None
    assert first_spike_mismatch("conv1", zeros, 8, [Beat(0, payload)]).got == payload


@pytest.mark.parametrize("payload", ["xx", "0x", "z3", "X1"])
def test_an_unknown_bit_is_a_difference(spikes, payload):
    beats = recorded(spikes)
    beats[25] = Beat(25, payload)
    mismatch = first_spike_mismatch("conv1", spikes, LANES, beats)
    assert (mismatch.image, mismatch.y, mismatch.x, mismatch.got) == (1, 0, 1, payload)


def test_missing_and_surplus_beats_are_differences(spikes):
    beats = recorded(spikes)
    short = first_spike_mismatch("conv1", spikes, LANES, beats[:-1])
    assert (short.image, short.y, short.x, short.got) == (1, 2, 3, MISSING)
    long = first_spike_mismatch("conv1", spikes, LANES, [*beats, Beat(99, "00")])
    assert (long.expected, long.got) == (SURPLUS, 0)


def result(winner, counts):
    return Beat(0, f"{winner | sum(count << (2 + 3 * k) for k, count in enumerate(counts)):x}")


def test_results_are_compared_by_count_and_class():
    trace = Trace({}, np.array([[0, 4, 4], [1, 0, 0]]), np.array([1, 0]))
    right = [result(1, [0, 4, 4]), result(0, [1, 0, 0])]
    assert decode_result(READOUT, right[0].value("dst")) == (1, [0, 4, 4])
    assert first_result_mismatch(READOUT, trace, right) is None
    wrong_count = first_result_mismatch(READOUT, trace, [right[0], result(0, [1, 2, 0])])
    assert wrong_count == Mismatch(1, "readout", None, 1, None, None, 0, 2)
    wrong_class = first_result_mismatch(READOUT, trace, [result(2, [0, 4, 4]), right[1]])
    assert wrong_class == Mismatch(0, "readout", None, None, None, None, 1, 2)
    assert first_result_mismatch(READOUT, trace, right[:1]).got == MISSING
    assert first_result_mismatch(READOUT, trace, [*right, right[0]]).expected == SURPLUS


POTENTIALS = np.random.default_rng(2).integers(-16, 16, (2, 4, 5))  # images, timesteps, outputs


def potential_stage(gives, timesteps=2):
    network = small_network("3C1-FC5", (1, 3, 3), classes=5, timesteps=4, readout=gives, reset="none")
    stage = plan_stages(network, choose_sizing(network, {"fc1": 3}, timesteps=timesteps))["fc1"]
    return replace(stage, neuron=replace(stage.neuron, potential_bits=12))


def potential_words(gives):
    """In Python: of each image and pass a beat of three lanes and one of two."""
    words = []
    for image in POTENTIALS.tolist():
        for of_pass in (image[:2], image[2:]):
            read = of_pass[-1] if gives == "last_membrane" else [max(values) for values in zip(*of_pass, strict=True)]
            words += [sum(v % 2**12 << 12 * i for i, v in enumerate(lanes)) for lanes in (read[:3], read[3:])]
    return words


@pytest.mark.parametrize("gives", ["last_membrane", "max_membrane"])
def test_a_wrong_potential_is_named(gives):
    stage, words = potential_stage(gives), potential_words(gives)
    beats = [Beat(i, f"{word:x}") for i, word in enumerate(words)]
    assert first_potential_mismatch("fc1", stage, POTENTIALS, beats) is None
    wrong = [*beats]
    wrong[5] = Beat(5, f"{words[5] ^ 1 << 12:x}")  # the second image's first pass, output 4
    found = first_potential_mismatch("fc1", stage, POTENTIALS, wrong)
    read = POTENTIALS[1, 1, 4] if gives == "last_membrane" else POTENTIALS[1, :2, 4].max()
    assert (found.image, found.timestep, found.channel, found.expected, found.got) == (1, 1, 4, read, read ^ 1)
    assert first_potential_mismatch("fc1", stage, POTENTIALS, beats[:-1]).got == MISSING
    assert first_potential_mismatch("fc1", stage, POTENTIALS, [*beats, beats[0]]).expected == SURPLUS


def test_potentials_of_a_result_have_signs():
    stage = Readout(outputs=3, lanes=3, timesteps=1, passes=1, classes=3, score="last_membrane", potential_bits=4)
    assert decode_result(stage, 0b1000_0111_1111_10) == (2, [-1, 7, -8])


def test_a_mismatch_reads_as_one_line():
    text = str(Mismatch(3, "conv2", 1, 7, 0, 12, 1, 0))
    assert text == "image 3, stage conv2, timestep 1, channel 7, y 0, x 12: expected 1, got 0"
    assert str(Mismatch(3, "readout", None, None, None, None, 1, 0)) == "image 3, stage readout: expected 1, got 0"
