import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest

from duospike.reference.exchange.equivalence import IntegerNeuron, RealNeuron, Verdict, compare, lossless_factor, smallest_factor
from duospike.reference.network import RESETS, Neuron
from duospike.reference.neurons import charge, integer_leak

LEAKS = [(1, 0), (0, 0), (1, 1), (1, 2), (3, 2), (5, 3)]
EIGHTHS = 8
"""Biases and thresholds are multiples of 1/8."""
REACH = 12
"""Inputs -REACH .. REACH meet all that a proof about small numbers speaks of."""


def spikes_of(neuron, bias, theta, inputs, inclusive=False):
    """Spikes [T, N] of integers by the integer neuron, for inputs [T, N]; inclusive: at the threshold, too."""
    v = s = np.zeros_like(inputs[0])
    spikes = []
    for one in inputs:
        v = charge(neuron.reset, integer_leak(neuron), v, s, theta, one + bias)
        s = (v >= theta if inclusive else v > theta).astype(np.int64)
        spikes.append(s)
    return np.array(spikes)


def some_input_differs(real, integer, neuron, timesteps):
    """Whether it does for any of all inputs. The real neuron is an integer one in units so small that no leak floors."""
    span = np.arange(-REACH, REACH + 1)
    inputs = np.stack([grid.ravel() for grid in np.meshgrid(*[span] * timesteps)])
    fine = EIGHTHS * 2 ** (neuron.shift * (timesteps - 1))
    exact = spikes_of(neuron, int(real.bias * fine), int(real.theta * fine), inputs * fine, real.inclusive)
    return bool((exact != spikes_of(neuron, integer.bias, integer.theta, inputs * integer.factor)).any())


def random_pair(generator, factor, inclusive):
    """A real neuron on a fine grid, and integers near it."""
    bias, theta = Fraction(int(generator.integers(-20, 21)), EIGHTHS), Fraction(int(generator.integers(-4, 33)), EIGHTHS)
    near = IntegerNeuron(
        factor,
        math.floor(factor * bias) + int(generator.integers(0, 3)),
        math.floor(factor * theta) + int(generator.integers(-1, 3)),
    )
    return RealNeuron(bias, theta, (Fraction(0),) * 3, inclusive=inclusive), near


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("inclusive", [False, True])
def test_verdict_equals_the_trial_of_all_inputs(reset, leak, inclusive):
    """Three timesteps, all inputs of a range: where the proof says the same, all are; where not, some input differs."""
    neuron, generator = Neuron(reset, *leak), np.random.default_rng(leak[0] + 8 * leak[1])
    verdicts = []
    for _ in range(20 - 8 * inclusive):
        multiple = int(generator.integers(1, 4))
        real, integer = random_pair(generator, smallest_factor(neuron, 3) * multiple, inclusive)
        verdict = compare(real, integer, neuron, 3)
        verdicts.append(verdict)
        assert (verdict is Verdict.SAME) == (not some_input_differs(real, integer, neuron, 3)), (real, integer)
    assert set(verdicts) <= {Verdict.SAME, Verdict.OTHER}


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("leak", LEAKS)
def test_what_loses_no_bit_is_the_same(reset, leak):
    neuron = Neuron(reset, *leak)
    factor = lossless_factor(neuron, 3)
    real, integer = RealNeuron(Fraction(-3), Fraction(2), (Fraction(0),) * 3), IntegerNeuron(factor, -3 * factor, 2 * factor)
    assert compare(real, integer, neuron, 3) is Verdict.SAME
    assert not some_input_differs(real, integer, neuron, 3)
    for wrong in (dataclasses.replace(integer, theta=2 * factor + 1), dataclasses.replace(integer, bias=-3 * factor - 1)):
        assert (compare(real, wrong, neuron, 3) is Verdict.OTHER) == some_input_differs(real, wrong, neuron, 3)
    assert compare(real, dataclasses.replace(integer, theta=3 * factor), neuron, 3) is Verdict.OTHER


def test_the_floor_of_a_leak_decides_a_spike():
    """With potential 5 and then current 3, 5/2 + 3 = 5.5 is above 5, and 2 + 3 is not."""
    neuron = Neuron("subtract", 1, 1)
    real, integer = RealNeuron(Fraction(0), Fraction(5), (Fraction(0),) * 2), IntegerNeuron(1, 0, 5)
    assert compare(real, integer, neuron, 2) is Verdict.OTHER
    assert some_input_differs(real, integer, neuron, 2)
    assert compare(real, IntegerNeuron(2, 0, 10), neuron, 2) is Verdict.SAME


