"""Energy of an accelerator, modelled: operations counted from spikes and counters, times published coefficients.

What is counted, and what is not, is in docs/explanation/energy.md. Energies are in picojoules. The dynamic ones are those of a
45 nm process and not of an FPGA, without the clock; static_energy() is that of an FPGA's area: ratios are the result, not joules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from duospike.cosim.cycles.model import part_events
from duospike.reference.coding import ENCODER
from duospike.reference.golden import Trace
from duospike.reference.network import Conv, Linear, Network
from duospike.rtl.dense_core import DenseCore
from duospike.rtl.dense_fc import DenseFc
from duospike.rtl.fc_accumulator import has_state
from duospike.rtl.image_memory import BANKS
from duospike.rtl.pool import Pool
from duospike.rtl.sparse_conv import SparseConv
from duospike.rtl.stage import NeuronStage, SparseStage, Stage

FLOAT_BITS = 32
DRAWS, RANGE = 10_000, 2.0
"""Of all coefficients at once, and how far each may be from its value."""
BANK_BYTES = 8192
"""Larger memories are made of banks of this size."""
LUT_WATTS = 24e-3 * 1.2 / 22528
"""Static power for each LUT and what belongs to it: the quiescent current of the core of a Spartan-3A XC3S1400A (typical, 25 °C:
24 mA at 1.2 V; AMD/Xilinx DS529, "Quiescent Supply Current Characteristics"), shared out over its 22,528 LUTs."""


@dataclass(frozen=True)
class Coefficients:
    """Picojoules of operations, after M. Horowitz, "Computing's energy problem", ISSCC 2014, figure 1.1.9: 45 nm, 0.9 V.

    add8, add32: of an integer addition of 8 and of 32 bits; others lie on the line through both. multiply: of an integer
    product, for each bit of one factor times each of the other (3.1 for 32 x 32). float_add, float_multiply: of 32 bits.
    bank_bit: for each bit that goes to or from a memory of BANK_BYTES (10 for 64 bits of an 8 KiB cache); for a smaller one
    less, by the root of its share, as that figure's 32 KiB cache takes twice what its 8 KiB cache does.
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

    def energy(self, coefficients: Coefficients) -> float:
        """Picojoules in all."""
        if self.kind == "access":
            size = self.words * self.bits / 8
            each = coefficients.bank_bit * self.bits * min(1.0, size / BANK_BYTES) ** 0.5
        elif self.kind == "add":
            slope = (coefficients.add32 - coefficients.add8) / 24
            each = coefficients.float_add if self.is_float else coefficients.add8 + (self.bits - 8) * slope
        else:
            each = coefficients.float_multiply if self.is_float else coefficients.multiply * self.bits * self.factor_bits
        return self.count * each

    def as_float(self) -> Operation:
        """The same in the float twin: sums, products, weights and thresholds of 32 bits; spikes and pixels as they are."""
        if self.kind != "access":
            return replace(self, is_float=True)
        return replace(self, bits=self.bits // self.number_bits * FLOAT_BITS) if self.number_bits else self


Operations = dict[str, list[Operation]]
"""By stage name."""


def count_operations(
    network: Network, stages: Mapping[str, Stage], activity: Mapping[str, Mapping[str, int]], trace: Trace
) -> Operations:
    """What the stages do for the images of a trace; encoder and read-out are left out.

    activity: counters by stage name, of a run of the same images, each once.
    """
    operations: Operations = {}
    images, spikes = len(trace.predicted), trace.spikes.get(ENCODER)
    for layer in network.layers:
        if layer.name not in stages:
            continue  # Sums of spikes, which the next stage takes in.
        stage, out = stages[layer.name], trace.spikes.get(layer.name)
        if isinstance(stage, Pool):
            operations[layer.name] = _pool(stage, images * network.timesteps // stage.timesteps)
        elif isinstance(stage, DenseCore):
            assert isinstance(layer, Conv)
            operations[layer.name] = _dense(stage, layer, images) + _neurons(stage, layer, images)
        elif isinstance(stage, DenseFc):
            assert isinstance(layer, Linear)
            operations[layer.name] = _dense_fc(stage, layer, images) + _neurons(stage, layer, images)
        elif isinstance(stage, SparseStage):
            assert isinstance(layer, Conv | Linear) and spikes is not None
            operations[layer.name] = _sparse(stage, layer, activity[layer.name], spikes) + _neurons(stage, layer, images)
        spikes = out
    return operations


def _dense(stage: DenseCore, layer: Conv, images: int) -> list[Operation]:
    pixels = images * stage.passes * stage.input_beats
    windows = images * stage.passes * stage.groups * math.prod(stage.current_map) * stage.frames
    products = windows * stage.lanes * stage.inputs
    # Each pixel is written once, and read for each group with the others of its column, whether its window leaves or not.
    columns = pixels + pixels * stage.groups * (stage.kernel[0] + 1)
    bits = stage.sum_bits
    return [
        Operation("image rows", "access", columns, stage.input_bits, words=stage.width),
        Operation("weights", "access", windows, stage.weights.width, words=stage.weights.depth, number_bits=layer.weight_bits),
        Operation("bias", "access", windows, stage.bias.width, words=stage.groups, number_bits=bits),
        Operation("products", "multiply", products, layer.weight_bits, factor_bits=stage.image_bits),
        Operation("additions", "add", products, bits),
    ]


def _dense_fc(stage: DenseFc, layer: Linear, images: int) -> list[Operation]:
    """Each group of outputs reads all words of the image, and a word's products with each of its timesteps' values."""
    frames, bits = images * stage.passes, stage.neuron.current_bits
    reads = frames * stage.groups * stage.group_words
    sums = reads * stage.frames
    products = sums * stage.lanes * stage.multipliers
    kept = frames * stage.group_words + reads
    return [
        Operation("image", "access", kept, stage.word_bits, words=BANKS * stage.group_words),
        Operation("weights", "access", sums, stage.weights.width, words=stage.weights.depth, number_bits=layer.weight_bits),
        Operation("bias", "access", frames * stage.groups, stage.bias.width, words=stage.groups, number_bits=bits),
        Operation("products", "multiply", products, layer.weight_bits, factor_bits=stage.image_bits),
        Operation("additions", "add", products, bits),
    ]


def _sparse(stage: SparseStage, layer: Conv | Linear, counts: Mapping[str, int], spikes: np.ndarray) -> list[Operation]:
    """spikes: that come in, [image, timestep, channel, height, width]."""
    events, frames, bits = counts["events"] + counts["silent"], len(spikes) * stage.passes, stage.sum_bits
    chunks = np.maximum((part_events(spikes, stage) > 0).sum(1), 1)  # [pixel], that are read of it for each group
    fetched = int(chunks.sum()) * stage.groups + frames * stage.empty_pixels
    if isinstance(stage, SparseConv):
        # Each column is read from the line buffer when it enters the window, and written when it leaves.
        loads, kept_words, kept_bits = frames * stage.columns, stage.row_columns, stage.sums_bits * stage.waiting_sums
        kept = 2 * loads
    else:
        loads, kept_words, kept_bits = frames * stage.frame_parts * stage.groups, stage.groups, stage.sums_bits
        kept = 2 * loads if has_state(stage.row_parts, stage.groups) else 0
    taken = spikes[..., : stage.spike_sums.kept[0], : stage.spike_sums.kept[1]] if stage.spike_sums else spikes
    additions = int(taken.sum()) * stage.groups * stage.lanes * stage.taps
    beats = frames * stage.frame_parts * stage.part_beats
    return [
        Operation("row buffer", "access", beats + fetched, stage.input_bits, words=stage.buffer_words),
        Operation("queue", "access", 2 * events, stage.event_bits, words=stage.queue_depth),
        Operation("weights", "access", events, stage.weights.width, words=stage.weights.depth, number_bits=layer.weight_bits),
        Operation("bias", "access", loads, stage.bias.width, words=stage.groups, number_bits=bits),
        Operation("additions", "add", additions, bits),
        Operation("partial sums", "access", kept, kept_bits, words=kept_words, number_bits=bits),
    ]


def _neurons(stage: NeuronStage, layer: Conv | Linear, images: int) -> list[Operation]:
    """Leak, current, comparison and reset of each lane and timestep; threshold and leak; the memory between passes."""
    neuron, places = stage.neuron, stage.output_beats
    beats = images * stage.passes * places
    updates, kept = beats * stage.lanes * stage.timesteps, 2 * beats if stage.passes > 1 else 0
    additions = 1 + neuron.has_thresholds + (neuron.reset.startswith("subtract")) + (neuron.gives == "max_membrane")
    last_spikes = kept if neuron.reset == "subtract_delayed" else 0
    state = stage.lanes * neuron.potential_bits
    thresholds, leaks = (beats if table in neuron.tables else 0 for table in (neuron.theta, neuron.leaks))
    leak_bits, theta_bits = neuron.multiplier_bits, neuron.theta_bits
    return [
        *_pooled_currents(stage, images),
        Operation("thresholds", "access", thresholds, neuron.theta.width, words=stage.groups, number_bits=theta_bits),
        Operation("leaks", "access", leaks, stage.lanes * leak_bits, words=stage.groups, number_bits=leak_bits),
        Operation("neurons", "multiply", updates, neuron.potential_bits, factor_bits=leak_bits),
        Operation("neurons", "add", additions * updates, neuron.potential_bits),
        Operation("state memory", "access", kept, state, words=places, number_bits=neuron.potential_bits),
        Operation("state memory", "access", last_spikes, stage.lanes, words=places),
    ]


def _pooled_currents(stage: NeuronStage, images: int) -> list[Operation]:
    """A comparison or an addition for each current, and a delay line for rows of windows."""
    if stage.current_pool is None:
        return []
    rows, columns = (stage.current_pool.windows(axis, stage.current_map[axis]) for axis in (0, 1))
    maps, places, bits = images * stage.passes, stage.groups * columns.count, stage.neuron.current_bits
    currents = maps * stage.groups * rows.size * columns.size * stage.lanes * stage.timesteps
    accesses = 2 * maps * rows.size * places if rows.open else 0
    return [
        Operation("pool of currents", "add", currents, bits),
        Operation("rows of currents", "access", accesses, stage.currents_bits, words=places, number_bits=bits),
    ]


def _pool(stage: Pool, frames: int) -> list[Operation]:
    """What windows have so far goes to a delay line and comes back, in each row."""
    accesses = 2 * frames * stage.rows.positions * stage.row_windows if stage.rows.open else 0
    return [Operation("rows of windows", "access", accesses, stage.output_bits * stage.rows.open, words=stage.row_windows)]


def energy_by_stage(operations: Operations, coefficients: Coefficients) -> dict[str, dict[str, float]]:
    """Picojoules by stage name and what the operation is."""
    found: dict[str, dict[str, float]] = {}
    for name, of_stage in operations.items():
        found[name] = {}
        for operation in of_stage:
            found[name][operation.what] = found[name].get(operation.what, 0.0) + operation.energy(coefficients)
    return found


def total_energy(operations: Operations, coefficients: Coefficients) -> float:
    """Picojoules of all stages."""
    return sum(operation.energy(coefficients) for of_stage in operations.values() for operation in of_stage)


def static_energy(luts: float, cycles: float, clock_mhz: float) -> float:
    """Picojoules that leak from `luts` LUTs, those used as memory among them, in `cycles` of a clock."""
    return luts * LUT_WATTS * cycles / (clock_mhz * 1e6) * 1e12


def as_float(operations: Operations) -> Operations:
    """The operations of the float twin with the same spikes."""
    return {name: [operation.as_float() for operation in of_stage] for name, of_stage in operations.items()}


def by_coefficient(operations: Operations, coefficients: Coefficients) -> dict[str, float]:
    """Picojoules of all stages that are proportional to each coefficient; they add up to total_energy()."""
    nothing = dict.fromkeys((field.name for field in fields(Coefficients)), 0.0)

    def share(name: str) -> float:
        return total_energy(operations, Coefficients(**{**nothing, name: getattr(coefficients, name)}))

    return {name: share(name) for name in nothing}


def sensitivity(costs: Mapping[str, float], baseline: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """By coefficient: the energy over the baseline's, each by_coefficient(), with that coefficient halved and doubled."""

    def ratio(name: str, factor: float) -> float:
        changed, against = (sum(of.values()) + (factor - 1) * of[name] for of in (costs, baseline))
        return changed / against

    return {name: (ratio(name, 0.5), ratio(name, 2.0)) for name in costs}


def drawn_ratio(costs: Mapping[str, float], baseline: Mapping[str, float]) -> tuple[float, float, float]:
    """The energy over the baseline's, by_coefficient(), with all coefficients drawn at once: median, and ends of 95 % of DRAWS.

    Each coefficient is multiplied by a number of its own between 1/RANGE and RANGE, whose logarithm is uniform; always the
    same draws.
    """
    factors = RANGE ** np.random.default_rng(0).uniform(-1, 1, (DRAWS, len(costs)))
    ours, theirs = (factors @ np.array([of[name] for name in costs]) for of in (costs, baseline))
    low, middle, high = np.quantile(ours / theirs, (0.025, 0.5, 0.975))
    return float(middle), float(low), float(high)


def memory_share(costs: Mapping[str, float]) -> float:
    """The share of an energy by_coefficient() that is access to memory."""
    return costs["bank_bit"] / sum(costs.values())
