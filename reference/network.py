"""The description of a quantized spiking network in plain integers.

This is what training produces, what a model file stores and what the hardware is built from. It holds numpy integers
only: no torch, no scales. docs/reference/specification.md defines the arithmetic.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from .coding import CODINGS, SPIKE_CODINGS, TIMED_CODINGS
from .errors import InputError, brief

RESETS = ("subtract", "subtract_delayed", "zero", "none")
READOUTS = ("count", "first_spike", "last_membrane", "max_membrane")
MEMBRANE_READOUTS = ("last_membrane", "max_membrane")
"""Those whose scores are potentials, one neuron for each class; the others look at spikes."""
KERNELS = range(1, 8)
"""Rows, and columns, that a kernel may have."""
CURRENT_POOLS = ("max", "sum")
POOLS = ("or", "sum")
WEIGHT_BITS = range(2, 9)
IMAGE_BITS = range(1, 17)
TIMESTEPS = range(1, 1025)
LEAK_SHIFTS = range(0, 17)
MAX_NEURONS = 2**24
MAX_LAYERS = 256
MAX_WEIGHTS = 2**25
"""Of all layers together, twice those of the paper's VGG9."""
Size = tuple[int, int]
"""Rows and columns."""
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


def whole(value: Any) -> Any:
    """A whole number of any type, numpy's too, as an int, and several in a tuple or list as a tuple; all else as it is."""
    if isinstance(value, tuple | list):
        return tuple(map(whole, value))
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else value


def is_in(value: object, allowed: range) -> bool:
    """Whether a value is a whole number of a range; 4.0 is none."""
    return type(value) is int and value in allowed


def check_image(shape: tuple[int, ...], bits: int) -> None:
    """InputError: not the shape of an image, or not the bits of its pixels."""
    if not is_in(bits, IMAGE_BITS):
        raise InputError(f"image of {brief(bits)} bits; allowed: {IMAGE_BITS.start} to {IMAGE_BITS.stop - 1}")
    if not (isinstance(shape, tuple) and len(shape) == 3 and all(type(size) is int and size >= 1 for size in shape)):
        raise InputError(f"input shape {brief(shape)}; needs three positive sizes: channels, height, width")


def check_timesteps(timesteps: int) -> None:
    """InputError: more or fewer timesteps than a network may have."""
    if not is_in(timesteps, TIMESTEPS):
        raise InputError(f"{brief(timesteps)} timesteps; allowed: {TIMESTEPS.start} to {TIMESTEPS.stop - 1}")


def image_shape(input_shape: tuple[int, int, int], timesteps: int, coding: str) -> tuple[int, ...]:
    """Shape of one image: input_shape, or of what each timestep has of its own."""
    return (timesteps, *input_shape) if coding in TIMED_CODINGS else input_shape


def check_weights(count: int, last: str = "") -> None:
    """InputError: more weights than all layers of a network together may have. last: the layer up to which they are counted."""
    if count > MAX_WEIGHTS:
        raise InputError(f"{count} weights{last and f' up to layer {last}'}; allowed: up to {MAX_WEIGHTS}")


def shown_size(size: Size) -> str:
    """As messages write it: 3x5."""
    return f"{size[0]}x{size[1]}"


def _check_sizes_of(name: str, low: int, **sizes: object) -> None:
    """InputError: one of the sizes is not two integers from `low` up."""
    for what, size in sizes.items():
        if not (isinstance(size, tuple) and len(size) == 2 and all(type(n) is int and n >= low for n in size)):
            raise InputError(f"layer {name}: {what} {brief(size)}; allowed: rows and columns, two integers from {low} up")


