import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import pack_fields, spike_beats
from duospike.rtl.checks import MEMBRANE_READOUTS, READOUTS
from duospike.rtl.readout import Readout, readout
from tests.benches.event_model import random_spikes
from tests.benches.stream_bench import STALLS, run_stream


def scores_of(stage, inputs):
    """Of one image, spikes or potentials [timesteps, outputs, 1, 1], neuron by neuron in Python."""
    timesteps, members = len(inputs), stage.outputs // stage.classes
    of_neurons = inputs.reshape(timesteps, -1).T.tolist()
    if stage.reads_membranes:
        return [values[-1] if stage.score == "last_membrane" else max(values) for values in of_neurons]
    scores = []
    for first in range(0, stage.outputs, members):
        trains = of_neurons[first : first + members]
        if stage.score == "count":
            scores.append(sum(sum(train) for train in trains))
        else:
            scores.append(max(timesteps - train.index(1) if 1 in train else 0 for train in trains))
    return scores


def expected_word(stage, inputs):
    """Class and scores of one image, packed as readout() documents."""
    scores = scores_of(stage, inputs)
    word = scores.index(max(scores))
    for index, score in enumerate(scores):
        word += score % 2**stage.score_bits * 2 ** (stage.class_bits + index * stage.score_bits)
    return word


def potential_beats(stage, potentials):
    """The beats of potentials [images, timesteps, outputs, 1, 1]: of each pass the last of a neuron, or the largest."""
    of_pass = potentials.reshape(-1, stage.timesteps, stage.outputs)
    read = of_pass[:, -1] if stage.score == "last_membrane" else of_pass.max(1)
    padded = np.pad(read, ((0, 0), (0, -stage.outputs % stage.lanes)))
    return pack_fields(padded.reshape(-1, stage.lanes), stage.potential_bits)


def check(place, classes, population, lanes, timesteps, passes=1, stalls=(0, 0), rate=0.4, inputs=None, score="count", bits=5):
    stage = Readout(
        outputs=classes * population, lanes=lanes, timesteps=timesteps, passes=passes, classes=classes, score=score,
        potential_bits=bits,
    )  # fmt: skip
    shape = (5, timesteps * passes, stage.outputs, 1, 1)
    if inputs is None and stage.reads_membranes:
        # Half of them of few values, so that many are equal, both ends of the range among them; half of any value.
        draw, low, high = np.random.default_rng(classes), -(2 ** (bits - 1)), 2 ** (bits - 1)
        inputs = np.where(draw.random(shape) < 0.5, draw.choice([low, -1, 0, high - 1], shape), draw.integers(low, high, shape))
    elif inputs is None:
        inputs = random_spikes(*shape, rate)
    beats = potential_beats(stage, inputs) if stage.reads_membranes else spike_beats(inputs, lanes, timesteps)
    run = run_stream(
        place, readout, beats, widths=(stage.input_bits, stage.output_bits), expected=len(inputs), stalls=stalls, stage=stage,
    )  # fmt: skip
    assert run.beats == [expected_word(stage, image) for image in inputs]
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


@pytest.mark.parametrize("stalls", [(0, 0), (0.3, 0.3)])
@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize(("classes", "population", "lanes"), [(1, 3, 2), (3, 4, 3), (5, 1, 2)])
def test_first_spikes(place, classes, population, lanes, passes, stalls):
    check(place, classes, population, lanes, 2, passes, stalls, rate=0.15, score="first_spike")


@pytest.mark.parametrize("score", MEMBRANE_READOUTS)
@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize(("classes", "lanes", "bits"), [(1, 1, 1), (7, 3, 6), (4, 4, 3)])
def test_signed_potentials(place, score, passes, classes, lanes, bits):
    check(place, classes, 1, lanes, 2, passes, (0.3, 0.3), score=score, bits=bits)


@pytest.mark.parametrize("score", MEMBRANE_READOUTS)
def test_all_potentials_may_be_below_zero(place, score):
    """The largest of each image: the first of equals, the last one, the middle one."""
    potentials = np.array([[-3, -3, -9], [-8, -7, -5], [-16, -1, -2]])
    stage, run = check(place, 3, 1, 2, 1, inputs=potentials[:, None, :, None, None], score=score)
    assert [word % 2**stage.class_bits for word in run.beats] == [0, 2, 1]


@settings(max_examples=8)
@given(
    score=st.sampled_from(READOUTS),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3)),
    stalls=st.sampled_from(STALLS),
    rate=st.sampled_from([0, 0.2, 1.1]),
)
def test_any_population(place, score, shape, stalls, rate):
    classes, population, lanes, timesteps, passes = shape
    population = 1 if score in MEMBRANE_READOUTS else population
    check(place, classes, population, min(lanes, classes * population), timesteps, passes, stalls, rate, score=score)


def test_ties_go_to_the_smallest_class(place):
    """Votes of each image: none; all alike; the last two classes alike; the first and the last alike."""
    votes = np.array([[0, 0, 0], [2, 2, 2], [0, 2, 2], [1, 0, 1]])
    spikes = np.zeros((len(votes), 2, 3, 1, 1), np.uint8)
    spikes[:, 0, :, 0, 0], spikes[:, 1, :, 0, 0] = votes > 0, votes > 1
    stage, run = check(place, 3, 1, 2, 2, inputs=spikes)
    assert [word % 2**stage.class_bits for word in run.beats] == [0, 0, 1, 0]


@pytest.mark.parametrize("score", READOUTS)
def test_one_neuron_a_cycle_and_two_more_an_image(place, score):
    stage, run = check(place, 12, 1, 3, 2, score=score)
    assert run.counts["busy"] == 5 * stage.outputs
    assert run.cycles[-1] - run.cycles[0] == 4 * (stage.outputs + 2)
