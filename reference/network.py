"""The description of a quantized spiking network in plain integers.

This is what training produces, what a model file stores and what the hardware is built from. It holds numpy integers
only: no torch, no scales. docs/reference/specification.md defines the arithmetic.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .coding import CODINGS, SPIKE_CODINGS, TIMED_CODINGS
from .errors import InputError, brief

RESETS = ("subtract", "subtract_delayed", "zero")
KERNELS = (1, 3, 5)
WEIGHT_BITS = range(2, 9)
IMAGE_BITS = range(1, 17)
TIMESTEPS = range(1, 1025)
LEAK_SHIFTS = range(0, 17)
MIN_MAP_SIZE = 3
MAX_NEURONS = 2**24
MAX_LAYERS = 256
MAX_WEIGHTS = 2**25
"""Of all layers together, twice those of the paper's VGG9."""
_NAME = re.compile(r"(conv|pool|fc)[1-9][0-9]{0,5}")


def check_name(name: str) -> None:
    """InputError: not the name of a layer."""
    if not _NAME.fullmatch(name):
        raise InputError(f"layer name {brief(name)}; allowed: conv, pool or fc and a number of up to 6 digits, such as conv1")


def check_names(names: Iterable[str]) -> None:
    """InputError: one is not the name of a layer, or two are the same."""
    for name, times in Counter(names).items():
        check_name(name)
        if times > 1:
            raise InputError(f"layer name {name!r} is used twice")


def check_count(layers: int) -> None:
    """InputError: more layers than a network may have."""
    if layers > MAX_LAYERS:
        raise InputError(f"{layers} layers; allowed: up to {MAX_LAYERS}")


def check_image(shape: tuple[int, ...], bits: int) -> None:
    """InputError: not the shape of an image, or not the bits of its pixels."""
    if bits not in IMAGE_BITS:
        raise InputError(f"image of {bits} bits; allowed: {IMAGE_BITS.start} to {IMAGE_BITS.stop - 1}")
    if len(shape) != 3 or min(shape) < 1:
        raise InputError(f"input shape {shape}; needs three positive sizes: channels, height, width")


def check_timesteps(timesteps: int) -> None:
    """InputError: more or fewer timesteps than a network may have."""
    if timesteps not in TIMESTEPS:
        raise InputError(f"{timesteps} timesteps; allowed: {TIMESTEPS.start} to {TIMESTEPS.stop - 1}")


def image_shape(input_shape: tuple[int, int, int], timesteps: int, coding: str) -> tuple[int, ...]:
    """Shape of one image: input_shape, or of what each timestep has of its own."""
    return (timesteps, *input_shape) if coding in TIMED_CODINGS else input_shape


def check_weights(count: int, last: str = "") -> None:
    """InputError: more weights than all layers of a network together may have. last: the layer up to which they are counted."""
    if count > MAX_WEIGHTS:
        raise InputError(f"{count} weights{last and f' up to layer {last}'}; allowed: up to {MAX_WEIGHTS}")


@dataclass(frozen=True)
class Neuron:
    """Leaky integrate-and-fire neuron with beta = multiplier / 2**shift, so leak(v) = (multiplier * v) >> shift.

    reset: one of RESETS, how a spike resets the membrane.
    """

    reset: str
    multiplier: int
    shift: int

    def __post_init__(self):
        if self.reset not in RESETS:
            raise InputError(f"neuron reset {brief(self.reset)} is unknown; allowed: {', '.join(RESETS)}")
        if self.shift not in LEAK_SHIFTS:
            raise InputError(f"leak shift {self.shift} is outside {LEAK_SHIFTS.start}..{LEAK_SHIFTS.stop - 1}")
        if not 0 <= self.multiplier <= 2**self.shift:
            raise InputError(f"leak multiplier {self.multiplier} is outside 0..{2**self.shift} (beta from 0 to 1)")

    @property
    def beta(self) -> float:
        return self.multiplier / 2**self.shift


