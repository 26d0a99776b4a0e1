"""Dynamic energy of an accelerator, modelled: operations counted from spikes and counters, times published coefficients.

What is counted, and what is not, is in docs/energy.md. Energies are in picojoules, those of a 45 nm process and not of an
FPGA, without clock and static power: ratios are the result, not joules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from reference.coding import ENCODER
from reference.golden import Trace
from reference.network import Conv, Linear, Network
from rtl.accumulator import row_padding
from rtl.dense_core import DenseCore
from rtl.pool import Pool
from rtl.scanner import event_width
from rtl.sparse_conv import SparseConv
from rtl.sparse_fc import SparseFc

from .plan import Stage

FLOAT_BITS = 32
BANK_BYTES = 8192
"""Larger memories are made of banks of this size."""


@dataclass(frozen=True)
class Coefficients:
    """Picojoules of operations, after M. Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9: 45 nm, 0.9 V.

    add8, add32: of an integer addition of 8 and of 32 bits; others lie on the line through both. multiply: of an integer
    product, for each bit of one factor times each of the other (3.1 for 32 x 32). float_add, float_multiply: of 32 bits.
    bank_bit: for each bit that goes to or from a memory of BANK_BYTES (10 for 64 bits of an 8 KiB cache); for a smaller one less,
    by the root of its share, as that figure's 32 KiB cache takes twice what its 8 KiB cache does.
    """

    add8: float = 0.03
    add32: float = 0.1
    multiply: float = 3.1 / 32**2
    float_add: float = 0.9
    float_multiply: float = 3.7
    bank_bit: float = 10 / 64


@dataclass(frozen=True)
class Operation:
    """Something that a stage does `count` times. what: its name in the breakdown. kind: add, multiply or access.

    bits: of the sum, of one factor, or of a word of memory. factor_bits: of the other factor. words: of the memory.
    number_bits: of each of the numbers that a word of memory is made of, 0 if those are spikes, events or pixels.
    is_float: additions and products of float32.
    """

    what: str
    kind: str
    count: int
    bits: int
    factor_bits: int = 0
    words: int = 0
    number_bits: int = 0
    is_float: bool = False

    def energy(self, by: Coefficients) -> float:
        """Picojoules in all."""
        if self.kind == "access":
            size = self.words * self.bits / 8
            each = by.bank_bit * self.bits * min(1.0, size / BANK_BYTES) ** 0.5
        elif self.kind == "add":
            each = by.float_add if self.is_float else by.add8 + (self.bits - 8) * (by.add32 - by.add8) / 24
        else:
            each = by.float_multiply if self.is_float else by.multiply * self.bits * self.factor_bits
        return self.count * each

    def as_float(self) -> Operation:
        """The same in the float twin: sums, products, weights and thresholds of 32 bits; spikes and pixels as they are."""
        if self.kind != "access":
            return replace(self, is_float=True)
        return replace(self, bits=self.bits // self.number_bits * FLOAT_BITS) if self.number_bits else self


Operations = dict[str, list[Operation]]
"""By stage name."""


def operations(
    network: Network, stages: Mapping[str, Stage], activity: Mapping[str, Mapping[str, int]], trace: Trace
) -> Operations:
    """What the stages do for the images of a trace; encoder and read-out are left out.

    activity: counters by stage name, of a run of the same images, each once.
    """
    done: Operations = {}
    images, spikes = len(trace.predicted), trace.spikes.get(ENCODER)
    for layer in network.layers:
        stage, out = stages[layer.name], trace.spikes[layer.name]
        if isinstance(stage, Pool):
            done[layer.name] = _pool(stage, images * network.timesteps // stage.timesteps)
        elif isinstance(stage, DenseCore):
            assert isinstance(layer, Conv)
            done[layer.name] = _dense(stage, layer, images) + _neurons(stage, layer, out)
        elif isinstance(stage, SparseConv | SparseFc):
            assert isinstance(layer, Conv | Linear) and spikes is not None
            done[layer.name] = _sparse(stage, layer, activity[layer.name], spikes) + _neurons(stage, layer, out)
        spikes = out
    return done


def _dense(stage: DenseCore, layer: Conv, images: int) -> list[Operation]:
    pixels = images * stage.passes * stage.height * stage.width
    windows, rows = pixels * stage.groups, images * stage.passes * stage.height * stage.groups
    products = windows * stage.lanes * stage.kernel**2 * stage.channels
    columns = pixels + windows * (stage.kernel + 1)
    return [
        Operation("image rows", "access", columns, stage.input_bits, words=stage.width),
        Operation("weights", "access", rows, stage.weights.width, words=stage.weights.depth, number_bits=layer.weight_bits),
        Operation("products", "multiply", products, layer.weight_bits, factor_bits=stage.image_bits),
        Operation("additions", "add", products, stage.neuron.current_bits),
    ]


def _sparse(stage: SparseConv | SparseFc, layer: Conv | Linear, counts: Mapping[str, int], spikes: np.ndarray) -> list[Operation]:
    """spikes: that come in, [image, timestep, channel, height, width]."""
    events, frames = counts["events"] + counts["silent"], len(spikes) * stage.passes
    if isinstance(stage, SparseConv):
        taps, pixels, rows = stage.kernel**2, stage.width, stage.height * stage.parts
        positions = stage.width + row_padding(stage.width, stage.groups, stage.kernel, stage.parts)
        # Each column is read from the line buffer when it enters the window, and written when it leaves.
        columns = 2 * frames * (rows + stage.kernel // 2) * stage.groups * positions
        kept_rows = stage.kernel if stage.parts > 1 else stage.kernel - 1
        kept = Operation(
            "partial sums", "access", columns, stage.lanes * stage.timesteps * kept_rows * stage.neuron.current_bits,
            words=stage.groups * positions, number_bits=stage.neuron.current_bits,
        )  # fmt: skip
    else:
        taps, pixels, rows = 1, 1, stage.parts
        has_memory = stage.groups > 1 and stage.parts > 1
        kept = Operation(
            "partial sums", "access", 2 * frames * rows * stage.groups if has_memory else 0,
            stage.lanes * stage.timesteps * stage.neuron.current_bits, words=stage.groups, number_bits=stage.neuron.current_bits,
        )  # fmt: skip
    beats = frames * rows * pixels * stage.chunks
    return [
        Operation(
            "row buffer", "access", beats * (1 + stage.groups), stage.input_bits, words=stage.banks * pixels * stage.chunks
        ),
        Operation(
            "queue", "access", 2 * events, event_width(stage.chunks * stage.lanes_in, stage.timesteps), words=stage.queue_depth
        ),
        Operation("weights", "access", events, stage.weights.width, words=stage.weights.depth, number_bits=layer.weight_bits),
        Operation("additions", "add", int(spikes.sum()) * stage.groups * stage.lanes * taps, stage.neuron.current_bits),
        kept,
    ]


def _neurons(stage: DenseCore | SparseConv | SparseFc, layer: Conv | Linear, out: np.ndarray) -> list[Operation]:
    """Leak, sum, comparison and reset of each neuron and timestep; bias and threshold; the memory between passes."""
    neuron, (images, timesteps, outputs, *place) = stage.neuron, out.shape
    pixels = images * stage.passes * int(np.prod(place))
    updates, beats = images * timesteps * outputs * int(np.prod(place)), pixels * stage.groups
    kept = beats * 2 if stage.passes > 1 else 0
    map_beats = int(np.prod(place)) * stage.groups
    return [
        Operation("bias", "access", beats, stage.bias.width, words=stage.groups, number_bits=neuron.current_bits),
        Operation("thresholds", "access", beats, neuron.theta.width, words=stage.groups, number_bits=neuron.theta_bits),
        Operation("neurons", "multiply", updates, neuron.potential_bits, factor_bits=max(1, neuron.multiplier.bit_length())),
        Operation("neurons", "add", 3 * updates, neuron.potential_bits),
        Operation(
            "state memory", "access", kept, stage.lanes * neuron.potential_bits, words=map_beats,
            number_bits=neuron.potential_bits,
        ),
    ]  # fmt: skip


def _pool(stage: Pool, frames: int) -> list[Operation]:
    """The pairs of every second row wait in a memory."""
    pairs = stage.groups * (stage.width // 2)
    return [Operation("row of pairs", "access", 2 * frames * (stage.height // 2) * pairs, stage.output_bits, words=pairs)]


def energy(done: Operations, by: Coefficients) -> dict[str, dict[str, float]]:
    """Picojoules by stage name and what the operation is."""
    found: dict[str, dict[str, float]] = {}
    for name, of_stage in done.items():
        found[name] = {}
        for operation in of_stage:
            found[name][operation.what] = found[name].get(operation.what, 0.0) + operation.energy(by)
    return found


def total(done: Operations, by: Coefficients) -> float:
    """Picojoules of all stages."""
    return sum(operation.energy(by) for of_stage in done.values() for operation in of_stage)


def as_float(done: Operations) -> Operations:
    """The operations of the float twin with the same spikes."""
    return {name: [operation.as_float() for operation in of_stage] for name, of_stage in done.items()}


def sensitivity(done: Operations, by: Coefficients) -> dict[str, tuple[float, float]]:
    """By coefficient: the float twin's energy over the network's, with that coefficient halved and doubled."""

    def ratio(changed: Coefficients) -> float:
        return total(as_float(done), changed) / total(done, changed)

    return {
        field.name: (
            ratio(replace(by, **{field.name: getattr(by, field.name) / 2})),
            ratio(replace(by, **{field.name: getattr(by, field.name) * 2})),
        )
        for field in fields(Coefficients)
    }
