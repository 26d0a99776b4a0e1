"""Joins the elements of a network to layers, and notes what the hardware's order of layers does not allow.

Nothing is refused before everything has been looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np

from duospike.reference.coding import SPIKE_CODINGS
from duospike.reference.network import MEMBRANE_READOUTS, READOUTS, RESETS, CurrentPool, shown_size, window_counts
from duospike.reference.network import Pool as IntegerPool

from .elements import Element, Flatten, Neurons, Norm, Pooling, Unread, Vote, Weighted
from .refusal import by_option, not_in_hardware
from .source import NO_SHAPE, Interface, Source, SourceLayer

SPIKE_READOUTS = tuple(name for name in READOUTS if name not in MEMBRANE_READOUTS)


class Builder:
    """Takes elements in order, then `finish` gives the source.

    shape: of the map that the next element meets, None after an error that leaves it unknown. open: a layer without its neurons.
    unread: whether the next element meets something that could not be read. summed: the sums of spikes that the next layer takes.
    covers: whether the last layer is a convolution whose kernel is its whole map.
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
        self.summed: Pooling | None = None
        self.covers = False

    def add(self, element: Element) -> None:
        self.elements.append(element)
        if self.summed and not isinstance(element, Weighted | Flatten | Unread | Pooling):
            self.end_sums(element.where)
        if self.vote and not isinstance(element, Unread):
            self.reasons.append(f"{element.where}: after {self.vote.where}, where the classes are counted; allowed: nothing")
        elif isinstance(element, Weighted):
            self.close(element.where)
            self.open, self.unread = [self.take(element)], False
        elif isinstance(element, Unread):
            self.open, self.unread, self.shape, self.summed = [], True, None, None
        elif isinstance(element, Norm):
            self.norm(element)
        elif isinstance(element, Neurons):
            self.fire(element)
        elif isinstance(element, Pooling):
            self.pool(element)
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

    @property
    def is_first(self) -> bool:
        """Whether the next element meets the image."""
        return not (self.layers or self.open or self.unread or self.summed)

    def take(self, element: Weighted) -> Weighted:
        """A layer in the units of what it takes, checked against the map before it; the shape becomes that of its currents."""
        if self.summed:
            self.add_pool(self.summed)
            element, self.summed = replace(element, divisor=self.summed.divisor), None
        conv = element.weights.ndim == 4
        self.covers = conv and element.padding == (0, 0) and element.weights.shape[1:] == self.shape
        self.shape = self.shape_after(element)
        self.counts["conv" if conv else "fc"] += 1
        return element

    def shape_after(self, element: Weighted) -> tuple[int, ...] | None:
        """Shape of a layer's currents, None after an error that leaves it unknown."""
        outputs, inputs = element.weights.shape[:2]
        conv, shape = element.weights.ndim == 4, self.shape
        if shape is None:
            return None if conv else (outputs,)
        if conv and len(shape) == 1:
            reason = f"{element.where}: a convolution after flattening; allowed: fully connected layers"
            self.reasons.append(not_in_hardware(reason))
        elif not conv and len(shape) == 3:
            self.reasons.append(f"{element.where}: a fully connected layer on a map; flatten it before")
        elif shape[0] != inputs:
            self.reasons.append(f"{element.where}: takes {inputs} {'channels' if conv else 'inputs'}, its input has {shape[0]}")
        if not conv:
            return (outputs,)
        if not element.fits or len(shape) != 3:
            return None
        kernel = element.weights.shape[2:]
        sizes = window_counts((shape[1], shape[2]), (kernel[0], kernel[1]), element.stride, element.padding)
        if min(sizes) < 1:
            self.reasons.append(f"{element.where}: kernel {shown_size(kernel)} is larger than its map of {shape[1]}x{shape[2]}")
            return None
        return (outputs, *sizes)

    def norm(self, element: Norm) -> None:
        weighted, rest = (self.open[0], self.open[1:]) if self.open else (None, [])
        if not isinstance(weighted, Weighted) or any(isinstance(one, Norm) for one in rest):
            if not self.unread:
                self.reasons.append(f"{element.where}: batch norm; allowed: one between a layer's weights and its neurons")
        elif len(element.gain) == len(weighted.weights):
            if any(isinstance(one, Pooling) and one.op == "max" for one in rest) and (element.gain < 0).any():
                reason = f"{element.where}: a gain below 0 after {rest[-1].where}; allowed: before it, or gains from 0 up"
                self.reasons.append(not_in_hardware(reason))
            self.open.append(element)
        else:
            outputs = len(weighted.weights)
            self.reasons.append(f"{element.where}: normalizes {len(element.gain)} outputs, {weighted.where} has {outputs}")

    def pool(self, element: Pooling) -> None:
        """A pooling of spikes, or of the currents of the open layer, for which `fire` finds out whether the hardware has it."""
        before = self.shape
        if before is not None and len(before) != 3:
            self.reasons.append(f"{element.where}: pools what is no map")
            return
        if self.is_first and self.interface.coding not in SPIKE_CODINGS:
            self.reasons.append(not_in_hardware(f"{element.where}: pools the image; allowed: spikes of a layer before it"))
        self.shape = None
        if before is not None:
            sizes = element.counts(before)
            self.shape = (before[0], *sizes) if min(sizes) >= 1 else None
            if min(sizes) < 1:
                shown = f"window {shown_size(element.kernel)}"
                self.reasons.append(f"{element.where}: {shown} is larger than its map of {before[1]}x{before[2]}")
                return
        if self.open:
            last = self.open[-1]
            joined = last.joined(element) if isinstance(last, Pooling) else None
            self.open[-1:] = [joined] if joined else [last, element]
        elif element.op == "sum":
            self.sum(element)
        elif self.summed:
            self.end_sums(element.where)
        else:
            self.add_pool(element)

    def sum(self, element: Pooling) -> None:
        """Note sums of spikes, which the next layer is to take."""
        joined = self.summed.joined(element) if self.summed else element
        if joined is None and self.summed:
            self.end_sums(element.where)
        self.summed = joined

    def end_sums(self, where: str) -> None:
        """Sums of spikes that no layer takes."""
        assert self.summed
        reason = f"sums or averages spikes before {where}; allowed: right before a convolution or fully connected layer"
        self.reasons.append(not_in_hardware(f"{self.summed.where}: {reason}"))
        self.summed = None

    def add_pool(self, element: Pooling) -> None:
        self.counts["pool"] += 1
        op = "or" if element.op == "max" else "sum"
        self.layers.append(IntegerPool(f"pool{self.counts['pool']}", op, element.kernel, element.stride, element.padding))

    def fire(self, element: Neurons) -> None:
        if not self.open:
            if not self.unread:
                self.reasons.append(f"{element.where}: neurons; allowed: after a convolution or fully connected layer")
            return
        weighted, *rest = self.open
        assert isinstance(weighted, Weighted)
        norm = next((one for one in rest if isinstance(one, Norm)), None)
        behind, pool = self.pools_of_currents([one for one in rest if isinstance(one, Pooling)], element)
        is_late = norm is not None and pool is not None and rest.index(norm) > 0
        found = self.layer(weighted, norm, element, pool, is_late=is_late)
        self.layers += found
        self.open, self.unread = [], not found
        for one in behind:
            self.add_pool(one)

    def pools_of_currents(self, pools: list[Pooling], element: Neurons) -> tuple[list[Pooling], Pooling | None]:
        """Of the poolings before neurons, those that may as well pool spikes behind them, and the one of the currents."""
        if all(one.op == "max" for one in pools) and self.memoryless(element):
            return pools, None
        wrong = [one for one in pools if not one.is_tiling]
        for one in wrong:
            shown = f"window {shown_size(one.kernel)}, stride {shown_size(one.stride)}, padding {shown_size(one.padding)}"
            allowed = "windows side by side, without padding, or behind the neurons"
            self.reasons.append(not_in_hardware(f"{one.where}: pools currents before neurons, {shown}; allowed: {allowed}"))
        if len(pools) > 1 and not wrong:
            reason = f"{pools[1].where}: a second pooling before neurons; allowed: one, or several of the same kind"
            self.reasons.append(not_in_hardware(reason))
        return [], pools[0] if pools else None

    def memoryless(self, element: Neurons) -> bool:
        """Whether v_t depends on a_t alone, so that the largest current spikes if and only if any does."""
        is_reset_at_once = element.reset != "subtract_delayed" and not element.double_reset
        return self.interface.timesteps == 1 or (not any(element.betas) and is_reset_at_once)

    def layer(
        self, weighted: Weighted, norm: Norm | None, element: Neurons, pool: Pooling | None, *, is_late: bool
    ) -> list[SourceLayer]:
        """The layer; none where a number is not finite, which has been noted. is_late: batch norm is behind the pooling."""
        kind = "conv" if weighted.weights.ndim == 4 else "fc"
        outputs = len(weighted.weights)
        gain = np.broadcast_to(element.gain, (outputs,)) * (1.0 if norm is None else norm.gain)
        divisor, share = weighted.divisor * (pool.divisor if pool else 1), pool.share if pool else Fraction(1)
        whole = gain / divisor
        # Of batch norm's offset, as of the bias, each pooled current has one, if it lies before the pooling.
        of_norm = share if not is_late else Fraction(1)
        inner = weighted.bias * float(share) * (1.0 if norm is None else norm.gain)
        offset = (inner + (0.0 if norm is None else norm.offset * float(of_norm))) * element.gain
        size = (np.abs(inner) + (0.0 if norm is None else norm.size * float(of_norm))) * np.abs(element.gain)
        if element.integers != (weighted.integers_below is not None) or (element.integers and norm):
            self.reasons.append(f"{element.where}: not prepared together with {weighted.where}; prepare the network again")
            return []
        if element.reset not in RESETS:
            self.reasons.append(not_in_hardware(f"{element.where}: reset {element.reset!r}; allowed: {', '.join(RESETS)}"))
        if element.threshold.ndim and element.threshold.shape != (outputs,):
            self.reasons.append(
                f"{element.where}: {element.threshold.shape} thresholds; allowed: one, or one for each of {outputs} outputs"
            )
        if len(element.betas) not in (1, outputs):
            self.reasons.append(
                f"{element.where}: {len(element.betas)} betas; allowed: one, or one for each of {outputs} outputs"
            )
            return []
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
            or divisor.bit_count() != 1
            or share != 1
            or not _are_products(offset, gain, weighted.bias),
            element.reset,
            element.betas,
            one_each,
            element.double_reset,
            element.inclusive,
            weighted.numbers,
            weighted.integers_below,
            element.roundings,
            element.spread,
            weighted.stride,
            weighted.padding,
            CurrentPool(pool.op, pool.kernel) if pool else None,
            element.fires,
        )
        return [layer]

    def finish(self, rounding: Fraction) -> Source:
        """The source. rounding: as Source has it."""
        if self.summed:
            self.end_sums("the end")
        if self.open and not self.reasons and self.interface.readout in ("", "last_membrane"):
            # The sum of currents is the last potential of neurons that neither leak nor reset.
            last = self.open[0].where
            self.fire(Neurons(last, "none", (Fraction(1),), np.zeros(()), fires=False))
        ends = not self.open and not self.unread
        self.close("the end")
        classes = self.check_end() if ends else 0
        readout = self.interface.readout or self.usual_readout()
        interface = replace(self.interface, classes=classes or self.interface.classes or 1, readout=readout)
        return Source(interface, tuple(self.layers), tuple(self.reasons), rounding, tuple(self.elements))

    @property
    def last(self) -> SourceLayer | None:
        """The last layer with weights."""
        return next((layer for layer in reversed(self.layers) if isinstance(layer, SourceLayer)), None)

    def usual_readout(self) -> str:
        """What is read where nothing is asked for."""
        last = self.last
        return "count" if last is None or last.fires else "last_membrane"

    def check_end(self) -> int:
        """The classes that the last layer votes for, 0 if it could not be read."""
        last = self.last
        if last is not None and self.covers and self.layers[-1] is last:
            # The same numbers: one window, which is the map.
            flat = last.weights.reshape(last.outputs, -1)
            last = self.layers[-1] = replace(last, name=f"fc{self.counts['fc'] + 1}", weights=flat)
        if last is None:
            self.reasons += [] if self.reasons else ["no layers with weights and spiking neurons"]
        elif last.weights.ndim != 2 or self.layers[-1] is not last:
            reason = f"{last.where}: the last layer must be fully connected, since its neurons are the classes"
            self.reasons.append(not_in_hardware(reason))
        else:
            self.check_neurons(last)
            return self.check_classes(last)
        return 0

    def check_neurons(self, last: SourceLayer) -> None:
        """Neurons that never spike may only be the last ones, and their potentials are read."""
        for layer in self.layers:
            if isinstance(layer, SourceLayer) and not layer.fires and layer is not last:
                self.reasons.append(f"{layer.where}: neurons that do not spike; allowed: as the last ones")
        if not last.fires and self.interface.readout in SPIKE_READOUTS:
            reason = f"{last.where}: no spiking neurons between it and the end, and {self.interface.readout} was asked for"
            self.reasons.append(by_option(reason, "--readout"))

    def check_classes(self, last: SourceLayer) -> int:
        asked, size = self.interface.classes, self.vote.size if self.vote else 1
        alone = (self.interface.readout or self.usual_readout()) in MEMBRANE_READOUTS
        if alone and (size > 1 or asked not in (0, last.outputs)):
            why = f"{last.outputs} neurons, whose potentials are read, for {asked or last.outputs // size} classes"
            self.reasons.append(by_option(f"{last.where}: {why}; allowed: one for each", "--readout"))
        elif self.vote and last.outputs % size:
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