@dataclass(frozen=True, eq=False)
class _Weighted:
    """What a convolution and a fully connected layer share.

    weights: int64, bias and theta: int64 [outputs], in units of the layer's accumulator.
    """

    name: str
    weights: np.ndarray
    bias: np.ndarray
    theta: np.ndarray
    weight_bits: int
    neuron: Neuron

    def __post_init__(self):
        for what in ("weights", "bias", "theta"):
            values = np.asarray(getattr(self, what))
            if values.dtype.kind not in "iu":
                raise InputError(f"layer {self.name}: {what} must be integers, got {values.dtype}")
            if values.dtype == np.uint64 and values.size and values.max() > np.iinfo(np.int64).max:
                raise InputError(f"layer {self.name}: {what} reaches {values.max()}; allowed: 64-bit signed integers")
            object.__setattr__(self, what, np.ascontiguousarray(values, dtype=np.int64))
        if self.weight_bits not in WEIGHT_BITS:
            raise InputError(
                f"layer {self.name}: weights of {self.weight_bits} bits; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}"
            )
        self._check_weights()
        for what in ("bias", "theta"):
            shape = getattr(self, what).shape
            if shape != (self.outputs,):
                raise InputError(f"layer {self.name}: {what} has shape {shape}, needs ({self.outputs},)")

    def _check_weights(self):
        limit = 2 ** (self.weight_bits - 1) - 1
        wrong = (self.weights > limit) | (self.weights < -limit)
        if wrong.any():
            at = tuple(int(i) for i in np.unravel_index(wrong.argmax(), wrong.shape))
            raise InputError(
                f"layer {self.name}: weight {self.weights[at]} at {at} is outside -{limit}..{limit} ({self.weight_bits} bits)"
            )

    @property
    def outputs(self) -> int:
        return self.weights.shape[0]


@dataclass(frozen=True, eq=False)
class Conv(_Weighted):
    """Convolution, stride 1, zero-padded to keep height and width: weights [outputs, channels, kernel, kernel]."""

    def __post_init__(self):
        shape = np.shape(self.weights)
        if len(shape) != 4 or shape[2] != shape[3] or shape[2] not in KERNELS or 0 in shape:
            raise InputError(f"layer {self.name}: weights of shape {shape}; needs [outputs, channels, k, k] with k in {KERNELS}")
        super().__post_init__()

    @property
    def kernel(self) -> int:
        return self.weights.shape[2]

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        channels, height, width = shape
        if self.weights.shape[1] != channels:
            raise InputError(f"layer {self.name}: weights take {self.weights.shape[1]} channels, its input has {channels}")
        if min(height, width) < MIN_MAP_SIZE:
            raise InputError(f"layer {self.name}: input map of {height}x{width}; the smallest is {MIN_MAP_SIZE}x{MIN_MAP_SIZE}")
        return self.outputs, height, width


@dataclass(frozen=True, eq=False)
class Linear(_Weighted):
    """Fully connected layer: weights [outputs, channels * height * width], its input flattened in that order."""

    def __post_init__(self):
        shape = np.shape(self.weights)
        if len(shape) != 2 or 0 in shape:
            raise InputError(f"layer {self.name}: weights of shape {shape}; needs [outputs, inputs]")
        super().__post_init__()

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        inputs = shape[0] * shape[1] * shape[2]
        if self.weights.shape[1] != inputs:
            raise InputError(f"layer {self.name}: weights take {self.weights.shape[1]} inputs, its input {shape} has {inputs}")
        return self.outputs, 1, 1


@dataclass(frozen=True)
class Pool:
    """OR over 2x2 spikes, stride 2; an odd last row or column is dropped, as torch's max_pool2d does."""

    name: str

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        channels, height, width = shape
        if min(height, width) < 2:
            raise InputError(f"layer {self.name}: cannot pool a map of {height}x{width}; it needs 2x2 or more")
        return channels, height // 2, width // 2


Layer = Conv | Linear | Pool
PREFIXES = {Conv: "conv", Linear: "fc", Pool: "pool"}
"""What the names of layers begin with."""


