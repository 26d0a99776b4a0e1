import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import spike_beats
from duospike.rtl.readout import Readout, readout
from tests.benches.event_model import random_spikes
from tests.benches.stream_bench import STALLS, run_stream


def expected_word(stage, spikes):
    """Class and counts of one image, spikes [timesteps, outputs, 1, 1], packed as readout() documents."""
    counts = [0] * stage.classes
    for neuron in range(stage.outputs):
        counts[neuron * stage.classes // stage.outputs] += int(spikes[:, neuron].sum())
    word = counts.index(max(counts))
    for index, count in enumerate(counts):
        word += count * 2 ** (stage.class_bits + index * stage.count_bits)
    return word


def check(place, classes, population, lanes, timesteps, passes=1, stalls=(0, 0), rate=0.4, spikes=None):
    stage = Readout(outputs=classes * population, lanes=lanes, timesteps=timesteps, passes=passes, classes=classes)
    if spikes is None:
        spikes = random_spikes(5, timesteps * passes, stage.outputs, 1, 1, rate)
    run = run_stream(
        place, readout, spike_beats(spikes, lanes, timesteps), widths=(stage.input_bits, stage.output_bits), expected=len(spikes),
        stalls=stalls, stage=stage,
    )  # fmt: skip
    assert run.beats == [expected_word(stage, image) for image in spikes]
    return stage, run


@pytest.mark.parametrize("stalls", STALLS[1:4])
@pytest.mark.parametrize(
    ("classes", "population", "lanes"), [(1, 1, 1), (1, 3, 2), (10, 1, 4), (3, 4, 3), (4, 3, 5), (2, 5, 10), (5, 2, 1)]
)
def test_counts_and_class(place, classes, population, lanes, stalls):
    """Lanes of a beat that cross the border of classes, and a last beat that is not full."""
    check(place, classes, population, lanes, 2, stalls=stalls)


@pytest.mark.parametrize(("classes", "population", "lanes"), [(1, 1, 1), (1, 3, 2), (3, 4, 3), (2, 5, 10)])
def test_counts_go_on_over_passes(place, classes, population, lanes):
    check(place, classes, population, lanes, 2, passes=3, stalls=(0.3, 0.3))


@settings(max_examples=8)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3)),
    stalls=st.sampled_from(STALLS),
    rate=st.sampled_from([0, 0.2, 1.1]),
)
def test_any_population(place, shape, stalls, rate):
    classes, population, lanes, timesteps, passes = shape
    check(place, classes, population, min(lanes, classes * population), timesteps, passes, stalls, rate)


def test_ties_go_to_the_smallest_class(place):
    """Votes of each image: none; all alike; the last two classes alike; the first and the last alike."""
    votes = np.array([[0, 0, 0], [2, 2, 2], [0, 2, 2], [1, 0, 1]])
    spikes = np.zeros((len(votes), 2, 3, 1, 1), np.uint8)
    spikes[:, 0, :, 0, 0], spikes[:, 1, :, 0, 0] = votes > 0, votes > 1
    stage, run = check(place, 3, 1, 2, 2, spikes=spikes)
    assert [word % 2**stage.class_bits for word in run.beats] == [0, 0, 1, 0]


def test_one_neuron_a_cycle_and_two_more_an_image(place):
    stage, run = check(place, 3, 4, 3, 2)
    assert run.counts["busy"] == 5 * stage.outputs
    assert run.cycles[-1] - run.cycles[0] == 4 * (stage.outputs + 2)