@pytest.mark.parametrize("leak", [(1, 1), (1, 3), (3, 2), (15, 4)])
def test_a_lifted_reset_to_zero_rounds_up(leak):
    """With (2^k - 1)/m more on bias and threshold the leak rounds up, which the strict comparison does not notice."""
    neuron = Neuron("zero", *leak)
    lift = (2**neuron.shift - 1) // neuron.multiplier
    real = RealNeuron(Fraction(-1), Fraction(4), (Fraction(0),) * 2)
    assert compare(real, IntegerNeuron(1, -1, 4), neuron, 2) is Verdict.OTHER
    lifted = IntegerNeuron(1, -1 + lift, 4 + lift)
    assert compare(real, lifted, neuron, 2) is Verdict.SAME
    assert not some_input_differs(real, lifted, neuron, 2)


def test_a_source_that_rounds_must_keep_clear_of_the_threshold():
    neuron, error = Neuron("zero", 0, 0), Fraction(1, 100)
    for theta, verdict in ((Fraction(3), Verdict.CLOSE), (Fraction(301, 100), Verdict.CLOSE), (Fraction(31, 10), Verdict.SAME)):
        assert compare(RealNeuron(Fraction(0), theta, (error,)), IntegerNeuron(1, 0, 3), neuron, 1) is verdict


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("leak", [(0, 0), (1, 0), (1, 1)])
def test_a_spike_at_the_threshold_is_one_above_the_number_before(reset, leak):
    """Where a spike takes the threshold off, finer weights make room for the unit that is missing."""
    neuron, real = Neuron(reset, *leak), RealNeuron(Fraction(1), Fraction(4), (Fraction(0),) * 3, inclusive=True)
    factor = lossless_factor(neuron, 3) * 4
    assert compare(real, IntegerNeuron(factor, factor, 4 * factor - 1), neuron, 3) is Verdict.SAME
    assert compare(real, IntegerNeuron(factor, factor, 4 * factor), neuron, 3) is Verdict.OTHER
    silent = RealNeuron(Fraction(4), Fraction(4), (Fraction(0),), silent=True, inclusive=True)
    assert compare(silent, IntegerNeuron(1, 4, 3), neuron, 1) is Verdict.SAME
    assert compare(silent, IntegerNeuron(1, 4, 4), neuron, 1) is Verdict.OTHER


def test_an_output_without_weights_follows_its_bias():
    """Potentials 2, 4, 3, 5, ...: which of them are above the threshold is known without an input."""
    neuron = Neuron("subtract_delayed", 1, 0)
    real = RealNeuron(Fraction(2), Fraction(3), (Fraction(0),) * 8, silent=True)
    assert compare(real, IntegerNeuron(1, 2, 3), neuron, 8) is Verdict.SAME
    assert compare(real, IntegerNeuron(1, 2, 4), neuron, 8) is Verdict.OTHER


def test_too_many_paths_are_not_followed():
    """A threshold with more bits than the leak shifts out: each sequence of spikes leaves another rest of it."""
    neuron, theta, factor = Neuron("subtract", 1, 1), 5 + Fraction(1, 2**13), 2**26
    real, integer = RealNeuron(Fraction(0), theta, (Fraction(0),) * 13), IntegerNeuron(factor, 0, int(theta * factor))
    assert compare(real, integer, neuron, 11) is Verdict.SAME
    assert compare(real, integer, neuron, 13) is Verdict.LONG


@pytest.mark.parametrize("neuron", [Neuron("zero", 1, 1), Neuron("zero", 1, 4), Neuron("zero", 1, 0), Neuron("subtract", 1, 0)])
@pytest.mark.parametrize("timesteps", [65, 1024])
def test_many_timesteps_are_proven(neuron, timesteps):
    """Whole bias and threshold, of a neuron that is reset to zero lifted, so that floors round up."""
    lift = 2**neuron.shift - 1
    real = RealNeuron(Fraction(-3), Fraction(31), (Fraction(0),) * timesteps)
    assert compare(real, IntegerNeuron(1, -3 + lift, 31 + lift), neuron, timesteps) is Verdict.SAME
    assert compare(real, IntegerNeuron(1, -3 + lift, 32 + lift), neuron, timesteps) is Verdict.OTHER


def test_an_error_that_grows_is_seen_when_it_reaches_a_path_of_before():
    """A neuron without a leak and with whole numbers has one path; its gap is half a step."""
    neuron = Neuron("zero", 1, 0)
    errors = (*[Fraction(1, 1000)] * 64, Fraction(1, 2))
    real, integer = RealNeuron(Fraction(0), Fraction(7, 2), errors), IntegerNeuron(1, 0, 3)
    assert compare(real, integer, neuron, 64) is Verdict.SAME
    assert compare(real, integer, neuron, 65) is Verdict.CLOSE
