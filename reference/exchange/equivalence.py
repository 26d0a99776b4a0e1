"""Deciding whether an integer neuron spikes exactly when a real-valued one does, whatever their inputs.

Both get the same inputs. In steps of its weights the real neuron has current N_t + B, N_t any whole number, bias B, threshold
Theta, leak beta = m/2^k without rounding. The integer neuron has weights `factor` times as large, current factor*N_t + b,
threshold theta, and a leak that floors.

Follow one path, a sequence of spikes and silences. Along it factor*V_t = z + C, where z is a multiple of factor / 2^(k*t) and C
follows from B, Theta and the path alone: it is what the recursion gives for N = 0. In the same way v_t = floor(z + c), by one
of two facts:

* m = 1: floor(floor(x) / 2^k) = floor(x / 2^k), and whole numbers pass through floor. So flooring at each timestep is flooring
  once, and c is the integer neuron's recursion for N = 0 without floors.
* 2^(k*(T-2)) divides factor: then z is whole wherever it still leaks, so floor(z + c) = z + floor(c), and c is that recursion
  with a floor before each leak.

With other leaks and factors bits are lost, and nothing is proven. z may be any multiple of its spacing, so two paths whose C and
c differ by the same multiple of it are one. On each path and at each timestep, `z + C > factor*Theta` (or
`>=`, of a real neuron that spikes at its threshold) must hold for the same multiples z as `z + c >= theta + 1`: a comparison of
two quotients. Then the spikes are the same for all inputs.

A source that computes in floats is off by an error of its own. No multiple z may bring its potential that close to the threshold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from duospike.reference.network import Neuron

MAX_PATHS = 2**11
"""Of a timestep: more than the timesteps that a network may have, as many as a neuron that a spike resets to zero has paths."""


class Verdict(Enum):
    SAME = "the same spikes for all inputs"
    OTHER = "another spike for some input"
    CLOSE = "a potential so close to the threshold that the source's own rounding decides"
    LONG = "too many sequences of spikes to follow"


@dataclass(frozen=True)
class RealNeuron:
    """bias and theta in steps of the weights. errors: bound of the potential's error at each timestep, in steps, or 0.

    silent: all weights are 0, so that N_t is 0. inclusive: it spikes at the threshold, too, and not only above.
    """

    bias: Fraction
    theta: Fraction
    errors: tuple[Fraction, ...]
    silent: bool = False
    inclusive: bool = False


@dataclass(frozen=True)
class IntegerNeuron:
    """factor: how many units one step of the weights is. bias and theta in units."""

    factor: int
    bias: int
    theta: int


def smallest_factor(neuron: Neuron, timesteps: int) -> int:
    """The factor, and every multiple of it, for which compare can prove anything."""
    return 1 if neuron.multiplier in (0, 1) else 2 ** (neuron.shift * max(timesteps - 2, 0))


def lossless_factor(neuron: Neuron, timesteps: int) -> int:
    """The factor with which no leak loses a bit."""
    return 1 if not neuron.multiplier else 2 ** (neuron.shift * (timesteps - 1))


@dataclass(frozen=True)
class _Path:
    """age: timesteps since the lattice of z was whole steps."""

    age: int
    integer: Fraction
    real: Fraction


def compare(real: RealNeuron, integer: IntegerNeuron, neuron: Neuron, timesteps: int) -> Verdict:
    """Whether the spikes are the same for all inputs. neuron: reset and leak of both, the multiplier odd or the shift 0."""
    assert real.silent or integer.factor % smallest_factor(neuron, timesteps) == 0
    bias, theta = integer.factor * real.bias, integer.factor * real.theta
    # fresh: paths that no timestep before this one has had. Where those of a timestep are all among those of the next, they
    # are among those of all that follow, and only what is fresh has to be followed.
    paths: set[_Path] = set()
    fresh = {_reduced(_Path(0, Fraction(integer.bias), bias), real, integer, neuron)}
    closest: Fraction | float = math.inf
    for t in range(timesteps):
        found = [(path, *_spikes(path, real, integer, theta, neuron)) for path in fresh]
        closest = min([closest, *(distance for _, _, distance, _ in found)])
        if real.errors[t] and closest <= integer.factor * real.errors[t]:
            return Verdict.CLOSE
        if not all(same for _, _, _, same in found):
            return Verdict.OTHER
        steps = (_step(path, spike, integer, bias, theta, neuron) for path, spikes, _, _ in found for spike in spikes)
        after = {_reduced(step, real, integer, neuron) for step in steps}
        if paths or fresh <= after:
            paths |= fresh
            fresh = after - paths
        else:
            fresh, closest = after, math.inf
        if len(paths) + len(fresh) > MAX_PATHS:
            return Verdict.LONG
    return Verdict.SAME


def _spikes(
    path: _Path, real: RealNeuron, integer: IntegerNeuron, theta: Fraction, neuron: Neuron
) -> tuple[tuple[bool, ...], Fraction, bool]:
    """Which of silence and spike go on from here, how close a potential may come to the threshold, and whether both neurons
    agree on the spike."""
    gap, needed = theta - path.real, integer.theta + 1 - path.integer
    if real.silent:
        spike = gap < 0 or (real.inclusive and gap == 0)
        return (spike,), abs(gap), spike == (needed <= 0)
    spacing = _spacing(path, integer, neuron)
    quotient = gap / spacing
    first = math.ceil(quotient) if real.inclusive else math.floor(quotient) + 1
    return (False, True), abs(quotient - round(quotient)) * spacing, math.ceil(needed / spacing) == first


def _spacing(path: _Path, integer: IntegerNeuron, neuron: Neuron) -> Fraction:
    """Of the lattice of z."""
    return Fraction(integer.factor, 2 ** (neuron.shift * path.age))


def _reduced(path: _Path, real: RealNeuron, integer: IntegerNeuron, neuron: Neuron) -> _Path:
    """The one of the paths that are the same whose real constant lies between 0 and the spacing."""
    if real.silent:
        return path
    spacing = _spacing(path, integer, neuron)
    whole = math.floor(path.real / spacing) * spacing
    # Without a shift the spacing does not depend on the age.
    return _Path(path.age if neuron.shift else 0, path.integer - whole, path.real - whole)


def _step(path: _Path, spike: bool, integer: IntegerNeuron, bias: Fraction, theta: Fraction, neuron: Neuron) -> _Path:
    """The path one timestep on, after a spike or a silence."""
    beta = neuron.fraction
    if beta == 0 or (spike and neuron.reset == "zero"):
        # Of the last potential nothing is left but the delayed reset.
        reset = spike and neuron.reset == "subtract_delayed"
        return _Path(0, Fraction(integer.bias - integer.theta * reset), bias - theta * reset)
    before = spike and neuron.reset == "subtract"
    behind = spike and neuron.reset == "subtract_delayed"
    whole = path.integer if neuron.multiplier == 1 else math.floor(path.integer)
    return _Path(
        path.age + 1,
        (whole - integer.theta * before) * beta - integer.theta * behind + integer.bias,
        (path.real - theta * before) * beta - theta * behind + bias,
    )
