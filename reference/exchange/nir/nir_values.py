"""Numbers of NIR nodes: checked, laid along the axes of the neurons, and read through their rounding."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from duospike.reference.exchange.axes import along_neurons, of_channels
from duospike.reference.exchange.source import FLOAT32, FLOAT64
from duospike.reference.network import LEAK_SHIFTS

from .nir_graph import Node

MAX_ROUNDINGS = 8
"""Roundings that a fraction written into a graph may have gone through."""

MAX_RELATIVE_ROUNDING = Fraction(1, 2**16)
"""Largest rounding of a number in steps of the fraction that it is compared with: beyond it a match may be chance."""

MAX_MAGNITUDE = 10.0**50
"""Largest magnitude of a number, and 1/MAX_MAGNITUDE the smallest but 0: no product or quotient of a few leaves float64."""


class UnfitError(Exception):
    """What a node is refused for; each reason begins with the parameter's name."""

    def __init__(self, reasons: list[str]):
        super().__init__(*reasons)
        self.reasons = reasons


def numbers(node: Node, *names: str) -> list[np.ndarray]:
    """Parameters of a node, float64. UnfitError, with all reasons: missing, no finite numbers, or float64 does not hold them."""
    return collected([partial(_numbers, node, name) for name in names])


def collected(readers: list[Callable[[], Any]]) -> list[Any]:
    """What all readers return. UnfitError: the reasons of all readers that raise it."""
    found, reasons = [], []
    for read in readers:
        try:
            found.append(read())
        except UnfitError as unfit:
            reasons += unfit.reasons
    if reasons:
        raise UnfitError(reasons)
    return found


def _stored(node: Node, name: str) -> np.ndarray:
    value = node.values.get(name)
    if value is None:
        raise UnfitError([f"{name} is missing"])
    try:
        return np.asarray(value)
    except Exception:  # an array can be made of almost anything, and what cannot fails in many ways
        raise UnfitError([f"{name} is a {type(value).__name__}; needs numbers"]) from None


def _numbers(node: Node, name: str) -> np.ndarray:
    stored = _stored(node, name)
    if stored.dtype.kind not in "fiu" or stored.dtype == np.float16:
        raise UnfitError([f"{name} is of type {stored.dtype}; allowed: float32, float64 and whole numbers"])
    if not stored.size:
        raise UnfitError([f"{name} has shape {stored.shape}; needs one number or more"])
    if not np.isfinite(stored).all():
        raise UnfitError([f"{name} is not finite: {stored[~np.isfinite(stored)].reshape(-1)[0]}"])
    values = stored.astype(np.float64)
    sizes = np.abs(values[values != 0])
    if sizes.size and not (sizes.min() >= 1 / MAX_MAGNITUDE and sizes.max() <= MAX_MAGNITUDE):
        wrong = sizes.max() if sizes.max() > MAX_MAGNITUDE else sizes.min()
        raise UnfitError([f"{name} reaches {wrong:.3g}; allowed: 0, and magnitudes from 1e-50 to 1e50"])
    if stored.dtype.kind != "f" and np.abs(values).max() >= 2**53 or stored.dtype.itemsize > 8:
        raise UnfitError([f"{name} of type {stored.dtype} reaches {values.max():.17g}; allowed: what float64 holds exactly"])
    return values


def whole(node: Node, name: str, count: int) -> tuple[int, ...]:
    """`count` whole numbers, or one that holds for all. UnfitError: they are no such numbers."""
    stored = _stored(node, name)
    if stored.dtype.kind not in "iu" or stored.size not in (1, count) or stored.ndim > 1:
        needed = "a whole number" if count == 1 else f"one whole number, or {count}"
        raise UnfitError([f"{name} is {_brief(stored)}; needs {needed}"])
    return tuple(int(value) for value in np.broadcast_to(stored.reshape(-1), (count,)))


def _brief(stored: np.ndarray) -> str:
    return repr(stored.item())[:40] if stored.size == 1 else f"of type {stored.dtype} and shape {stored.shape}"


def rounding_of(node: Node, *names: str) -> Fraction:
    """The largest relative rounding of stored parameters that `numbers` has read."""
    coarse = any(np.asarray(node.values[name]).dtype == np.float32 for name in names)
    return FLOAT32 if coarse else FLOAT64


def per_output(name: str, values: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    """A number, or one for each output [O], of a parameter laid along neurons of a shape [O, H, W] or [O] as numpy broadcasts.

    shape: None where it is not known, and all values are equal. UnfitError: the parameter does not lie along the neurons, or
    differs among those of a channel.
    """
    if shape is None:
        return values.reshape(-1)[0].reshape(())
    laid = fitting(name, values, shape)
    if (values == values.reshape(-1)[0]).all():
        return values.reshape(-1)[0].reshape(())
    found = of_channels(laid)
    if found is None:
        several = f"{name} has several values within a channel, laid along neurons of {shape} by its last axis; allowed: one"
        raise UnfitError([several])
    return found


def fitting(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A parameter as an array of the neurons' shape. UnfitError: numpy does not broadcast it to the shape."""
    laid = along_neurons(values, shape)
    if laid is None:
        raise UnfitError([f"{name} has shape {values.shape}; allowed: what numpy broadcasts to the neurons' {shape}"])
    return laid


def near_fraction(value: Fraction | float, rounding: Fraction, slack: Callable[[Fraction], Fraction] | None = None) -> Fraction:
    """The m/2^k of smallest k that equals a value up to a few roundings of 1 - value; else the value itself.

    rounding: largest relative error of what the value was computed from. slack: in place of 1 - value, what was rounded.
    """
    slack = slack or (lambda near: abs(1 - near))
    value = Fraction(value)
    for shift in LEAK_SHIFTS:
        near = Fraction(round(value * 2**shift), 2**shift)
        size = slack(near)
        if rounding * 2**shift * max(Fraction(1), size) > MAX_RELATIVE_ROUNDING:
            break
        if abs(value - near) <= MAX_ROUNDINGS * (rounding * size + FLOAT64 * min(Fraction(1), abs(near))):
            return near
    return value


def near_gain(value: Fraction, rounding: Fraction) -> Fraction:
    """The m/2^k of smallest k that equals a factor up to a few of its own roundings; else the factor itself."""
    return near_fraction(value, rounding, abs)
