"""Ranges that a layer's own weights, biases and thresholds prove, and the smallest signed widths that hold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import InputError
from .network import Conv, Linear, Network
from .neurons import integer_leak

Range = tuple[int, int]
Bounds = tuple[np.ndarray, np.ndarray]

# float32 carries every integer below this magnitude exactly, so training computes the same bits.
EXACT_LIMIT = 2**24


@dataclass(frozen=True)
class LayerWidths:
    """Proven inclusive ranges of one layer, over all its outputs, and the signed widths in bits that hold them.

    current: bias plus any subset of the products. pooled: what the neurons take, the currents or their sums over windows.
    potential: v_t. state: what the neuron keeps between two
    timesteps, its reset done: v - theta*s (subtract), leak(v) - theta*s (subtract_delayed) or v*(1 - s) (zero).
    """

    name: str
    current: Range
    pooled: Range
    potential: Range
    state: Range
    current_bits: int
    pooled_bits: int
    potential_bits: int
    state_bits: int
    theta_bits: int


def signed_bits(low: int, high: int) -> int:
    """Smallest width in bits of a two's complement number that holds low..high: signed_bits(-8, 7) is 4."""
    return max((-low - 1).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0) + 1


def prove_widths(network: Network) -> dict[str, LayerWidths]:
    """Widths of every convolution and fully connected layer, by its name.

    Current. A partial sum adds events in any order, to the bias or to 0. An event adds w*x with x within the pixel
    range (dense layer) or w (a spike); an event that is missing, or zero padding, adds 0. So every partial sum lies
    between the sum of min(0, smallest product) and the sum of max(0, largest product), output by output, both with
    the bias added or both without it. The widths hold those with the bias; the limit holds for both, since an
    implementation in floats, such as training, may add the bias last.

    Potential. By induction over t: if v_t lies in [low, high] then
      no spike:  v_t in [low, min(high, theta)]      spike:  v_t in [max(low, theta + 1), high]
    and each of these, where it is not empty, goes through the reset and leak, which do not decrease as v grows
    (multiplier >= 0, floor), so their ends map to the ends of the next interval; the current's range is added.
    leak(x) itself lies between x and 0, or is -1, and so needs no more bits than x.

    InputError, with layer, value and limit: a value of the layer, a sum of products, or multiplier * value before the
    leak's shift, can reach 2**24 in magnitude, where float32 ceases to be exact.
    """
    return {
        layer.name: layer_widths(layer, inputs, network.timesteps)
        for layer, inputs in zip(network.layers, network.input_ranges, strict=True)
        if isinstance(layer, Conv | Linear)
    }


def layer_widths(layer: Conv | Linear, inputs: Range, timesteps: int) -> LayerWidths:
    """Widths of one layer whose inputs lie in a range, as prove_widths."""
    for what, values in (("bias", layer.bias), ("theta", layer.theta)):
        _refuse_inexact(layer.name, what, _span((values, values)))
    products = product_bounds(layer, inputs)
    _refuse_inexact(layer.name, "sum of products", _span(products))
    current = current_bounds(layer, inputs)
    _refuse_inexact(layer.name, "current", _span(current))
    pooled = pooled_bounds(layer, current)
    _refuse_inexact(layer.name, "sum of pooled currents", _span(pooled))
    potential, state = _potential_bounds(layer, pooled, timesteps)
    leaked = potential if layer.neuron.reset == "subtract_delayed" else state
    _refuse_inexact(layer.name, "leak multiplier times potential", _scaled(leaked, int(layer.neuron.multipliers.max())))
    return LayerWidths(
        layer.name,
        current=_span(current),
        pooled=_span(pooled),
        potential=potential,
        state=state,
        current_bits=signed_bits(*_span(current)),
        pooled_bits=signed_bits(*_span(pooled)),
        potential_bits=signed_bits(*potential),
        state_bits=signed_bits(*state),
        theta_bits=signed_bits(*_span((layer.theta, layer.theta))),
    )


def product_bounds(layer: Conv | Linear, inputs: Range) -> Bounds:
    """Smallest and largest sum of any of each output's products, int64 [outputs] each, for inputs of that range."""
    weights = layer.weights.reshape(layer.outputs, -1)
    positive, negative = np.maximum(weights, 0).sum(1), np.minimum(weights, 0).sum(1)
    low, high = min(inputs[0], 0), max(inputs[1], 0)
    return positive * low + negative * high, positive * high + negative * low


def current_bounds(layer: Conv | Linear, inputs: Range) -> Bounds:
    """Smallest and largest partial sum that starts from the bias, of each output, int64 [outputs] each."""
    low, high = product_bounds(layer, inputs)
    return layer.bias + low, layer.bias + high


def pooled_bounds(layer: Conv | Linear, current: Bounds) -> Bounds:
    """Bounds of what the neurons take, and of its partial sums: of the currents, or of their sums over a window."""
    return np.minimum(current[0], layer.summed * current[0]), np.maximum(current[1], layer.summed * current[1])


def _potential_bounds(layer: Conv | Linear, current: Bounds, timesteps: int) -> tuple[Range, Range]:
    zeros = np.zeros_like(layer.theta)
    carried = (zeros, zeros)
    potentials, states = [(0, 0)], [(0, 0)]
    for _ in range(timesteps):
        potential = (carried[0] + current[0], carried[1] + current[1])
        state, carried = _after_reset(layer, potential)
        potentials.append(_span(potential))
        states.append(_span(state))
        _refuse_inexact(layer.name, "potential", potentials[-1])
        _refuse_inexact(layer.name, "potential after reset", states[-1])
    return _hull(potentials), _hull(states)


def _after_reset(layer: Conv | Linear, potential: Bounds) -> tuple[Bounds, Bounds]:
    """Bounds of the state between two timesteps, and of the part of the next potential that comes from it."""
    leak, reset, theta = integer_leak(layer.neuron), layer.neuron.reset, layer.theta
    low, high = potential
    silent, spiking = (low, np.minimum(high, theta)), (np.maximum(low, theta + 1), high)
    if reset == "subtract_delayed":
        silent, spiking = _each_end(leak, silent), _each_end(leak, spiking)
    if reset != "none":
        spiking = _each_end(lambda v: 0 * v if reset == "zero" else v - theta, spiking)
    state = _union(silent, low <= theta, spiking, high > theta)
    return state, state if reset == "subtract_delayed" else _each_end(leak, state)


def _each_end(function: Callable[[np.ndarray], np.ndarray], bounds: Bounds) -> Bounds:
    return function(bounds[0]), function(bounds[1])


def _union(first: Bounds, first_possible: np.ndarray, second: Bounds, second_possible: np.ndarray) -> Bounds:
    """Hull of two intervals per output, of which those that are not possible do not count."""
    low = np.minimum(np.where(first_possible, first[0], second[0]), np.where(second_possible, second[0], first[0]))
    high = np.maximum(np.where(first_possible, first[1], second[1]), np.where(second_possible, second[1], first[1]))
    return low, high


def _span(bounds: Bounds) -> Range:
    return int(bounds[0].min()), int(bounds[1].max())


def _hull(ranges: list[Range]) -> Range:
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _scaled(values: Range, factor: int) -> Range:
    return values[0] * factor, values[1] * factor


def _refuse_inexact(name: str, what: str, values: Range) -> None:
    worst = max(values, key=abs)
    if abs(worst) >= EXACT_LIMIT:
        raise InputError(f"layer {name}: {what} can reach {worst}; allowed: magnitudes below {EXACT_LIMIT} (2^24)")
