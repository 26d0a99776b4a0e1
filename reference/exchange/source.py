"""A trained network as its own program computes it, in real numbers: what every importer gives.

An importer turns each module or node into an element, in order, and notes what it cannot read. `Builder` joins the elements
to layers and notes what the hardware's order of layers does not allow. Nothing is refused before everything has been looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from duospike.reference.errors import InputError
from duospike.reference.network import KERNELS, MAX_WEIGHTS, RESETS, check_image, check_timesteps
from duospike.reference.network import Pool as IntegerPool

from .refusal import by_option, not_in_hardware

FLOAT32, FLOAT64 = Fraction(1, 2**24), Fraction(1, 2**53)
"""Largest relative error of one rounding."""

NO_SHAPE = (0, 0, 0)
"""Of an image, where the network says it itself."""


@dataclass(frozen=True)
class Interface:
    """What is asked for of the images and the answer, where the network does not say it itself.

    input_shape: (channels, height, width). timesteps: T. classes: K, which divides the neurons of the last layer. What a network
    says itself is left out, NO_SHAPE or 0; without classes there is one for each group of its vote, or each of its last neurons.
    coding: direct, the image at every timestep; or events, the input are spikes of each timestep.
    image_scale: the real value of one step of a pixel: the source is trained on image_scale * x for integer pixels x of
    image_bits bits. With events both are 1.
    """

    input_shape: tuple[int, int, int] = NO_SHAPE
    timesteps: int = 0
    classes: int = 0
    coding: str = "direct"
    image_bits: int = 8
    image_signed: bool = False
    image_scale: Fraction = Fraction(1)

    def __post_init__(self):
        if self.coding not in ("direct", "events"):
            raise InputError(f"coding {self.coding!r} of an import; allowed: direct, events")
        if self.coding == "events" and (self.image_bits, self.image_signed, self.image_scale) != (1, False, 1):
            raise InputError("events are unsigned pixels of 1 bit and scale 1")
        if self.image_scale <= 0:
            raise InputError(f"image scale {self.image_scale}; allowed: above 0")
        check_image((1, 1, 1) if self.input_shape == NO_SHAPE else self.input_shape, self.image_bits)
        check_timesteps(self.timesteps or 1)
        if self.classes < 0:
            raise InputError(f"{self.classes} classes; allowed: from 1 up")


@dataclass(frozen=True, eq=False)
class Weighted:
    """A convolution [O, C, K, K] or a fully connected layer [O, I], with its bias [O], all float64.

    scale: the steps of the weights [O] where the source knows them, else None. fits: False if the size of its output is
    not that of the hardware's convolution, which has been noted. numbers: what the source calls its weights. divisor: of the
    products' sum, without the bias.
    """

    where: str
    weights: np.ndarray
    bias: np.ndarray
    scale: np.ndarray | None = None
    fits: bool = True
    numbers: str = "weights"
    divisor: int = 1


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch norm in evaluation: gain * x + offset, each [O]. size: magnitude [O] of the terms that give the offset."""

    where: str
    gain: np.ndarray
    offset: np.ndarray
    size: np.ndarray


@dataclass(frozen=True, eq=False)
class Neurons:
    """Leaky integrate-and-fire, as duospike.reference.neurons.charge defines the resets. threshold: a number, or [O].

    gain: factor of the current, [O] or a number. double_reset: snnTorch's `reset_delay=False`, which subtracts the threshold
    twice where a potential is above twice the threshold. inclusive: a potential equal to the threshold spikes, too. rounded:
    whether gain or leak differ from the source's own by a few roundings.

    roundings: of a timestep of the source's neuron, each of numbers up to the potential's bound. spread: how many times as large
    as that bound the numbers may be that it computes on the way.
    """

    where: str
    reset: str
    beta: Fraction
    threshold: np.ndarray
    gain: np.ndarray = field(default_factory=lambda: np.ones(()))
    double_reset: bool = False
    inclusive: bool = False
    rounded: bool = False
    roundings: int = 4
    spread: int = 1


@dataclass(frozen=True)
class MaxPool:
    """The largest of 2x2, stride 2, an odd last row or column dropped; of spikes this is their OR."""

    where: str


