"""Finding the grid on which a channel's weights already lie: whole numbers times one step."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from duospike.reference.network import WEIGHT_BITS

from .source import FLOAT32, FLOAT64

MAX_STEPS = 2 ** (WEIGHT_BITS.stop - 2) - 1
"""Largest magnitude of an integer weight: 127."""

WEIGHT_ROUNDINGS = 16
"""Roundings that may lie between a source's weight and its whole multiple of the step."""

STEP_ROUNDINGS = 4
"""Roundings that finding the step adds."""


@dataclass(frozen=True, eq=False)
class Grid:
    """weights[i] is steps[i] * step, off by at most error * |weights[i]|; with error 0 exactly so, and step is a float's value.

    steps: int64, 0 if and only if the weight is.
    """

    steps: np.ndarray
    step: Fraction
    error: Fraction


def find_grid(weights: np.ndarray, scale: float | None = None) -> Grid | None:
    """The coarsest grid of up to MAX_STEPS steps on either side that holds one channel's weights, or None.

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
        for step in [largest / count for count in range(1, MAX_STEPS + 1)] if scale is None else [scale]:
            steps = _steps(weights, step, rounding)
            if steps is not None and np.abs(steps).max() <= MAX_STEPS:
                return Grid(steps, Fraction(float(step)), (WEIGHT_ROUNDINGS + STEP_ROUNDINGS) * rounding)
    return None


def steps_needed(weights: np.ndarray, scale: float | None = None) -> int | None:
    """How many steps a channel's weights have on either side if they lie on a grid that is too fine, else None."""
    whole = _whole(weights)
    exact = None if whole is None else int(np.abs(whole[0]).max())
    steps = None if scale is None else _steps(weights, scale, FLOAT32)
    if steps is not None and (exact is None or exact > np.abs(steps).max()):
        exact = int(np.abs(steps).max())
    return exact if exact is not None and exact < 2**15 else None


def _steps(weights: np.ndarray, step: float, rounding: Fraction) -> np.ndarray | None:
    """The whole multiples of a step that weights are up to WEIGHT_ROUNDINGS roundings, int64, else None."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        real = weights / step
    if not (np.abs(real) < 2**31).all():
        return None
    steps = np.rint(real)
    near = np.abs(real - steps) <= float(WEIGHT_ROUNDINGS * rounding) * np.abs(real)
    return steps.astype(np.int64) if near.all() and ((steps != 0) == (weights != 0)).all() else None


def _exact_grid(weights: np.ndarray) -> Grid | None:
    found = _whole(weights)
    if found is None or np.abs(found[0]).max() > MAX_STEPS:
        return None
    return Grid(found[0], found[1], Fraction(0))


def _whole(weights: np.ndarray) -> tuple[np.ndarray, Fraction] | None:
    """Weights as whole multiples of the largest step that divides them all; None if they spread too far for int64."""
    mantissas, exponents = np.frexp(weights[weights != 0])
    whole = [int(m * 2.0**53) for m in mantissas]
    lowest = min(int(e) - 53 + ((m & -m).bit_length() - 1) for m, e in zip(whole, exponents, strict=True))
    if int(exponents.max()) - lowest > 62:
        return None
    integers = np.ldexp(weights, -lowest).astype(np.int64)
    divisor = int(np.gcd.reduce(integers))
    return integers // divisor, Fraction(divisor) * Fraction(2) ** lowest
