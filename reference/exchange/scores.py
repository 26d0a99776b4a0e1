"""A last layer whose potentials are read, as integers with the same order of classes for every image.

The classes are compared with each other, so all outputs need one unit; and two of them may lie as close together as any sums of
weights do, so neither the source nor the hardware may round anything: the weights lie on an exact grid, the source's floats carry
every sum, and the weights are so large that no leak loses a bit.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from duospike.reference.network import Neuron

from .equivalence import lossless_factor
from .grid import MAX_STEPS, Grid, find_grid
from .refusal import by_option
from .source import SourceLayer

MULTIPLES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, MAX_STEPS)
"""Of the unit, those that are tried, so that biases become whole."""

SPARE_BITS = 2
"""Of the source's floats beyond the largest potential, so that a mean over time keeps two of them apart, too."""


def exact_scores(
    layer: SourceLayer, neuron: Neuron, largest: int, scale: Fraction, timesteps: int, rounding: Fraction
) -> tuple[list[np.ndarray], list[int]] | str:
    """Weights and biases of all outputs in whole units, or why there are none.

    neuron: of all outputs. largest: magnitude of what the layer takes. scale: the real value of 1 at its input. rounding: as
    Source has it.
    """
    if layer.fires and neuron.reset != "none":
        return by_option("its neurons reset, which no integers of several classes do exactly alike", "--quantize BITS")
    if isinstance(neuron.multiplier, tuple):
        return by_option("its neurons have several leaks", "--quantize BITS")
    grids = [find_grid(row, None if layer.scale is None else layer.scale[o]) for o, row in enumerate(layer.weights)]
    if any(grid is None or grid.error for grid in grids):
        return by_option(f"potentials are read, and its weights lie on no exact grid of {MAX_STEPS} steps", "--quantize BITS")
    exact = [grid for grid in grids if grid is not None]
    steps = [grid.step * scale * Fraction(float(gain)) for grid, gain in zip(exact, layer.gain, strict=True)]
    offsets = [Fraction(float(offset)) for offset in layer.offset]
    unit = _common([abs(step) for step, grid in zip(steps, exact, strict=True) if step and grid.steps.any()])
    if unit is None:
        unit = _common([abs(offset) for offset in offsets if offset]) or Fraction(1)
    lossless = lossless_factor(neuron, timesteps)
    whole = [_row(grid, step / unit) for grid, step in zip(exact, steps, strict=True)]
    most = max(int(np.abs(row).max()) for row in whole)
    for multiple in MULTIPLES:
        biases = [offset / unit * multiple for offset in offsets]
        if most * multiple * lossless <= MAX_STEPS and all(bias.denominator == 1 for bias in biases):
            break
    else:
        reason = f"potentials are read, and its weights and biases in one unit reach {most * lossless} steps or are not whole"
        return by_option(f"{reason}; allowed: up to {MAX_STEPS} steps without a rounding", "--quantize BITS")
    if rounding and not _carried(layer, whole, biases, multiple, unit, largest, timesteps, neuron, rounding):
        return by_option("potentials are read, and the source's floats round them", "--quantize BITS")
    return [row * multiple * lossless for row in whole], [int(bias) * lossless for bias in biases]


def _common(values: list[Fraction]) -> Fraction | None:
    """The largest number of which all are whole multiples; None: there are none."""
    if not values:
        return None
    denominator = math.lcm(*(value.denominator for value in values))
    return Fraction(math.gcd(*(int(value * denominator) for value in values)), denominator)


def _row(grid: Grid, factor: Fraction) -> np.ndarray:
    """The weights of an output in units. factor: a step of its grid."""
    return np.array([int(step * factor) for step in grid.steps.tolist()], dtype=np.int64)


def _carried(
    layer: SourceLayer,
    whole: list[np.ndarray],
    biases: list[Fraction],
    multiple: int,
    unit: Fraction,
    largest: int,
    timesteps: int,
    neuron: Neuron,
    rounding: Fraction,
) -> bool:
    """Whether the source's floats carry every potential, as multiples of the lowest bit of all that is added."""
    values = [unit, *(Fraction(float(offset)) for offset in layer.offset if offset)]
    if layer.folded or any(value.denominator.bit_count() != 1 for value in values):
        return False
    lowest = min(Fraction(value.numerator & -value.numerator, value.denominator) for value in values)
    reach = max(int(np.abs(row).sum()) * largest + abs(bias) / multiple for row, bias in zip(whole, biases, strict=True))
    highest = reach * unit * timesteps * layer.spread
    return highest / lowest * 2 ** (neuron.shift * (timesteps - 1) + SPARE_BITS) <= 1 / rounding
