"""Joins the elements of a network to layers, and notes what the hardware's order of layers does not allow.

Nothing is refused before everything has been looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np

from duospike.reference.coding import SPIKE_CODINGS
from duospike.reference.network import MAX_WEIGHTS, RESETS
from duospike.reference.network import Pool as IntegerPool

from .elements import AveragePool, Element, Flatten, MaxPool, Neurons, Norm, Unread, Vote, Weighted
from .refusal import by_option, not_in_hardware
from .source import NO_SHAPE, Interface, Source, SourceLayer


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
        self.elements: list[Element] = []
        self.counts: Counter[str] = Counter()
        self.open: list[Element] = []
        self.unread = False
        self.vote: Vote | None = None
        self.averaged: tuple[AveragePool, tuple[int, ...] | None] | None = None

    def add(self, element: Element) -> None:
        self.elements.append(element)
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
        if first and not conv and self.interface.coding not in SPIKE_CODINGS:
            reason = f"{element.where}: the first layer must be a convolution, since it takes pixels; allowed with events"
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
        if element.integers != (weighted.integers_below is not None) or (element.integers and norm):
            self.reasons.append(f"{element.where}: not prepared together with {weighted.where}; prepare the network again")
            return []
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
            weighted.integers_below,
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
        return Source(interface, tuple(self.layers), tuple(self.reasons), rounding, tuple(self.elements))

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