@dataclass(frozen=True)
class AveragePool:
    """Sums of windows of spikes divided by a number; kernel and stride as (rows, columns), the windows apart from each other.

    A fully connected layer computes it: each of its weights stands at all places of a window.
    """

    where: str
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    divisor: int

    def counts(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """How many windows a map [C, H, W] has down and across."""
        return tuple((size - width) // step + 1 for size, width, step in zip(shape[1:], self.kernel, self.stride, strict=True))


@dataclass(frozen=True)
class Flatten:
    """Channel, row, column in this order."""

    where: str


@dataclass(frozen=True)
class Vote:
    """The last element: a class for each `size` neighbours of the last neurons, whose spikes are added up or averaged."""

    where: str
    size: int


@dataclass(frozen=True)
class Unread:
    """What could not be read, for a reason that has been noted: how other elements fit to it is not checked."""

    where: str


Element = Weighted | Norm | Neurons | MaxPool | AveragePool | Flatten | Vote | Unread


@dataclass(frozen=True, eq=False)
class SourceLayer:
    """Weights, what batch norm and the neuron's gain make of their sums, and the neuron.

    current = gain * (weights * input) + offset, then v_t by `reset` and `beta`, and a spike where v_t > threshold, or
    v_t >= threshold where `inclusive`. gain, offset, threshold: float64 [O]. size: magnitude [O] of the terms of the offset.
    folded: whether gain and offset are more than an exact product with the bias, so that the source rounds between.
    roundings, spread: as Neurons has them.
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
    beta: Fraction
    threshold: np.ndarray
    double_reset: bool
    inclusive: bool = False
    numbers: str = "weights"
    roundings: int = 4
    spread: int = 1

    @property
    def title(self) -> str:
        return f"layer {self.name} ({self.where})"

    @property
    def outputs(self) -> int:
        return len(self.weights)


@dataclass(frozen=True, eq=False)
class Source:
    """Layers and pools in order. reasons: why it cannot become integers at all.

    rounding: largest relative error of one operation of the source; 0 where the source is meant in real numbers.
    """

    interface: Interface
    layers: tuple[SourceLayer | IntegerPool, ...]
    reasons: tuple[str, ...]
    rounding: Fraction


def convolution_reasons(where: str, weights: np.ndarray, *, stride, padding, dilation, groups: int) -> list[str]:
    """Why the hardware cannot compute a convolution [O, C, K, K]; stride, padding and dilation as (rows, columns)."""
    kernel, reasons = weights.shape[2:], []
    if kernel[0] != kernel[1] or kernel[0] not in KERNELS:
        reasons.append(f"{where}: kernel {kernel[0]}x{kernel[1]}; allowed: square, of {', '.join(map(str, KERNELS))}")
    if tuple(stride) != (1, 1):
        reasons.append(f"{where}: stride {stride[0]}x{stride[1]}; allowed: 1x1")
    if tuple(dilation) != (1, 1):
        reasons.append(f"{where}: dilation {dilation[0]}x{dilation[1]}; allowed: 1x1")
    half = (kernel[0] // 2, kernel[1] // 2)
    size = {"same": half, "valid": (0, 0)}.get(padding) if isinstance(padding, str) else tuple(padding)
    if size != half:
        shown = padding if isinstance(padding, str) else f"{padding[0]}x{padding[1]}"
        reasons.append(f"{where}: padding {shown}; allowed: {kernel[0] // 2}x{kernel[1] // 2}, which keeps height and width")
    return [*(not_in_hardware(reason) for reason in reasons), *_group_reasons(where, weights, groups)]


def _group_reasons(where: str, weights: np.ndarray, groups: int) -> list[str]:
    if groups < 1 or len(weights) % groups:
        return [f"{where}: {len(weights)} outputs do not divide into {groups} groups"]
    whole = weights.size * groups
    return [f"{where}: {whole} weights with the zeros of {groups} groups; allowed: up to {MAX_WEIGHTS}"] * (whole > MAX_WEIGHTS)


def ungrouped(weights: np.ndarray, groups: int) -> np.ndarray:
    """Weights [O, C, K, K] of [O, C / groups, K, K], with zeros for the channels that a group of outputs does not see."""
    outputs, inputs = weights.shape[:2]
    whole = np.zeros((groups, outputs // groups, groups, inputs, *weights.shape[2:]))
    for group, part in enumerate(np.split(weights, groups)):
        whole[group, :, group] = part
    return whole.reshape(outputs, groups * inputs, *weights.shape[2:])


def pool_reasons(where: str, *, kernel, stride, padding, dilation=(1, 1), ceil: bool = False) -> list[str]:
    """Why the hardware cannot compute a max-pooling; all sizes as (rows, columns)."""
    sizes = {"window": (kernel, 2), "stride": (stride, 2), "padding": (padding, 0), "dilation": (dilation, 1)}
    reasons = [
        f"{where}: {what} {size[0]}x{size[1]}; allowed: {allowed}x{allowed}"
        for what, (size, allowed) in sizes.items()
        if tuple(size) != (allowed, allowed)
    ]
    reasons += [f"{where}: ceil_mode; allowed: an odd last row or column is dropped"] * ceil
    return [not_in_hardware(reason) for reason in reasons]


def average_reasons(*, kernel, stride, padding, ceil: bool = False) -> list[str]:
    """Why no fully connected layer computes an average pooling; all sizes as (rows, columns)."""
    reasons = []
    if min(*kernel, *stride) < 1 or any(step < size for step, size in zip(stride, kernel, strict=True)):
        shown = "{}x{}, stride {}x{}".format(*kernel, *stride)
        reasons.append(f"window {shown}; allowed: windows that do not overlap")
    reasons += [f"padding {padding[0]}x{padding[1]}; allowed: 0x0"] * (tuple(padding) != (0, 0))
    reasons += ["ceil_mode; allowed: windows within the map"] * ceil
    return [not_in_hardware(reason) for reason in reasons]


class Builder:
    """Takes elements in order, then `finish` gives the source.

    shape: of the map that the next element meets, None after an error that leaves it unknown. open: a layer without its neurons.
    unread: whether the next element meets something that could not be read. averaged: an average pooling without its fully
    connected layer, and the shape before it.
    """

    def __init__(self, interface: Interface, reasons: list[str]):
        self.interface, self.reasons = interface, reasons
        self.shape: tuple[int, ...] | None = None if interface.input_shape == NO_SHAPE else interface.input_shape
        self.layers: list[SourceLayer | IntegerPool] = []
        self.counts: Counter[str] = Counter()
        self.open: list[Element] = []
        self.unread = False
        self.vote: Vote | None = None
        self.averaged: tuple[AveragePool, tuple[int, ...] | None] | None = None

    def add(self, element: Element) -> None:
        if self.averaged and not isinstance(element, Weighted | Flatten | Unread):
            self.end_average(element.where)
        if self.vote and not isinstance(element, Unread):
            self.reasons.append(f"{element.where}: after {self.vote.where}, where the classes are counted; allowed: nothing")
        elif isinstance(element, Weighted):
            self.close(element.where)
            self.check_fit(element)
            self.open, self.unread = [self.unpooled(element)], False
        elif isinstance(element, Unread):
            self.open, self.unread, self.shape, self.averaged = [], True, None, None
        elif isinstance(element, Norm):
            self.norm(element)
        elif isinstance(element, Neurons):
            self.fire(element)
        elif isinstance(element, MaxPool):
            self.pool(element)
        elif isinstance(element, AveragePool):
            self.average(element)
        elif isinstance(element, Vote):
            self.close(element.where)
            self.vote = element
        elif self.shape is None or len(self.shape) > 1:
            self.close(element.where)
            self.shape = self.shape and (int(np.prod(self.shape)),)

    def close(self, where: str) -> None:
        """A layer that has had no neurons by now gets none."""
        if self.open:
            self.reasons.append(f"{self.open[0].where}: no spiking neurons between it and {where}")
        self.open = []

    def check_fit(self, element: Weighted) -> None:
        """Check that a layer fits the map before it, and follow the shape."""
        outputs, inputs = element.weights.shape[:2]
        conv = element.weights.ndim == 4
        first = not (self.counts["conv"] or self.counts["fc"] or self.unread)
        if first and not conv:
            reason = f"{element.where}: the first layer must be a convolution, since it takes the image"
            self.reasons.append(not_in_hardware(reason))
        elif self.shape is not None:
            if conv and len(self.shape) == 1:
                reason = f"{element.where}: a convolution after flattening; allowed: fully connected layers"
                self.reasons.append(not_in_hardware(reason))
            elif not conv and len(self.shape) == 3:
                self.reasons.append(f"{element.where}: a fully connected layer on a map; flatten it before")
            elif self.shape[0] != inputs:
                self.reasons.append(
                    f"{element.where}: takes {inputs} {'channels' if conv else 'inputs'}, its input has {self.shape[0]}"
                )
            self.shape = (outputs, *self.shape[1:]) if conv and element.fits and len(self.shape) == 3 else None
        if not conv:
            self.shape = (outputs,)
        self.counts["conv" if conv else "fc"] += 1

    def norm(self, element: Norm) -> None:
        weighted = self.open[0] if len(self.open) == 1 else None
        if isinstance(weighted, Weighted) and len(element.gain) == len(weighted.weights):
            self.open.append(element)
        elif isinstance(weighted, Weighted):
            outputs = len(weighted.weights)
            self.reasons.append(f"{element.where}: normalizes {len(element.gain)} outputs, {weighted.where} has {outputs}")
        elif not self.unread:
            self.reasons.append(f"{element.where}: batch norm; allowed: right after a convolution or fully connected layer")

    def pool(self, element: MaxPool) -> None:
        """A pool of spikes; or of the currents of the open layer, for which `fire` finds out whether that is the same."""
        if self.shape is not None and len(self.shape) != 3:
            self.reasons.append(f"{element.where}: pools what is no map")
        elif not self.open and not self.layers and not self.unread:
            self.reasons.append(not_in_hardware(f"{element.where}: pools the image; allowed: spikes of a layer before it"))
        elif self.shape is not None and min(self.shape[1:]) < 2:
            self.reasons.append(f"{element.where}: cannot pool a map of {self.shape[1]}x{self.shape[2]}")
            self.shape = None
        if self.open:
            self.open.append(element)
        else:
            self.add_pool()
        if self.shape is not None and len(self.shape) == 3:
            self.shape = (self.shape[0], self.shape[1] // 2, self.shape[2] // 2)

    def average(self, element: AveragePool) -> None:
        """Note an average pooling of spikes, which the next layer is to compute."""
        before, self.averaged = self.shape, None
        if self.open:
            reason = f"{element.where}: averages the currents of {self.open[0].where}; allowed: spikes, behind neurons"
            self.reasons.append(not_in_hardware(reason))
        elif not self.layers and not self.unread:
            self.reasons.append(not_in_hardware(f"{element.where}: averages the image; allowed: spikes of a layer before it"))
        elif before is not None and len(before) != 3:
            self.reasons.append(f"{element.where}: pools what is no map")
        else:
            self.averaged = element, before
        if before is None or len(before) != 3:
            return
        sizes = element.counts(before)
        if min(sizes) < 1:
            self.reasons.append(f"{element.where}: cannot pool a map of {before[1]}x{before[2]}")
            self.averaged = None
        self.shape = (before[0], *sizes) if min(sizes) >= 1 else None

    def end_average(self, where: str) -> None:
        """An average pooling whose next element is no layer that computes it."""
        assert self.averaged
        reason = f"sums or averages spikes before {where}; allowed: right before a fully connected layer"
        self.reasons.append(not_in_hardware(f"{self.averaged[0].where}: {reason}"))
        self.averaged = None

    def unpooled(self, element: Weighted) -> Weighted:
        """The layer, together with an average pooling before it: at each place of a window stands the window's weight."""
        if not self.averaged or element.weights.ndim != 2:
            if self.averaged:
                self.end_average(element.where)
            return element
        (pool, shape), self.averaged = self.averaged, None
        if shape is None:
            return element
        rows, columns = pool.counts(shape)
        outputs, inputs = element.weights.shape
        if inputs != shape[0] * rows * columns:
            return element
        if outputs * int(np.prod(shape)) > MAX_WEIGHTS:
            self.reasons.append(f"{element.where}: more than {MAX_WEIGHTS} weights before {pool.where}; allowed: fewer")
            return element
        each = element.weights.reshape(outputs, shape[0], rows, columns)
        whole = np.zeros((outputs, *shape))
        for y, x in np.ndindex(pool.kernel):
            down = slice(y, y + (rows - 1) * pool.stride[0] + 1, pool.stride[0])
            across = slice(x, x + (columns - 1) * pool.stride[1] + 1, pool.stride[1])
            whole[:, :, down, across] = each
        return replace(element, weights=whole.reshape(outputs, -1), divisor=pool.divisor)

    def add_pool(self) -> None:
        self.counts["pool"] += 1
        self.layers.append(IntegerPool(f"pool{self.counts['pool']}"))

    def fire(self, element: Neurons) -> None:
        if not self.open:
            if not self.unread:
                self.reasons.append(f"{element.where}: neurons; allowed: after a convolution or fully connected layer")
            return
        weighted, *rest = self.open
        assert isinstance(weighted, Weighted)
        pools = [one for one in rest if isinstance(one, MaxPool)]
        norm = next((one for one in rest if isinstance(one, Norm)), None)
        found = self.layer(weighted, norm, element)
        self.layers += found
        self.open, self.unread = [], not found
        if pools and not self.memoryless(element):
            reason = (
                f"{pools[0].where}: pools currents before neurons, which is not the same as pooling their spikes, since these "
                "keep a potential between timesteps; allowed: after the neurons"
            )
            self.reasons.append(not_in_hardware(reason))
        for _ in pools:
            self.add_pool()

    def memoryless(self, element: Neurons) -> bool:
        """Whether v_t depends on a_t alone, so that the largest current spikes if and only if any does."""
        is_reset_at_once = element.reset != "subtract_delayed" and not element.double_reset
        return self.interface.timesteps == 1 or (element.beta == 0 and is_reset_at_once)

    def layer(self, weighted: Weighted, norm: Norm | None, element: Neurons) -> list[SourceLayer]:
        """The layer; none where a number is not finite, which has been noted."""
        kind = "conv" if weighted.weights.ndim == 4 else "fc"
        outputs = len(weighted.weights)
        gain = np.broadcast_to(element.gain, (outputs,)) * (1.0 if norm is None else norm.gain)
        whole = gain / weighted.divisor
        inner = weighted.bias * (1.0 if norm is None else norm.gain)
        offset = (inner + (0.0 if norm is None else norm.offset)) * element.gain
        size = (np.abs(inner) + (0.0 if norm is None else norm.size)) * np.abs(element.gain)
        if element.reset not in RESETS:
            self.reasons.append(not_in_hardware(f"{element.where}: reset {element.reset!r}; allowed: {', '.join(RESETS)}"))
        if element.threshold.ndim and element.threshold.shape != (outputs,):
            self.reasons.append(
                f"{element.where}: {element.threshold.shape} thresholds; allowed: one, or one for each of {outputs} outputs"
            )
        one_each = np.broadcast_to(element.threshold if element.threshold.shape in ((), (outputs,)) else 0.0, (outputs,))
        numbers = {"weight": weighted.weights, "bias": offset, "gain": whole, "threshold": one_each}
        wrong = [what for what, values in numbers.items() if not np.isfinite(values).all()]
        self.reasons += [f"{weighted.where}: a {what} is not finite" for what in wrong]
        if wrong:
            return []
        offset = np.broadcast_to(offset, (outputs,))
        layer = SourceLayer(
            f"{kind}{self.counts[kind]}",
            weighted.where,
            weighted.weights,
            weighted.scale,
            whole,
            offset,
            np.broadcast_to(size, (outputs,)),
            norm is not None
            or element.rounded
            or weighted.divisor.bit_count() != 1
            or not _are_products(offset, gain, weighted.bias),
            element.reset,
            element.beta,
            one_each,
            element.double_reset,
            element.inclusive,
            weighted.numbers,
            element.roundings,
            element.spread,
        )
        return [layer]

    def finish(self, rounding: Fraction) -> Source:
        """The source. rounding: as Source has it."""
        if self.averaged:
            self.end_average("the end")
        ends = not self.open and not self.unread
        self.close("the end")
        classes = self.check_end() if ends else 0
        interface = replace(self.interface, classes=classes or self.interface.classes or 1)
        return Source(interface, tuple(self.layers), tuple(self.reasons), rounding)

    def check_end(self) -> int:
        """The classes that the last layer votes for, 0 if it could not be read."""
        last = next((layer for layer in reversed(self.layers) if isinstance(layer, SourceLayer)), None)
        if last is None:
            self.reasons += [] if self.reasons else ["no layers with weights and spiking neurons"]
        elif last.weights.ndim != 2 or self.layers[-1] is not last:
            reason = f"{last.where}: the last layer must be fully connected, since its neurons vote for the classes"
            self.reasons.append(not_in_hardware(reason))
        else:
            return self.check_classes(last)
        return 0

    def check_classes(self, last: SourceLayer) -> int:
        asked, size = self.interface.classes, self.vote.size if self.vote else 1
        if self.vote and last.outputs % size:
            reason = f"{self.vote.where}: {last.outputs} neurons of {last.where} do not divide into groups of {size}"
            self.reasons.append(reason)
        elif self.vote and asked not in (0, last.outputs // size):
            reason = f"{self.vote.where}: {last.outputs // size} classes of {size} neurons, and {asked} were asked for"
            self.reasons.append(by_option(reason, "--classes"))
        elif asked and last.outputs % asked:
            reason = f"{last.where}: {last.outputs} neurons do not divide into {asked} classes"
            self.reasons.append(by_option(reason, "--classes"))
        return asked or last.outputs // size


def _are_products(products: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> bool:
    """Whether float64 has rounded none of the products of [O] numbers."""
    one_each = zip(products.tolist(), gain.tolist(), bias.tolist(), strict=True)
    return all(product == factor * whole for product, factor, whole in (map(Fraction, one) for one in one_each))
