"""The parts of a network as other programs write them, in real numbers, and which of them the hardware cannot compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from duospike.reference.network import KERNELS, MAX_WEIGHTS, Size, shown_size, window_counts

from .refusal import not_in_hardware


@dataclass(frozen=True, eq=False)
class Weighted:
    """A convolution [O, C, KH, KW] or a fully connected layer [O, I], with its bias [O], all float64.

    scale: the steps of the weights [O] where the source knows them, else None. fits: False if the size of its output is not
    known, for a reason that has been noted. stride, padding: of a convolution, rows and columns. numbers: what the source
    calls its weights. integers_below: None, or where the numbers of layer and neurons are the hardware's already, and the leak
    floors: what these must stay below.
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
    stride: Size = (1, 1)
    padding: Size = (0, 0)


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

    betas: one, or one for each output. gain: factor of the current, [O] or a number. double_reset: snnTorch's
    `reset_delay=False`, which subtracts the threshold twice where a potential is above twice the threshold. inclusive: a
    potential equal to the threshold spikes, too. rounded: whether gain or leak differ from the source's own by a few roundings.
    integers: whether the thresholds are the hardware's already, and the leak floors.

    fires: False for those that only add up, whose potential is read.

    roundings: of a timestep of the source's neuron, each of numbers up to the potential's bound. spread: how many times as large
    as that bound the numbers may be that it computes on the way.
    """

    where: str
    reset: str
    betas: tuple[Fraction, ...]
    threshold: np.ndarray
    gain: np.ndarray = field(default_factory=lambda: np.ones(()))
    double_reset: bool = False
    inclusive: bool = False
    rounded: bool = False
    integers: bool = False
    roundings: int = 4
    spread: int = 1
    fires: bool = True


@dataclass(frozen=True)
class Pooling:
    """The largest of windows of a map, or their sums divided by a number; of spikes the largest is their OR.

    op: max or sum. kernel, stride, padding: rows and columns. An incomplete last window is dropped.
    """

    where: str
    op: str
    kernel: Size
    stride: Size
    padding: Size = (0, 0)
    divisor: int = 1

    def counts(self, shape: tuple[int, ...]) -> Size:
        """How many windows a map [C, H, W] has down and across; below 1 where a window is larger."""
        return window_counts((shape[1], shape[2]), self.kernel, self.stride, self.padding)

    @property
    def share(self) -> Fraction:
        """What a 1 at each place of a window gives."""
        return Fraction(1 if self.op == "max" else self.kernel[0] * self.kernel[1], self.divisor)

    @property
    def is_tiling(self) -> bool:
        """Whether its windows lie side by side, without padding."""
        return self.stride == self.kernel and self.padding == (0, 0)

    def joined(self, other: Pooling) -> Pooling | None:
        """One pooling in place of this and another one behind it, of the same kind and both side by side; else None."""
        if self.op != other.op or not (self.is_tiling and other.is_tiling):
            return None
        kernel = (self.kernel[0] * other.kernel[0], self.kernel[1] * other.kernel[1])
        return Pooling(self.where, self.op, kernel, kernel, divisor=self.divisor * other.divisor)


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


Element = Weighted | Norm | Neurons | Pooling | Flatten | Vote | Unread


def convolution(
    where: str, weights: np.ndarray, *, stride: Size, padding: Size | str, dilation: Size, groups: int
) -> tuple[np.ndarray, Size, list[str]]:
    """The hardware's weights and padding for a convolution [O, C / groups, KH, KW], or why it has none.

    Groups, dilation and the padding "same" of an even kernel become zeros among the weights.
    """
    reasons = _group_reasons(where, weights, groups)
    steps = {"stride": stride, "dilation": dilation}
    reasons += [f"{where}: {what} {shown_size(size)}; allowed: from 1x1 up" for what, size in steps.items() if min(size) < 1]
    if min(dilation) < 1:
        return weights, (0, 0), reasons
    taps = tuple((count - 1) * step + 1 for count, step in zip(weights.shape[2:], dilation, strict=True))
    before = (padding == "same") * np.array([1 - taps[0] % 2, 1 - taps[1] % 2])
    sizes = tuple(int(size) for size in np.array(taps) + before)
    if any(size not in KERNELS for size in sizes):
        shown = shown_size((taps[0], taps[1])) + ("" if dilation == (1, 1) else " with its dilation")
        allowed = f"{KERNELS.start} to {KERNELS.stop - 1} rows and columns"
        reasons.append(not_in_hardware(f"{where}: kernel {shown}; allowed: {allowed}"))
    half = (sizes[0] - 1) // 2, (sizes[1] - 1) // 2
    edge = {"same": half, "valid": (0, 0)}[padding] if isinstance(padding, str) else padding
    if not (0 <= edge[0] <= half[0] and 0 <= edge[1] <= half[1]):
        reasons.append(not_in_hardware(f"{where}: padding {shown_size(edge)}; allowed: from 0x0 to {shown_size(half)}"))
    if reasons:
        return weights, (0, 0), reasons
    whole = np.zeros((len(weights), weights.shape[1] * groups, *sizes))
    whole[:, :, before[0] :: dilation[0], before[1] :: dilation[1]] = _ungrouped(weights, groups)
    return whole, edge, []


def _group_reasons(where: str, weights: np.ndarray, groups: int) -> list[str]:
    if groups < 1 or len(weights) % groups:
        return [f"{where}: {len(weights)} outputs do not divide into {groups} groups"]
    whole = weights.size * groups
    return [f"{where}: {whole} weights with the zeros of {groups} groups; allowed: up to {MAX_WEIGHTS}"] * (whole > MAX_WEIGHTS)


def _ungrouped(weights: np.ndarray, groups: int) -> np.ndarray:
    """Weights [O, C, K, K] of [O, C / groups, K, K], with zeros for the channels that a group of outputs does not see."""
    outputs, inputs = weights.shape[:2]
    whole = np.zeros((groups, outputs // groups, groups, inputs, *weights.shape[2:]))
    for group, part in enumerate(np.split(weights, groups)):
        whole[group, :, group] = part
    return whole.reshape(outputs, groups * inputs, *weights.shape[2:])


def pooling_reasons(pool: Pooling, shape: tuple[int, ...] | None, *, dilation: Size = (1, 1), ceil: bool = False) -> list[str]:
    """Why the hardware cannot compute a pooling. shape: of the map, if it is known. ceil: an incomplete last window counts."""
    reasons = []
    if min(*pool.kernel, *pool.stride) < 1 or min(pool.padding) < 0:
        reasons.append(f"window {shown_size(pool.kernel)}, stride {shown_size(pool.stride)}; allowed: from 1x1 up")
    elif any(edge > width // 2 for edge, width in zip(pool.padding, pool.kernel, strict=True)):
        reasons.append(f"padding {shown_size(pool.padding)}; allowed: up to half the window {shown_size(pool.kernel)}")
    elif pool.op == "sum" and not pool.is_tiling:
        shown = f"window {shown_size(pool.kernel)}, stride {shown_size(pool.stride)}, padding {shown_size(pool.padding)}"
        reasons.append(f"{shown}; allowed: windows side by side, without padding")
    elif ceil and not _is_whole(pool, shape):
        reasons.append("ceil_mode; allowed: an incomplete last row or column is dropped")
    reasons += [f"dilation {shown_size(dilation)}; allowed: 1x1"] * (dilation != (1, 1))
    return [not_in_hardware(f"{pool.where}: {reason}") for reason in reasons]


def _is_whole(pool: Pooling, shape: tuple[int, ...] | None) -> bool:
    """Whether the windows end where the map does, so that ceil_mode makes no difference."""
    if shape is None or len(shape) != 3:
        return False
    sizes = zip(shape[1:], pool.kernel, pool.stride, pool.padding, strict=True)
    return all((size + 2 * edge - width) % step == 0 for size, width, step, edge in sizes)


def pooling_of_counts(where: str, op: str, shape: tuple[int, ...], counts: Size) -> Pooling | None:
    """The windows side by side of which a map [C, H, W] has `counts`, as adaptive poolings have; None: they are not equal."""
    if min(counts) < 1 or shape[1] % counts[0] or shape[2] % counts[1]:
        return None
    kernel = (shape[1] // counts[0], shape[2] // counts[1])
    return Pooling(where, op, kernel, kernel, divisor=kernel[0] * kernel[1] if op == "sum" else 1)
