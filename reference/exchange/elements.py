"""The parts of a network as other programs write them, in real numbers, and which of them the hardware cannot compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from duospike.reference.network import MAX_WEIGHTS

from .refusal import not_in_hardware

KERNELS = (1, 3, 5)


@dataclass(frozen=True, eq=False)
class Weighted:
    """A convolution [O, C, K, K] or a fully connected layer [O, I], with its bias [O], all float64.

    scale: the steps of the weights [O] where the source knows them, else None. fits: False if the size of its output is
    not that of the hardware's convolution, which has been noted. numbers: what the source calls its weights. integers_below:
    None, or where the numbers of layer and neurons are the hardware's already, and the leak floors: what these must stay below.
    divisor: of the products' sum, without the bias.
    """

    where: str
    weights: np.ndarray
    bias: np.ndarray
    scale: np.ndarray | None = None
    fits: bool = True
    numbers: str = "weights"
    integers_below: int | None = None
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
    whether gain or leak differ from the source's own by a few roundings. integers: whether the thresholds are the hardware's
    already, and the leak floors.

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
    integers: bool = False
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
