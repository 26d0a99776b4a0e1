"""A trained network as its own program computes it, in real numbers: what every importer gives.

An importer turns each module or node into an element, in order, and notes what it cannot read; the builder joins them to layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.network import (
    MEMBRANE_READOUTS,
    READOUTS,
    CurrentPool,
    Size,
    check_image,
    check_timesteps,
    image_shape,
    whole,
)
from duospike.reference.network import Pool as IntegerPool

from .elements import Element

IMPORTED_CODINGS = ("direct", "events", "frames")

FLOAT32, FLOAT64 = Fraction(1, 2**24), Fraction(1, 2**53)
"""Largest relative error of one rounding."""

MIN_SCALE, MAX_SCALE = Fraction(1, 2**64), 2**64
"""Of a step of a pixel: floats hold it and what 16 bits of it sum up to."""

NO_SHAPE = (0, 0, 0)
"""Of an image, where the network says it itself."""


@dataclass(frozen=True)
class Interface:
    """What is asked for of the images and the answer, where the network does not say it itself.

    input_shape: (channels, height, width). timesteps: T. classes: K, which divides the neurons of the last layer. What a network
    says itself is left out, NO_SHAPE or 0; without classes there is one for each group of its vote, or each of its last neurons.
    coding: direct, the image at every timestep; events, the input are spikes of each timestep; or frames, another image at each.
    image_scale: the real value of one step of a pixel: the source is trained on image_scale * x for integer pixels x of
    image_bits bits. With events both are 1. readout: one of the network's, or "": votes, or where the last layer has no neurons
    the sum of its currents over time.
    """

    input_shape: tuple[int, int, int] = NO_SHAPE
    timesteps: int = 0
    classes: int = 0
    coding: str = "direct"
    image_bits: int = 8
    image_signed: bool = False
    image_scale: Fraction = Fraction(1)
    readout: str = ""

    def __post_init__(self):
        for name in ("input_shape", "timesteps", "classes", "image_bits"):
            object.__setattr__(self, name, whole(getattr(self, name)))
        if self.coding not in IMPORTED_CODINGS:
            raise InputError(f"coding {brief(self.coding)} of an import; allowed: {', '.join(IMPORTED_CODINGS)}")
        self._check_scale()
        if self.coding == "events" and (self.image_bits, self.image_signed, self.image_scale) != (1, False, 1):
            raise InputError("events are unsigned pixels of 1 bit and scale 1")
        if self.readout not in ("", *READOUTS):
            raise InputError(f"read-out {brief(self.readout)}; allowed: {', '.join(READOUTS)}")
        if type(self.image_signed) is not bool:
            raise InputError(f"image_signed {brief(self.image_signed)}; allowed: True or False")
        check_image((1, 1, 1) if self.input_shape == NO_SHAPE else self.input_shape, self.image_bits)
        check_timesteps(self.timesteps or 1)
        if type(self.classes) is not int or self.classes < 0:
            raise InputError(f"{brief(self.classes)} classes; allowed: from 1 up")

    def _check_scale(self):
        """A scale that is a float is the fraction that it stands for."""
        scale = self.image_scale
        if not isinstance(scale, int | float | Fraction) or not MIN_SCALE <= scale <= MAX_SCALE:
            raise InputError(
                f"image scale {brief(scale)}; allowed: a fraction from {float(MIN_SCALE):.3g} to {float(MAX_SCALE):.3g}"
            )
        object.__setattr__(self, "image_scale", Fraction(scale))

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image, as Network.image_shape."""
        return image_shape(self.input_shape, self.timesteps, self.coding)


@dataclass(frozen=True, eq=False)
class SourceLayer:
    """Weights, what batch norm and the neuron's gain make of their sums, and the neuron.

    current = gain * (weights * input) + offset, pooled by current_pool where there is one (the sums before gain and offset, the
    largest after them), then v_t by `reset` and `betas`, one or [O], and a spike where v_t > threshold, or
    v_t >= threshold where `inclusive`. gain, offset, threshold: float64 [O]. size: magnitude [O] of the terms of the offset.
    folded: whether gain and offset are more than an exact product with the bias, so that the source rounds between.
    integers_below: as Weighted has it.
    roundings, spread: as Neurons has them. stride, padding: of a convolution. fires: whether it has neurons that spike;
    else its potentials are read.
    """

    name: str
    where: str
    weights: np.ndarray
    scale: np.ndarray | None
    gain: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    folded: bool
    reset: str
    betas: tuple[Fraction, ...]
    threshold: np.ndarray
    double_reset: bool
    inclusive: bool = False
    numbers: str = "weights"
    integers_below: int | None = None
    roundings: int = 4
    spread: int = 1
    stride: Size = (1, 1)
    padding: Size = (0, 0)
    current_pool: CurrentPool | None = None
    fires: bool = True

    def beta_of(self, output: int) -> Fraction:
        return self.betas[output if len(self.betas) > 1 else 0]

    @property
    def summed(self) -> int:
        """How many currents a neuron takes."""
        pool = self.current_pool
        return math.prod(pool.kernel) if pool and pool.op == "sum" else 1

    @property
    def title(self) -> str:
        return f"layer {self.name} ({self.where})"

    @property
    def outputs(self) -> int:
        return len(self.weights)


@dataclass(frozen=True, eq=False)
class Source:
    """Layers and pools in order. reasons: why it cannot become integers at all.

    rounding: largest relative error of one operation of the source; 0 where the source is meant in real numbers. elements: what
    the layers were joined from, in order.
    """

    interface: Interface
    layers: tuple[SourceLayer | IntegerPool, ...]
    reasons: tuple[str, ...]
    rounding: Fraction
    elements: tuple[Element, ...] = ()

    @property
    def reads_membranes(self) -> bool:
        """Whether the answer is the class of the largest potential."""
        return self.interface.readout in MEMBRANE_READOUTS

    def is_read(self, layer: SourceLayer) -> bool:
        """Whether it is the layer whose potentials are read."""
        return self.reads_membranes and layer is self.layers[-1]

    @property
    def weighted(self) -> list[SourceLayer]:
        """The layers without the pools."""
        return [layer for layer in self.layers if isinstance(layer, SourceLayer)]
