"""A source as integers with the same spikes for every image, or the list of all reasons why there are none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from duospike.reference.errors import InputError
from duospike.reference.network import LEAK_SHIFTS, Conv, Layer, Linear, Network, Neuron, Pool
from duospike.reference.training.settings import named_leaks
from duospike.reference.widths import EXACT_LIMIT, Range, layer_widths

from .equivalence import IntegerNeuron, RealNeuron, Verdict, compare, lossless_factor, smallest_factor
from .grid import MAX_STEPS, find_grid, steps_needed
from .leaks import leak_of, leaks_of
from .refusal import Reason, by_option, placed, refuse, remedy_of
from .scores import exact_scores
from .source import Source, SourceLayer

MULTIPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, MAX_STEPS)
"""Of the smallest factor, those that are tried."""

OTHER_ROUNDINGS = 32
"""More than all that is rounded in a current beside its sum: image, weights, bias, batch norm; and in reading these."""

FACTORS, TERMS = (Fraction(1, 2**30), Fraction(2**30)), (Fraction(1, 2**90), Fraction(2**60))
"""Magnitudes of factors of a current, and of what is added or compared: with these no float32 overflows, and what underflows, or
is flushed to 0, is less than the error that is counted anyway."""

SILENT_STEPS = 2**8
"""Units of the threshold of an output without weights."""


@dataclass(frozen=True, eq=False)
class _Found:
    """One output in integers."""

    weights: np.ndarray
    bias: int
    theta: int


def exact_network(source: Source) -> Network:
    """The network whose spikes equal the source's for every image, in real numbers and as the source itself rounds.

    InputError with all reasons where there is none, or none that can be proven.
    """
    layers, reasons = exact_layers(source)
    refuse(reasons)
    return network_of(source, layers)


def exact_layers(source: Source) -> tuple[list[Layer], list[str]]:
    """The layers that have integers, and all reasons why the source as a whole has none."""
    reasons, inputs = list(source.reasons), pixel_range(source)
    layers: list[Layer | None] = []
    for layer in source.layers:
        if isinstance(layer, Pool):
            layers.append(layer)
        else:
            convert = _exact_read if source.is_read(layer) else _exact_layer
            converted, why = convert(layer, source, inputs)
            reasons += why
            layers.append(converted)
        inputs = range_after(layer)
    return [layer for layer in layers if layer is not None], reasons


def range_after(layer: SourceLayer | Pool) -> Range:
    """Smallest and largest value that leaves a layer: of spikes, or of their sums."""
    return (0, math.prod(layer.kernel) if isinstance(layer, Pool) and layer.op == "sum" else 1)


def network_of(source: Source, layers: list[Layer]) -> Network:
    """The network of integer layers with the source's interface."""
    interface = source.interface
    return Network(
        interface.input_shape,
        interface.image_bits,
        interface.image_signed,
        interface.timesteps,
        interface.classes,
        tuple(layers),
        coding=interface.coding,
        readout=interface.readout or "count",
    )


def pixel_range(source: Source) -> Range:
    """Smallest and largest integer pixel."""
    bits = source.interface.image_bits
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if source.interface.image_signed else (0, 2**bits - 1)


def input_scale(source: Source, layer: SourceLayer) -> Fraction:
    """The real value of 1 at a layer's input: of a step of a pixel, or of a spike."""
    first = next(one for one in source.layers if isinstance(one, SourceLayer))
    return source.interface.image_scale if layer is first else Fraction(1)


def _exact_layer(layer: SourceLayer, source: Source, inputs: Range) -> tuple[Conv | Linear | None, list[str]]:
    timesteps = source.interface.timesteps
    if layer.integers_below is not None:
        return as_it_is(layer, inputs, timesteps)
    # With one timestep nothing leaks, so any leak is exact.
    neuron = leaks_of(layer.reset, layer.betas if timesteps > 1 else (Fraction(0),))
    if neuron is None:
        beta = float(next(beta for beta in layer.betas if leak_of(layer.reset, beta) is None))
        near = named_leaks(beta)
        why = f"beta {beta:.6g} is not m/2^k with k up to {LEAK_SHIFTS.stop - 1}, as the hardware's is{near}"
        return None, [by_option(f"{layer.title}: {why}", "--quantize BITS")]
    scale, found = input_scale(source, layer), []
    failed: dict[str, list[tuple[int, str]]] = {}
    for output in range(layer.outputs):
        own = leak_of(layer.reset, layer.beta_of(output) if timesteps > 1 else Fraction(0))
        assert own is not None
        one = _exact_output(layer, output, own, source, inputs, scale)
        if isinstance(one, str):
            failed.setdefault(one.split(":")[0], []).append((output, one))
        else:
            found.append(one)
    if failed:
        return None, [_failure(layer, outputs) for outputs in failed.values()]
    return _checked(layer, found, neuron, inputs, timesteps)