@dataclass(frozen=True, eq=False)
class Network:
    """A spiking network: how the image reaches it, and its layers.

    input_shape: (channels, height, width) of the image. image_bits, image_signed: type of a pixel.
    timesteps: how often each neuron may spike. coding: direct, the image meets the first layer at each timestep; rate, the
    image is turned into random spikes (coding.encode, with coding_seed); events, the input are spikes of each timestep; frames,
    another image meets the first layer at each timestep.
    classes: number of classes; neuron n of the last layer votes for class n // (outputs / classes).
    layers: a convolution (with direct coding and frames the dense layer), then any chain of convolutions and pools, then one or
    more Linear layers. Where the first layer takes spikes, Linear layers alone will do, too.
    metadata: where the network comes from (strings only); no part of the arithmetic.
    """

    input_shape: tuple[int, int, int]
    image_bits: int
    image_signed: bool
    timesteps: int
    classes: int
    layers: tuple[Layer, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    coding: str = "direct"
    coding_seed: int = 0

    def __post_init__(self):
        check_image(self.input_shape, self.image_bits)
        check_timesteps(self.timesteps)
        self._check_coding()
        check_count(len(self.layers))
        self._check_order()
        self._check_sizes()
        outputs = self.layers[-1].outputs
        if self.classes < 1 or outputs % self.classes:
            raise InputError(f"layer {self.layers[-1].name}: {outputs} neurons do not divide into {self.classes} classes")

    def _check_coding(self):
        if self.coding not in CODINGS:
            raise InputError(f"coding {self.coding!r} is unknown; allowed: {', '.join(CODINGS)}")
        if self.coding == "rate" and self.image_signed:
            raise InputError("rate coding of signed pixels; allowed: unsigned pixels")
        if self.coding == "events" and (self.image_bits != 1 or self.image_signed):
            raise InputError("events of more than one bit; allowed: unsigned pixels of 1 bit")
        if not 0 <= self.coding_seed < 2**32:
            raise InputError(f"coding seed {self.coding_seed}; allowed: 0 to 2^32 - 1")

    def _check_order(self):
        if not self.layers or isinstance(self.layers[0], Pool):
            raise InputError("the first layer must be a convolution, or with rate coding and events a fully connected layer")
        if isinstance(self.layers[0], Linear) and not self.takes_spikes:
            raise InputError(
                f"layer {self.layers[0].name}: a fully connected layer takes no pixels; the first layer must be a convolution, "
                "or the coding rate or events"
            )
        if not isinstance(self.layers[-1], Linear):
            raise InputError("the last layer must be fully connected: its neurons vote for the classes")
        check_names(layer.name for layer in self.layers)
        for layer in self.layers:
            if layer.name.rstrip("0123456789") != PREFIXES[type(layer)]:
                raise InputError(f"layer name {layer.name!r}; allowed: {PREFIXES[type(layer)]} and a number, after its kind")
        first_linear = next(i for i, layer in enumerate(self.layers) if isinstance(layer, Linear))
        for before, layer in zip(self.layers[first_linear:], self.layers[first_linear + 1 :], strict=False):
            if not isinstance(layer, Linear):
                raise InputError(f"layer {layer.name}: only fully connected layers may follow {before.name}")

    def _check_sizes(self):
        check_weights(sum(layer.weights.size for layer in self.layers if not isinstance(layer, Pool)))
        names = ["input", *(f"layer {layer.name}" for layer in self.layers)]
        for name, shape in zip(names, self.shapes, strict=True):
            if math.prod(shape) > MAX_NEURONS:
                sizes = "x".join(map(str, shape))
                raise InputError(f"{name}: map of {sizes}, {math.prod(shape)} values; allowed: up to {MAX_NEURONS}")

    @cached_property
    def shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Shape (channels, height, width) of every layer's input, and at the end of the last layer's output."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    @property
    def takes_spikes(self) -> bool:
        """Whether the first layer takes spikes; else it is the dense layer, which takes pixels."""
        return self.coding in SPIKE_CODINGS

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image: input_shape, or of its events or frames at all timesteps."""
        return image_shape(self.input_shape, self.timesteps, self.coding)

    @property
    def pixel_range(self) -> tuple[int, int]:
        """Smallest and largest pixel value."""
        if self.image_signed:
            return -(2 ** (self.image_bits - 1)), 2 ** (self.image_bits - 1) - 1
        return 0, 2**self.image_bits - 1

    @property
    def input_range(self) -> tuple[int, int]:
        """Smallest and largest value that the first layer takes: of a pixel, or of a spike."""
        return (0, 1) if self.takes_spikes else self.pixel_range

    def check_images(self, images: np.ndarray) -> np.ndarray:
        """Return `images` as int64, or raise InputError if the network cannot take them.

        images: [count, channels, height, width], or with events and frames [count, timesteps, channels, height, width].
        """
        images = np.asarray(images)
        self.require_fit(images)
        return images.astype(np.int64)

    def require_fit(self, images: np.ndarray) -> None:
        """InputError: the network cannot take one of the images, as check_images, without a copy of them."""
        if images.dtype.kind not in "iu":
            raise InputError(f"images must be integers, got {images.dtype}")
        if images.ndim < 1 or images.shape[1:] != self.image_shape:
            timed = f": {self.timesteps} timesteps an image" if self.coding in TIMED_CODINGS else ""
            raise InputError(f"images of shape {images.shape}; needs [count, {', '.join(map(str, self.image_shape))}]{timed}")
        low, high = self.pixel_range
        if images.size and (images.min() < low or images.max() > high):
            raise InputError(f"pixels from {images.min()} to {images.max()}; the network needs {low}..{high}")