@dataclass(frozen=True)
class Neuron:
    """Leaky integrate-and-fire neuron with beta = multiplier / 2**shift, so leak(v) = (multiplier * v) >> shift.

    reset: one of RESETS, how a spike resets the membrane. multiplier: one integer, or a tuple with one for each output channel
    or neuron of the layer.
    """

    reset: str
    multiplier: int | tuple[int, ...]
    shift: int

    def __post_init__(self):
        if self.reset not in RESETS:
            raise InputError(f"neuron reset {brief(self.reset)} is unknown; allowed: {', '.join(RESETS)}")
        for name in ("multiplier", "shift"):
            object.__setattr__(self, name, whole(getattr(self, name)))
        if not is_in(self.shift, LEAK_SHIFTS):
            raise InputError(f"leak shift {brief(self.shift)} is outside {LEAK_SHIFTS.start}..{LEAK_SHIFTS.stop - 1}")
        for multiplier in self.multiplier if isinstance(self.multiplier, tuple) else (self.multiplier,):
            if not is_in(multiplier, range(2**self.shift + 1)):
                raise InputError(f"leak multiplier {brief(multiplier)} is outside 0..{2**self.shift} (beta from 0 to 1)")

    @property
    def multipliers(self) -> np.ndarray:
        """The multipliers as int64 that meets [outputs]: [outputs], or [1] for all of them."""
        return np.array(self.multiplier if isinstance(self.multiplier, tuple) else (self.multiplier,), dtype=np.int64)

    @property
    def fraction(self) -> Fraction:
        """beta, where the layer has one."""
        assert isinstance(self.multiplier, int)
        return Fraction(self.multiplier, 2**self.shift)

    @property
    def beta(self) -> float:
        """The same as a float."""
        return float(self.fraction)

    def of_output(self, output: int) -> Neuron:
        """The neuron of one output."""
        return self if isinstance(self.multiplier, int) else replace(self, multiplier=self.multiplier[output])


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
        object.__setattr__(self, "weight_bits", whole(self.weight_bits))
        if not is_in(self.weight_bits, WEIGHT_BITS):
            bits = brief(self.weight_bits)
            raise InputError(f"layer {self.name}: weights of {bits} bits; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
        self._check_weights()
        for what in ("bias", "theta"):
            shape = getattr(self, what).shape
            if shape != (self.outputs,):
                raise InputError(f"layer {self.name}: {what} has shape {shape}, needs ({self.outputs},)")
        if isinstance(self.neuron.multiplier, tuple) and len(self.neuron.multiplier) != self.outputs:
            raise InputError(
                f"layer {self.name}: {len(self.neuron.multiplier)} leak multipliers; needs one, or one for each of "
                f"{self.outputs} outputs"
            )

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

    @property
    def summed(self) -> int:
        """How many currents, each with the bias, a neuron takes: more than one where a convolution sums them over windows."""
        return 1


@dataclass(frozen=True)
class CurrentPool:
    """Pooling of a convolution's currents, before its neurons, over windows side by side.

    op: max or sum. kernel: rows and columns of a window; an incomplete last one is dropped.
    """

    op: str
    kernel: Size

    def output_size(self, name: str, size: Size) -> Size:
        """Height and width of what is left of a map of that size. InputError: no window fits."""
        return _windows(name, "current pool", size, self.kernel, self.kernel, (0, 0))


def window_counts(size: Size, kernel: Size, stride: Size, padding: Size) -> Size:
    """How many whole windows a map has down and across; below 1 where a window is larger than the map with its padding."""
    rows, columns = (
        (length + 2 * edge - width) // step + 1 for length, width, step, edge in zip(size, kernel, stride, padding, strict=True)
    )
    return rows, columns


def _windows(name: str, what: str, size: Size, kernel: Size, stride: Size, padding: Size) -> Size:
    """How many windows a map has down and across. InputError: none, since a window is larger than the padded map."""
    counts = window_counts(size, kernel, stride, padding)
    if min(counts) < 1:
        raise InputError(
            f"layer {name}: {what} {shown_size(kernel)} is larger than its input map of {shown_size(size)}"
            + (f" with padding {shown_size(padding)}" if any(padding) else "")
        )
    return counts


@dataclass(frozen=True, eq=False)
class Conv(_Weighted):
    """Convolution: weights [outputs, channels, kernel rows, kernel columns].

    stride, padding: as torch.nn.functional.conv2d has them, rows and columns. padding None: (kernel - 1) // 2, which keeps
    height and width where the kernel is odd and the stride 1. current_pool: pooling of the currents before the neurons.
    """

    stride: Size = (1, 1)
    padding: Size = None  # type: ignore[assignment]  # None until __post_init__
    current_pool: CurrentPool | None = None

    def __post_init__(self):
        shape = np.shape(self.weights)
        if len(shape) != 4 or shape[2] not in KERNELS or shape[3] not in KERNELS or 0 in shape:
            raise InputError(
                f"layer {self.name}: weights of shape {shape}; needs [outputs, channels, rows, columns] with "
                f"{KERNELS.start} to {KERNELS.stop - 1} rows and columns"
            )
        super().__post_init__()
        if self.padding is None:
            object.__setattr__(self, "padding", ((shape[2] - 1) // 2, (shape[3] - 1) // 2))
        _check_sizes_of(self.name, 1, stride=self.stride)
        _check_sizes_of(self.name, 0, padding=self.padding)
        most = ((shape[2] - 1) // 2, (shape[3] - 1) // 2)
        if self.padding[0] > most[0] or self.padding[1] > most[1]:
            raise InputError(
                f"layer {self.name}: padding {shown_size(self.padding)}; allowed: up to {shown_size(most)} for a kernel of "
                f"{shown_size(self.kernel)}"
            )
        if self.current_pool is not None:
            if self.current_pool.op not in CURRENT_POOLS:
                op = brief(self.current_pool.op)
                raise InputError(f"layer {self.name}: current pool {op} is unknown; allowed: {', '.join(CURRENT_POOLS)}")
            _check_sizes_of(self.name, 1, **{"current pool": self.current_pool.kernel})

    @property
    def kernel(self) -> Size:
        """Rows and columns of the kernel."""
        return self.weights.shape[2], self.weights.shape[3]

    @property
    def summed(self) -> int:
        pool = self.current_pool
        return math.prod(pool.kernel) if pool and pool.op == "sum" else 1

    @property
    def is_plain(self) -> bool:
        """Whether height and width stay: stride 1, padding of half an odd kernel, no pooling of the currents."""
        same = (self.kernel[0] // 2, self.kernel[1] // 2)
        return (
            self.stride == (1, 1)
            and self.padding == same
            and self.kernel[0] % 2 == self.kernel[1] % 2 == 1
            and not self.current_pool
        )

    def inner_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Shape (outputs, height, width) of the currents for an input of that shape, before they are pooled."""
        channels, height, width = shape
        if self.weights.shape[1] != channels:
            raise InputError(f"layer {self.name}: weights take {self.weights.shape[1]} channels, its input has {channels}")
        return self.outputs, *self.current_size((height, width))

    def current_size(self, size: Size) -> Size:
        """Height and width of the currents for an input of that height and width, before they are pooled."""
        return _windows(self.name, "kernel", size, self.kernel, self.stride, self.padding)

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Shape (outputs, height, width) of the neurons."""
        outputs, height, width = self.inner_shape(shape)
        if self.current_pool:
            height, width = self.current_pool.output_size(self.name, (height, width))
        return outputs, height, width


@dataclass(frozen=True, eq=False)
class Linear(_Weighted):
    """Fully connected layer: weights [outputs, channels * height * width], its input flattened in that order."""

    def __post_init__(self):
        shape = np.shape(self.weights)
        if len(shape) != 2 or 0 in shape:
            raise InputError(f"layer {self.name}: weights of shape {shape}; needs [outputs, inputs]")
        super().__post_init__()

    def inner_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """The shape of its input, as it is."""
        return shape

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        inputs = shape[0] * shape[1] * shape[2]
        if self.weights.shape[1] != inputs:
            raise InputError(f"layer {self.name}: weights take {self.weights.shape[1]} inputs, its input {shape} has {inputs}")
        return self.outputs, 1, 1


@dataclass(frozen=True)
class Pool:
    """Pooling of spikes; an incomplete last window is dropped, as torch's max_pool2d does.

    op: "or", of the spikes of any window, as max_pool2d; "sum", which the next layer takes as numbers: the windows lie side by
    side, without padding. kernel, stride, padding: rows and columns; stride None: kernel.
    """

    name: str
    op: str = "or"
    kernel: Size = (2, 2)
    stride: Size = None  # type: ignore[assignment]  # None until __post_init__
    padding: Size = (0, 0)

    def __post_init__(self):
        if self.op not in POOLS:
            raise InputError(f"layer {self.name}: pooling {brief(self.op)} is unknown; allowed: {', '.join(POOLS)}")
        if self.stride is None:
            object.__setattr__(self, "stride", self.kernel)
        _check_sizes_of(self.name, 1, window=self.kernel, stride=self.stride)
        _check_sizes_of(self.name, 0, padding=self.padding)
        most = (self.kernel[0] // 2, self.kernel[1] // 2)
        if self.padding[0] > most[0] or self.padding[1] > most[1]:
            raise InputError(
                f"layer {self.name}: padding {shown_size(self.padding)}; allowed: up to {shown_size(most)} for a window of "
                f"{shown_size(self.kernel)}"
            )
        if self.op == "sum" and (self.stride != self.kernel or self.padding != (0, 0)):
            raise InputError(
                f"layer {self.name}: sums of windows {shown_size(self.kernel)} with stride {shown_size(self.stride)} and padding "
                f"{shown_size(self.padding)}; allowed: windows side by side, without padding"
            )

    @property
    def is_plain(self) -> bool:
        """Whether it is the OR of 2x2 spikes, stride 2."""
        return self == Pool(self.name)

    def inner_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Shape of its input with the padding."""
        channels, height, width = shape
        return channels, height + 2 * self.padding[0], width + 2 * self.padding[1]

    def output_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        channels, height, width = shape
        return channels, *_windows(self.name, "window", (height, width), self.kernel, self.stride, self.padding)


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
    layers: any chain of convolutions and pools, or none, then one or more Linear layers. With direct coding and frames the first
    one, which is no pool, is the dense layer.
    metadata: where the network comes from (strings only); no part of the arithmetic.
    readout: one of READOUTS, what gives the score of a class: its votes, how early it spikes first, or the potential of its one
    neuron, the last or the largest. The answer is the smallest class of the highest score.
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
    readout: str = "count"

    def __post_init__(self):
        for name in ("input_shape", "image_bits", "timesteps", "classes", "coding_seed"):
            object.__setattr__(self, name, whole(getattr(self, name)))
        check_image(self.input_shape, self.image_bits)
        check_timesteps(self.timesteps)
        self._check_coding()
        check_count(len(self.layers))
        self._check_order()
        self._check_sizes()
        outputs = self.layers[-1].outputs
        if type(self.classes) is not int or self.classes < 1 or outputs % self.classes:
            raise InputError(f"layer {self.layers[-1].name}: {outputs} neurons do not divide into {brief(self.classes)} classes")
        self._check_readout(outputs)

    def _check_readout(self, outputs: int):
        if self.readout not in READOUTS:
            raise InputError(f"read-out {brief(self.readout)} is unknown; allowed: {', '.join(READOUTS)}")
        if self.reads_membranes and outputs != self.classes:
            raise InputError(
                f"layer {self.layers[-1].name}: {outputs} neurons for {self.classes} classes; allowed: one for each with the "
                f"read-out {self.readout}"
            )

    def _check_coding(self):
        if self.coding not in CODINGS:
            raise InputError(f"coding {brief(self.coding)} is unknown; allowed: {', '.join(CODINGS)}")
        if self.coding == "rate" and self.image_signed:
            raise InputError("rate coding of signed pixels; allowed: unsigned pixels")
        if self.coding == "events" and (self.image_bits != 1 or self.image_signed):
            raise InputError("events of more than one bit; allowed: unsigned pixels of 1 bit")
        if type(self.image_signed) is not bool:
            raise InputError(f"image_signed {brief(self.image_signed)}; allowed: True or False")
        if not is_in(self.coding_seed, range(2**32)):
            raise InputError(f"coding seed {brief(self.coding_seed)}; allowed: 0 to 2^32 - 1")

    def _check_order(self):
        if not self.layers:
            raise InputError("no layers")
        if isinstance(self.layers[0], Pool) and not self.takes_spikes:
            raise InputError(
                f"layer {self.layers[0].name}: a pool takes no pixels; the first layer must be a convolution or fully connected"
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
        for before, layer in pairwise(self.layers):
            if isinstance(before, Pool) and before.op == "sum" and isinstance(layer, Pool):
                raise InputError(
                    f"layer {layer.name}: a pool of sums of spikes; allowed: a layer with neurons after {before.name}"
                )

    def _check_sizes(self):
        check_weights(sum(layer.weights.size for layer in self.layers if not isinstance(layer, Pool)))
        names = ["input", *(f"layer {layer.name}" for layer in self.layers)]
        within = [layer.inner_shape(shape) for layer, shape in zip(self.layers, self.shapes, strict=False)]
        for name, shape in [*zip(names, self.shapes, strict=True), *zip(names[1:], within, strict=True)]:
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
    def reads_membranes(self) -> bool:
        """Whether the scores are potentials, of a last layer whose spikes nobody reads."""
        return self.readout in MEMBRANE_READOUTS

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
        return self.input_ranges[0]

    @property
    def input_ranges(self) -> tuple[tuple[int, int], ...]:
        """Smallest and largest value that each layer takes: of a pixel, a spike, or a sum of spikes."""
        ranges = [(0, 1) if self.takes_spikes else self.pixel_range]
        for layer in self.layers[:-1]:
            ranges.append((0, math.prod(layer.kernel) if isinstance(layer, Pool) and layer.op == "sum" else 1))
        return tuple(ranges)

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