def _exact_read(layer: SourceLayer, source: Source, inputs: Range) -> tuple[Conv | Linear | None, list[str]]:
    """The last layer, whose potentials are read."""
    timesteps, neuron = source.interface.timesteps, leaks_of(layer.reset, layer.betas)
    if layer.integers_below is not None:
        return as_it_is(layer, inputs, timesteps)
    if neuron is None:
        return None, [by_option(f"{layer.title}: beta {float(layer.betas[0]):.6g} is not m/2^k", "--quantize BITS")]
    largest = max(map(abs, inputs))
    found = exact_scores(layer, neuron, largest, input_scale(source, layer), timesteps, source.rounding)
    if isinstance(found, str):
        return None, [placed(layer.title, found)]
    rows = [_Found(row, bias, 0) for row, bias in zip(*found, strict=True)]
    return _checked(layer, rows, neuron, inputs, timesteps)


def with_leak(layer: SourceLayer, neuron: Neuron) -> SourceLayer:
    return dataclasses.replace(layer, betas=(neuron.fraction,))


def as_it_is(layer: SourceLayer, inputs: Range, timesteps: int) -> tuple[Conv | Linear | None, list[str]]:
    """A layer of integers, with nothing to prove except that the floats of its source carry them; or why they do not."""
    neuron, limit = leaks_of(layer.reset, layer.betas), layer.integers_below
    assert neuron is not None and limit is not None
    numbers = zip(layer.weights, layer.offset.astype(np.int64).tolist(), layer.threshold.astype(np.int64).tolist(), strict=True)
    converted, why = _checked(layer, [_Found(*one) for one in numbers], neuron, inputs, timesteps)
    if converted is None:
        return None, why
    widths = layer_widths(converted, inputs, timesteps)
    largest = max(abs(end) for span in (widths.current, widths.potential, widths.state) for end in span)
    if largest < limit:
        return converted, []
    beyond = f"a current or potential can reach {largest} steps; allowed: below {limit}, so prepare it with fewer bits"
    return None, [f"{layer.title}: {beyond}"]


def _failure(layer: SourceLayer, outputs: list[tuple[int, str]]) -> str:
    """Of outputs with the same kind of reason; where it is word by word that of all outputs, these are not counted."""
    first, why = outputs[0]
    if len(outputs) == layer.outputs and all(other == why for _, other in outputs):
        return placed(layer.title, why)
    return placed(layer.title, Reason(f"{len(outputs)} of {layer.outputs} outputs, the first is {first}: {why}", remedy_of(why)))


