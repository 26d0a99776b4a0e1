"""The hardware's leak m/2^k: the one that a beta is, the nearest one, and those that an option names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from duospike.reference.errors import InputError, brief
from duospike.reference.network import LEAK_SHIFTS, Neuron
from duospike.reference.training.settings import parse_neuron

TOLERANCE = 1 / 128
"""Of what a neuron keeps of a constant current: how far a leak in place of another may be off."""


def leak_of(reset: str, beta: Fraction) -> Neuron | None:
    """The neuron of a leak that is m/2^k in lowest terms, else None."""
    shift = beta.denominator.bit_length() - 1
    exact = beta.denominator == 2**shift and shift in LEAK_SHIFTS and 0 <= beta <= 1
    return Neuron(reset, beta.numerator, shift) if exact else None


def leaks_of(reset: str, betas: Sequence[Fraction]) -> Neuron | None:
    """The neuron of a layer's leaks, one or one for each output, with the smallest k for all; None: not all are m/2^k."""
    each = [leak_of(reset, beta) for beta in betas]
    if None in each:
        return None
    shift = max(neuron.shift for neuron in each if neuron)
    multipliers = tuple(int(beta * 2**shift) for beta in betas)
    return Neuron(reset, multipliers[0] if len(set(multipliers)) == 1 else multipliers, shift)


def near_leaks(reset: str, betas: Sequence[Fraction], timesteps: int) -> list[Neuron]:
    """The neuron of the betas of a layer where these are m/2^k, else those of the nearest m/2^k, best first. betas: from 0 to 1.

    After T timesteps of a current of 1 a potential without spikes is 1 + beta + ... + beta^(T-1). The first has the smallest k
    with which this sum is off by at most TOLERANCE of itself, or the largest k if none is as good; the others have smaller k,
    for potentials so large that m times one would be too wide. With one timestep nothing leaks.
    """
    exact = leaks_of(reset, betas if timesteps > 1 else (Fraction(0),))
    if exact:
        return [exact]
    wanted, found = [_potential(beta, timesteps) for beta in betas], []
    for shift in LEAK_SHIFTS:
        near = tuple(Fraction(round(beta * 2**shift), 2**shift) for beta in betas)
        found.append(near)
        if all(abs(_potential(one, timesteps) - sum_) <= TOLERANCE * sum_ for one, sum_ in zip(near, wanted, strict=True)):
            break
    return [neuron for neuron in (leaks_of(reset, near) for near in dict.fromkeys(reversed(found))) if neuron]


def _potential(beta: Fraction, timesteps: int) -> float:
    return sum(float(beta) ** timestep for timestep in range(timesteps))


def parse_leaks(text: str, layers: Iterable[str]) -> dict[str, Fraction]:
    """The leaks of "7/8", for all layers, or of "conv1=7/8,fc1=1/2", for these. layers: names of those that have one.

    InputError: a leak that is not m/2^k written out; an unknown layer, or one that is named twice.
    """
    layers, found = list(layers), {}
    if "=" not in text:
        return dict.fromkeys(layers, _parse(text))
    for part in text.split(","):
        name, _, leak = (word.strip() for word in part.partition("="))
        if name not in layers:
            raise InputError(f"--beta {brief(part)}: needs LAYER=m/2^k; the layers are {', '.join(layers)}")
        if name in found:
            raise InputError(f"--beta {brief(part)}: layer {name} is named twice")
        found[name] = _parse(leak)
    return found


def _parse(text: str) -> Fraction:
    neuron = parse_neuron("zero", text)
    return neuron.fraction
