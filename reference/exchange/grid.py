"""Finding the grid on which a channel's weights already lie: whole numbers times one step."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..network import WEIGHT_BITS
from .source import FLOAT32, FLOAT64

MOST_STEPS = 2 ** (WEIGHT_BITS.stop - 2) - 1
"""Largest magnitude of an integer weight: 127."""

SLACK = 16
"""Roundings that may lie between a source's weight and its whole multiple of the step."""


@dataclass(frozen=True, eq=False)
class Grid:
    """weights[i] is steps[i] * step, off by at most error * |weights[i]|; with error 0 exactly so, and step is a float's value.

    steps: int64, 0 if and only if the weight is.
    """

    steps: np.ndarray
    step: Fraction
    error: Fraction


def find_grid(weights: np.ndarray, scale: float | None = None) -> Grid | None:
    """The coarsest grid of up to MOST_STEPS steps on either side that holds one channel's weights, or None.

    weights: float64 [inputs]. scale: the step, where the source knows it.
    Float weights are fractions over powers of two, so if they have a common step of that kind it is their greatest common
    divisor, and the grid is exact. A step that is no such fraction leaves each weight rounded by its float type, and is found by
    trying 1, 2, 3, ... steps for the largest weight.
    """
    if not weights.any():
        return Grid(np.zeros(weights.shape, dtype=np.int64), Fraction(1), Fraction(0))
    exact = _exact_grid(weights)
    if exact is not None:
        return exact
    largest = np.abs(weights).max()
    for rounding in (FLOAT64, FLOAT32):
        counts = range(1, MOST_STEPS + 1) if scale is None else [round(largest / scale)]
        for count in counts:
            if not 1 <= count <= MOST_STEPS:
                continue
            real = weights * (count / largest)
            steps = np.rint(real)
            if (np.abs(real - steps) <= float(SLACK * rounding) * np.abs(real)).all():
                step = Fraction(float(largest)) / count if scale is None else Fraction(float(scale))
                return Grid(steps.astype(np.int64), step, SLACK * rounding)
    return None


def _exact_grid(weights: np.ndarray) -> Grid | None:
    mantissas, exponents = np.frexp(weights[weights != 0])
    whole = [int(m * 2.0**53) for m in mantissas]
    lowest = min(int(e) - 53 + ((m & -m).bit_length() - 1) for m, e in zip(whole, exponents, strict=True))
    if int(exponents.max()) - lowest > 62:
        return None
    integers = np.ldexp(weights, -lowest).astype(np.int64)
    divisor = int(np.gcd.reduce(integers))
    steps = integers // divisor
    if np.abs(steps).max() > MOST_STEPS:
        return None
    return Grid(steps, Fraction(divisor) * Fraction(2) ** lowest, Fraction(0))