def _exact_output(
    layer: SourceLayer, output: int, neuron: Neuron, source: Source, inputs: Range, scale: Fraction
) -> _Found | str:
    """Integers of one output, or why there are none."""
    weights, known = layer.weights[output].ravel(), None if layer.scale is None else layer.scale[output]
    grid = find_grid(weights, known)
    if grid is None:
        return _off_grid(weights, known, layer.numbers)
    gain, offset, theta = (Fraction(float(values[output])) for values in (layer.gain, layer.offset, layer.threshold))
    silent = gain == 0 or not grid.steps.any()
    step = Fraction(abs(theta or offset or Fraction(1))) / SILENT_STEPS if silent else grid.step * scale * abs(gain)
    reach = Fraction(0 if silent else int(np.abs(grid.steps).sum()) * max(map(abs, inputs)) * layer.summed)
    size = Fraction(float(layer.size[output])) / step if layer.folded else abs(offset) / step
    factors = {"step of the weights": grid.step, "scale of a pixel": scale, "gain of batch norm": gain}
    terms = {"bias": offset, "threshold": theta, "sum of all magnitudes": (reach + size) * step}
    beyond = _out_of_range(factors, terms) if source.rounding else None
    if beyond:
        return beyond
    dyadic = not layer.folded and not grid.error and all(value.denominator.bit_count() == 1 for value in (step, offset, theta))
    products = grid.steps.size * layer.summed
    rounded = _Rounded(source.rounding, grid.error, reach, size, products, dyadic, layer.roundings, layer.spread)
    errors = _errors(rounded, offset / step, theta / step, step, neuron, source.interface.timesteps)
    largest = 0 if silent else int(np.abs(grid.steps).max())
    real = RealNeuron(offset / step, theta / step, errors, silent, layer.inclusive)
    integer = _search(real, largest, neuron, source.interface.timesteps, layer.summed)
    if isinstance(integer, Verdict):
        return _refusal(integer, real, largest, neuron, source, layer.summed)
    if max(abs(integer.bias), abs(integer.theta)) >= EXACT_LIMIT:
        return f"weights too fine: {_numbers(real)}; in integers one is 2^24 or more in magnitude"
    sign = 0 if silent else -1 if gain < 0 else 1
    if layer.double_reset and source.interface.timesteps > 1:
        highest = _highest(grid.steps * sign * layer.summed, inputs, real, neuron, source.interface.timesteps)
        if highest > 2 * real.theta:
            return (
                "reset_delay=False subtracts the threshold twice where a potential is above twice the threshold: with the "
                f"threshold {float(theta):.6g} one may reach {float(highest * step):.6g}; "
                "allowed: up to twice the threshold, or reset_delay=True"
            )
    whole = grid.steps * sign * integer.factor
    return _Found(whole.reshape(layer.weights.shape[1:]), integer.bias // layer.summed, integer.theta)


def _off_grid(weights: np.ndarray, scale: float | None, numbers: str) -> str:
    """Why an output's weights become no integers, and what to do about it."""
    needed = steps_needed(weights, scale)
    if numbers != "weights":
        most = "" if needed is None else f", here up to {needed}"
        why = f"{numbers} on no grid of {MAX_STEPS} steps or fewer{most}: train with integer weights, or ask for --quantize"
        return by_option(why, "--quantize BITS")
    if needed == MAX_STEPS + 1:
        return (
            f"integer weight of magnitude {needed}: allowed are -{MAX_STEPS} to {MAX_STEPS}; quantize with narrow_range = True "
            "(Brevitas), or clip that weight"
        )
    if needed is not None:
        why = f"weights of up to {needed} steps: allowed are up to {MAX_STEPS}; train with fewer bits, or ask for --quantize"
        return by_option(why, "--quantize BITS")
    why = f"weights on no grid of {MAX_STEPS} steps or fewer: train with quantized weights, or ask for --quantize"
    return by_option(why, "--quantize BITS")


def _out_of_range(factors: dict[str, Fraction], terms: dict[str, Fraction]) -> str | None:
    """Why floats may overflow or underflow in an output."""
    for (low, high), numbers in ((FACTORS, factors), (TERMS, terms)):
        for what, number in numbers.items():
            if number and not low <= abs(number) <= high:
                limits = f"magnitudes from {float(low):.3g} to {float(high):.3g}"
                return f"{what} {float(number):.6g}: allowed are 0 and {limits}, with which no float overflows or underflows"
    return None


def _highest(steps: np.ndarray, inputs: Range, real: RealNeuron, neuron: Neuron, timesteps: int) -> Fraction:
    """What no potential of a neuron with reset by subtraction exceeds, in steps, the source's own error included."""
    low, high = min(inputs[0], 0), max(inputs[1], 0)
    current = real.bias + int(np.maximum(steps * low, steps * high).sum())
    beta, potential, highest = neuron.fraction, Fraction(0), Fraction(0)
    for error in real.errors[:timesteps]:
        potential = beta * max(min(potential, real.theta), potential - real.theta) + current
        highest = max(highest, potential + error)
    return highest


@dataclass(frozen=True)
class _Rounded:
    """What bounds the error of a current, in steps.

    unit: largest relative error of an operation. reach: largest sum of the products' magnitudes. size: magnitude of all that is
    added to them. count: number of products. dyadic: step, bias and threshold are fractions over powers of two. per_step: the
    roundings of the neuron, and spread, as duospike.reference.exchange.source.Neurons has them.
    """

    unit: Fraction
    weight_error: Fraction
    reach: Fraction
    size: Fraction
    count: int
    dyadic: bool
    per_step: int
    spread: int


def _errors(
    rounded: _Rounded, bias: Fraction, theta: Fraction, step: Fraction, neuron: Neuron, timesteps: int
) -> tuple[Fraction, ...]:
    """Bound of the error of the source's potential, in steps of its weights, at each timestep.

    A sum of n terms in any order is off by at most n*unit / (1 - n*unit) times the sum of their magnitudes (Higham, "Accuracy and
    Stability of Numerical Algorithms", 2002, section 4.2), and a potential adds the neuron's own. If all values are multiples of
    one power of two, and small enough for the float type, nothing is rounded.
    """
    beta, current, sizes = neuron.fraction, rounded.reach + abs(bias), []
    potential = Fraction(0)
    for _ in range(timesteps):
        potential = _rounded_up(beta * (potential + abs(theta)) + current + abs(theta))
        sizes.append(potential)
    largest = sizes[-1] * rounded.spread
    if not rounded.unit or (rounded.dyadic and _fits(rounded.unit, largest, bias, theta, step, neuron.shift * (timesteps - 1))):
        per_current, per_step = rounded.weight_error * rounded.reach, Fraction(0)
    else:
        roundings = (rounded.count + OTHER_ROUNDINGS) * rounded.unit
        # Beyond half of all nothing is bounded: the error is more than the whole then.
        share = roundings / (1 - roundings) if roundings < Fraction(1, 2) else Fraction(1)
        per_current = ((1 + share) * (1 + rounded.weight_error) - 1) * (rounded.reach + rounded.size)
        per_step = rounded.per_step * rounded.unit
    errors, error = [], Fraction(0)
    for size in sizes:
        error = _rounded_up(beta * error + per_current + per_step * size)
        errors.append(error)
    return tuple(errors)


def _rounded_up(value: Fraction) -> Fraction:
    """A bound of few digits, so that the sums that follow stay short."""
    return Fraction(math.ceil(value * 2**64), 2**64)


def _fits(unit: Fraction, largest: Fraction, bias: Fraction, theta: Fraction, step: Fraction, leak_bits: int) -> bool:
    """Whether the multiples of the lowest bit of step, bias and threshold, shifted by `leak_bits`, are exact floats."""
    lowest = min(_lowest_bit(value) for value in (step, bias * step, theta * step) if value)
    return largest * step / lowest * 2**leak_bits <= 1 / unit


def _lowest_bit(value: Fraction) -> Fraction:
    """The largest power of two that divides a fraction over a power of two: of 3/8 it is 1/8, of 12 it is 4."""
    return Fraction(value.numerator & -value.numerator, value.denominator)


@lru_cache(maxsize=4096)
def _search(real: RealNeuron, largest: int, neuron: Neuron, timesteps: int, summed: int) -> IntegerNeuron | Verdict:
    """The proven integers of the smallest factor; else the reason against them.

    largest: magnitude of a weight, in steps. summed: how many times the layer's own bias a neuron takes, so that it must divide
    the bias.
    """
    smallest = 1 if real.silent else smallest_factor(neuron, timesteps)
    verdict = Verdict.OTHER
    for factor in (smallest * multiple for multiple in MULTIPLES):
        if factor * max(largest, 1) > MAX_STEPS and not real.silent:
            break
        for integer in _candidates(real, factor, neuron, timesteps):
            if integer.bias % summed:
                continue
            verdict = compare(real, integer, neuron, timesteps)
            if verdict is Verdict.SAME:
                return integer
            if verdict is not Verdict.OTHER:
                return verdict
    return verdict


def _candidates(real: RealNeuron, factor: int, neuron: Neuron, timesteps: int) -> Iterator[IntegerNeuron]:
    """Bias and threshold rounded down and up; last, where no potential is kept, the bias as part of the threshold.

    With a reset to zero also with (2^k - 1)/m more on both, if that is whole. It turns floor into ceil:
    floor((m*v + 2^k - 1) / 2^k) is ceil(m*v / 2^k), and the leak of (2^k - 1)/m is 0, as is that of the potential 0 from which a
    neuron starts.
    """
    bias, theta = math.floor(factor * real.bias), math.floor(factor * real.theta)
    lift, rest = divmod(2**neuron.shift - 1, neuron.multiplier or 1)
    lifts = (0, lift) if neuron.reset == "zero" and neuron.multiplier and not rest and lift else (0,)
    for lift in lifts:
        for up in (0, 1):
            for more in (0, -1, 1):
                yield IntegerNeuron(factor, bias + up + lift, theta + more + lift)
    if timesteps == 1 or (not neuron.multiplier and neuron.reset in ("subtract", "zero", "none")):
        whole = math.floor(factor * (real.theta - real.bias))
        yield from (IntegerNeuron(factor, 0, whole + more) for more in (0, -1))


def _refusal(verdict: Verdict, real: RealNeuron, largest: int, neuron: Neuron, source: Source, summed: int) -> str:
    timesteps = source.interface.timesteps
    needed = lossless_factor(neuron, timesteps)
    leak = f"{neuron.multiplier}/{2**neuron.shift}"
    if verdict is Verdict.OTHER and needed * largest > MAX_STEPS:
        return (
            f"leak loses bits that may decide a spike: with beta {leak} over {timesteps} timesteps none gets lost if weights of "
            f"up to {largest} steps are {_power(needed)} times as large; allowed: up to {MAX_STEPS}"
        )
    numbers = _numbers(real)
    if verdict is Verdict.CLOSE:
        return (
            f"source rounds: {numbers}, so that a potential may come within {_shown(max(real.errors), 2)} steps of "
            "the threshold, where its rounding decides; one in float64 (module.double()), or with steps of powers of two, may do"
        )
    if verdict is Verdict.LONG:
        return f"cannot be proven: {timesteps} timesteps with beta {leak} have too many sequences of spikes"
    whole = f"; the bias must be a multiple of {summed}, as it comes with each of so many currents" * (summed > 1)
    return f"no integers give the same spikes: {numbers}, with beta {leak} over {timesteps} timesteps{whole}"


def _power(number: int) -> str:
    """A power of two, written out where that is short."""
    return str(number) if number < EXACT_LIMIT else f"2^{number.bit_length() - 1}"


def _numbers(real: RealNeuron) -> str:
    return f"bias {_shown(real.bias)} and threshold {_shown(real.theta)} steps of the weights"


def _shown(value: Fraction, digits: int = 6) -> str:
    """A number of any size with a few digits."""
    try:
        return f"{float(value):.{digits}g}"
    except OverflowError:
        return "more than 1e308 in magnitude"


def _checked(
    layer: SourceLayer, found: list[_Found], neuron: Neuron, inputs: Range, timesteps: int
) -> tuple[Conv | Linear | None, list[str]]:
    """The layer of its outputs; or why it has none: what the widths refuse."""
    try:
        weights, bias, theta = [one.weights for one in found], [one.bias for one in found], [one.theta for one in found]
        converted = integer_layer(layer, weights, bias, theta, neuron)
        layer_widths(converted, inputs, timesteps)
    except InputError as error:
        return None, [str(error)]
    return converted, []


def integer_layer(
    layer: SourceLayer, weights: list[np.ndarray], bias: list[int], theta: list[int], neuron: Neuron
) -> Conv | Linear:
    """A Conv or Linear under the source's name, with the fewest bits that hold the weights."""
    whole = np.stack(weights).astype(np.int64)
    bits = max(2, int(np.abs(whole).max()).bit_length() + 1)
    numbers = (layer.name, whole, np.array(bias, dtype=np.int64), np.array(theta, dtype=np.int64), bits, neuron)
    if whole.ndim == 2:
        return Linear(*numbers)
    return Conv(*numbers, stride=layer.stride, padding=layer.padding, current_pool=layer.current_pool)


def with_provenance(network: Network, **notes: str) -> Network:
    """The network, its metadata saying where it comes from."""
    return dataclasses.replace(network, metadata={**network.metadata, **notes})
