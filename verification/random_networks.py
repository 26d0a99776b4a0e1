"""Random networks through the hardware: `python -m verification.random_networks --count 1000 --seed 1`.

Each network is drawn from the seed and its number, its shape, numbers, sizing and images alike. Its Verilog runs in Icarus
twice, once with nothing held back and once with random stalls on either or both sides. Every spike of every stage, all class
counts and classes must be those of tests/benches/plain_model.py, which shares no arithmetic with the project; counters, starts,
firsts and lasts of the run without stalls must be those of the cycle model.

A line for each finished network goes to DIR/networks.jsonl, so that a run that was stopped goes on from there. At the end,
and with --table at any time, a table says what was drawn, how much was compared, and what was wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.figures.page import machine, write_section
from benchmarks.figures.record import by_name, comment
from duospike.cosim.cycles.model import CycleRun, run_model
from duospike.cosim.design.plan import READOUT, image_packet_beats, plan_stages
from duospike.cosim.design.sizing import Sizing, choose_sizing, dense_fc_image, divisors, pixel_beats
from duospike.cosim.errors import CosimError
from duospike.cosim.markdown import markdown_table
from duospike.cosim.simulation.bench import Outcome
from duospike.cosim.simulation.compare import first_mismatch
from duospike.cosim.simulation.network_run import SIMULATORS, NetworkRun, network_bench
from duospike.reference import golden
from duospike.reference.coding import CODINGS, ENCODER, SPIKE_CODINGS
from duospike.reference.errors import InputError
from duospike.reference.network import (
    CURRENT_POOLS,
    IMAGE_BITS,
    KERNELS,
    MEMBRANE_READOUTS,
    READOUTS,
    WEIGHT_BITS,
    Conv,
    CurrentPool,
    Layer,
    Linear,
    Network,
    Neuron,
    Pool,
)
from duospike.reference.widths import layer_widths
from duospike.rtl.checks import RESETS
from duospike.rtl.errors import DesignError
from duospike.rtl.stage import Stage
from tests.benches.plain_model import encoded, membranes_of, scores_of, spikes_of

ROOT = Path(__file__).parents[1]
MAX_OUTPUTS = 5_000
"""Neuron outputs of a network on all its images, which Icarus computes twice in some seconds; twice as many with more than 64
timesteps."""
MAX_BEATS = 4_000
"""Beats of all images that the first stage takes in all passes."""
MAX_MULTIPLIERS = 120
"""Products, or partial sums, that a stage forms in a cycle."""
TIMESTEPS = (1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 25, 64, 65, 300, 1024)
TIMESTEP_CLASSES = ((1, "1"), (8, "2 to 8"), (64, "9 to 64"), (1024, "65 to 1024"))
FC_FIRST = 0.25
"""Share of the networks that have fully connected layers alone."""
PASS_TIMESTEPS = 8
FAR_BEYOND = 2**27
"""No bias or threshold of that size is accepted."""
QUEUE_DEPTHS = (1, 2, 3, 5, 16, 40)
STALLS = ((0, 90), (90, 0), (60, 60), (0, 230), (230, 0), (200, 200))
NAME = "random-networks"
"""Of the figures, and of their section in docs/."""
FIELDS = ("networks", "neuron outputs compared", "wrong", "cycles differ")


@dataclass(frozen=True, eq=False)
class Case:
    """What is drawn. images: see Network.check_images. stalls: of the second run, source and sink, see Bench. traits: what the
    table lists the network under."""

    network: Network
    sizing: Sizing
    stages: dict[str, Stage]
    images: np.ndarray
    stalls: tuple[int, int]
    traits: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """The result for a network. outputs: neuron outputs compared, in both runs. wrong: the first difference of each comparison
    of bits that fails. cycles: the first difference from the cycle model, or None."""

    outputs: int
    wrong: tuple[str, ...]
    cycles: str | None
    traits: tuple[str, ...]


def draw(seed: int, number: int) -> Case:
    """The network of that number: its input is drawn first, then layers and numbers until the project accepts them."""
    choose = np.random.default_rng([seed, number])
    pixels = _draw_pixels(choose)
    while True:
        try:
            return _draw_case(choose, pixels)
        except (InputError, DesignError, _TooLarge):
            continue


class _TooLarge(Exception):
    """The network would take too long."""


def _pick(choose: np.random.Generator, values: Sequence):
    return values[int(choose.integers(len(values)))]


@dataclass(frozen=True)
class Pixels:
    """How the image comes; the fields are Network's, except fc_first: it has fully connected layers alone."""

    coding: str
    coding_seed: int
    image_bits: int
    image_signed: bool
    timesteps: int
    fc_first: bool


def _draw_pixels(choose: np.random.Generator) -> Pixels:
    coding = _pick(choose, CODINGS)
    bits = 1 if coding == "events" else int(_pick(choose, [*IMAGE_BITS, 1, 8, 8, 16]))
    seed = int(choose.integers(2**32)) if coding == "rate" else 0
    takes_spikes, timesteps = coding in SPIKE_CODINGS, int(_pick(choose, TIMESTEPS))
    signed, fc_first = not takes_spikes and choose.random() < 0.5, choose.random() < FC_FIRST
    return Pixels(coding, seed, bits, signed, timesteps, fc_first)


def _draw_case(choose: np.random.Generator, pixels: Pixels) -> Case:
    timesteps, count = pixels.timesteps, int(choose.integers(1, 5))
    shape, kind = _draw_shape(choose, pixels.fc_first)
    layers = _draw_layers(choose, shape, pixels.fc_first, pixels.coding in SPIKE_CODINGS)
    last = layers[-1]
    assert isinstance(last, Linear)
    readout = _pick(choose, ["count", "count", *READOUTS[1:]])
    classes = last.outputs if readout in MEMBRANE_READOUTS else int(_pick(choose, divisors(last.outputs)))
    network = Network(
        shape, pixels.image_bits, pixels.image_signed, timesteps, classes, layers,
        coding=pixels.coding, coding_seed=pixels.coding_seed, readout=readout,
    )  # fmt: skip
    outputs = sum(int(np.prod(shape)) for shape in network.shapes[1:])
    if outputs * timesteps * count > MAX_OUTPUTS * (2 if timesteps > 64 else 1):
        raise _TooLarge
    images = _draw_images(choose, network, count)
    network, numbers = _with_numbers(choose, network, images)
    sizing = _draw_sizing(choose, network)
    stages = plan_stages(network, sizing)
    if image_packet_beats(stages) * count > MAX_BEATS:
        raise _TooLarge
    stalls = _pick(choose, STALLS)
    traits = (*traits_of(network, sizing, images, stalls), kind, *numbers)
    return Case(network, sizing, stages, images, stalls, tuple(dict.fromkeys(traits)))


def _draw_shape(choose: np.random.Generator, fc_first: bool) -> tuple[tuple[int, int, int], str]:
    """Input shape and what kind of a map it is."""
    kind = _pick(choose, ["map: any small", "map: odd sides", "map: long and thin", "map: narrow"])
    if fc_first:
        kind, sides = "map: of a first fully connected layer", choose.integers(1, 8, 2)
    elif kind == "map: odd sides":
        sides = 2 * choose.integers(1, 8, 2) + 1
    elif kind == "map: long and thin":
        sides = choose.permutation([int(choose.integers(1, 6)), int(choose.integers(12, 41))])
    elif kind == "map: narrow":
        sides = choose.permutation([int(choose.integers(1, 4)), int(choose.integers(1, 10))])
    else:
        sides = choose.integers(1, 11, 2)
    return (int(choose.integers(1, 5)), int(sides[0]), int(sides[1])), kind


def _draw_layers(
    choose: np.random.Generator, shape: tuple[int, int, int], fc_first: bool, takes_spikes: bool
) -> tuple[Layer, ...]:
    """Layers of which only the shapes are drawn yet."""
    layers: list[Layer] = []
    steps, forced_pools = int(choose.integers(0, 6)), choose.random() < 0.2
    channels, height, width = shape
    for step in range(0 if fc_first else 1 + steps):
        after_sum = layers and isinstance(layers[-1], Pool) and layers[-1].op == "sum"
        may_pool = (layers or takes_spikes) and not after_sum
        wanted = forced_pools or choose.random() < (0.7 if height % 2 or width % 2 else 0.4)
        if may_pool and wanted and (step or choose.random() < 0.2):
            layers.append(_draw_pool(choose, f"pool{step + 1}", (height, width)))
            _, height, width = layers[-1].output_shape((channels, height, width))
        else:
            layer = _draw_conv(choose, f"conv{step + 1}", (channels, height, width))
            layers.append(_with_current_pool(choose, layer, (channels, height, width)))
            channels, height, width = layers[-1].output_shape((channels, height, width))
    inputs = channels * height * width
    for step in range(int(choose.integers(1, 4))):
        outputs = int(choose.integers(1, _pick(choose, [10, 10, 10, 31])))
        layers.append(_blank_linear(f"fc{step + 1}", (outputs, inputs)))
        inputs = outputs
    return tuple(layers)


def _draw_pool(choose: np.random.Generator, name: str, size: tuple[int, int]) -> Pool:
    """A pool of a map of that size: often the plain one, sums of windows side by side, or the OR of any windows."""
    if choose.random() < 0.5 and min(size) >= 2:
        return Pool(name)
    kernel = _draw_window(choose, size)
    if choose.random() < 0.45:
        return Pool(name, "sum", kernel)
    stride = int(_pick(choose, [1, 2, 2, 3, 4])), int(_pick(choose, [1, 2, 2, 3, 4]))
    padding = int(choose.integers(kernel[0] // 2 + 1)), int(choose.integers(kernel[1] // 2 + 1))
    return Pool(name, "or", kernel, stride, padding)


def _draw_window(choose: np.random.Generator, size: tuple[int, int]) -> tuple[int, int]:
    """A window that fits a map of that size; one in ten is the whole map."""
    if choose.random() < 0.1:
        return size
    return int(choose.integers(1, min(size[0], 4) + 1)), int(choose.integers(1, min(size[1], 4) + 1))


def _with_current_pool(choose: np.random.Generator, layer: Conv, shape: tuple[int, int, int]) -> Conv:
    """A quarter of the convolutions pool their currents. shape: of the input."""
    if choose.random() >= 0.25:
        return layer
    kernel = _draw_window(choose, layer.current_size(shape[1:]))
    return dataclasses.replace(layer, current_pool=CurrentPool(_pick(choose, CURRENT_POOLS), kernel))


def _draw_conv(choose: np.random.Generator, name: str, shape: tuple[int, int, int]) -> Conv:
    """A convolution of a map of that shape: often of a square kernel that keeps its size, else of any that has an output."""
    channels, height, width = shape
    outputs = int(choose.integers(1, _pick(choose, [8, 8, 8, 25])))
    if choose.random() < 0.4:
        size = int(_pick(choose, [1, 3, 3, 5, 7]))
        (rows, columns), stride, padding = (size, size), (1, 1), (size // 2, size // 2)
    else:
        (rows, down, top), (columns, across, left) = (_draw_axis(choose, extent) for extent in (height, width))
        stride, padding = (down, across), (top, left)
    zeros = np.zeros(outputs, np.int64)
    weights = np.zeros((outputs, channels, rows, columns), np.int64)
    return Conv(name, weights, zeros, zeros, 2, Neuron("subtract", 1, 1), stride, padding)


def _draw_axis(choose: np.random.Generator, extent: int) -> tuple[int, int, int]:
    """Taps, stride and padding of one axis of a map."""
    taps = int(_pick(choose, [taps for taps in KERNELS if extent + (taps - 1) // 2 * 2 >= taps]))
    most = (taps - 1) // 2
    padding = int(_pick(choose, [most, *(zeros for zeros in range(most + 1) if extent + 2 * zeros >= taps)]))
    return taps, int(_pick(choose, [1, 1, 2, 2, 3, 4])), padding


def _blank_linear(name: str, shape: tuple[int, int]) -> Linear:
    zeros = np.zeros(shape[0], np.int64)
    return Linear(name, np.zeros(shape, np.int64), zeros, zeros, 2, Neuron("subtract", 1, 1))


def _draw_images(choose: np.random.Generator, network: Network, count: int) -> np.ndarray:
    """Images of random pixels, of the ends of their range, or of one of the ends only."""
    low, high = network.pixel_range
    images = choose.integers(low, high + 1, (count, *network.image_shape))
    for image in images:
        way = choose.integers(6)
        if way == 0:
            image[...] = _pick(choose, [low, high])
        elif way == 1:
            image[...] = np.where(choose.random(image.shape) < choose.random(), high, low)
        elif way == 2:
            image[...] = np.where(choose.random(image.shape) < 0.1, image, max(0, low))
    return images


def _with_numbers(choose: np.random.Generator, network: Network, images: np.ndarray) -> tuple[Network, list[str]]:
    """The network with weights, biases, thresholds and neurons, and their traits."""
    maps = golden.first_maps(network, images)
    layers: list[Layer] = []
    traits: list[str] = []
    for layer, inputs in zip(network.layers, network.input_ranges, strict=True):
        if isinstance(layer, Pool):
            maps = golden.pool(layer, maps)
        else:
            layer, of_layer = _draw_numbers(choose, layer, maps, inputs, network.timesteps)
            traits += of_layer
            maps = golden.fire(layer, golden.layer_currents(layer, maps), network.timesteps)
        layers.append(layer)
    return dataclasses.replace(network, layers=tuple(layers)), traits


def _draw_numbers(
    choose: np.random.Generator, layer: Conv | Linear, maps: torch.Tensor, inputs: tuple[int, int], timesteps: int
) -> tuple[Conv | Linear, list[str]]:
    """The layer with numbers that widths.layer_widths accepts; InputError if none of a few are. maps: what comes in."""
    bits = int(_pick(choose, list(WEIGHT_BITS)))
    limit, shape = 2 ** (bits - 1) - 1, layer.weights.shape
    how = _pick(choose, ["any", "any", "any", "ends of their range", "all the largest", "all the smallest", "mostly 0"])
    weights = {
        "any": choose.integers(-limit, limit + 1, shape),
        "ends of their range": np.where(choose.random(shape) < 0.5, limit, -limit),
        "all the largest": np.full(shape, limit),
        "all the smallest": np.full(shape, -limit),
        "mostly 0": np.where(choose.random(shape) < 0.15, limit, 0),
    }[how]
    neuron, leak = _draw_neuron(choose, layer.outputs)
    layer = dataclasses.replace(layer, weights=weights, weight_bits=bits, neuron=neuron)
    spread = int(_pick(choose, [0, limit, 8 * limit]))
    layer = dataclasses.replace(layer, bias=choose.integers(-spread, spread + 1, layer.outputs))
    layer, thresholds = _draw_thresholds(choose, layer, maps, inputs, timesteps)
    return layer, [f"weights: {how}", f"weights: {bits} bits", f"reset: {neuron.reset}", leak, thresholds]


def _draw_neuron(choose: np.random.Generator, outputs: int) -> tuple[Neuron, str]:
    shift, reset = int(_pick(choose, [0, 1, 3, 5, 8, 12, 16])), _pick(choose, RESETS)
    if choose.random() < 0.3:
        each = choose.integers(0, 2**shift + 1, outputs)
        return Neuron(reset, tuple(each.tolist()), shift), "leak: of each channel"
    multiplier = int(_pick(choose, [0, 2**shift, *choose.integers(0, 2**shift + 1, 4)]))
    trait = {0: "leak: beta 0", 2**shift: "leak: beta 1"}.get(multiplier, "leak: beta between 0 and 1")
    return Neuron(reset, multiplier, shift), trait


def _draw_thresholds(
    choose: np.random.Generator, layer: Conv | Linear, maps: torch.Tensor, inputs: tuple[int, int], timesteps: int
) -> tuple[Conv | Linear, str]:
    """The layer with thresholds and, at the edge of what is accepted, other biases."""
    currents = golden.layer_currents(layer, maps)
    of_channel = currents.transpose(0, 2).flatten(1).numpy()
    share = choose.uniform(0.05, 0.98, layer.outputs)
    fair = np.array([int(np.quantile(row, q)) for row, q in zip(of_channel, share, strict=True)])
    span = 1 + int(np.abs(of_channel).max())
    how = _pick(choose, [*["within the currents"] * 3, "any", "negative", "always or never fire", "edge"])
    if how == "edge":
        return _at_the_edge(choose, layer, fair, inputs, timesteps), "bias and theta: at the edge of what is accepted"
    always = np.where(choose.random(layer.outputs) < 0.5, -1, 1) * (span * timesteps + 1)
    theta = {
        "within the currents": fair,
        "any": choose.integers(-span, span + 1, layer.outputs),
        "negative": -choose.integers(1, span + 1, layer.outputs),
        "always or never fire": always,
    }[how]
    layer = dataclasses.replace(layer, theta=theta)
    layer_widths(layer, inputs, timesteps)
    return layer, f"theta: {how}"


def _at_the_edge(
    choose: np.random.Generator, layer: Conv | Linear, fair: np.ndarray, inputs: tuple[int, int], timesteps: int
) -> Conv | Linear:
    """The layer with the largest biases of random signs, thresholds that follow them, or either alone, that are accepted."""
    of_bias = np.where(choose.random(layer.outputs) < 0.5, -1, 1) * (choose.random(layer.outputs) < 0.7)
    of_theta = np.where(choose.random(layer.outputs) < 0.7, of_bias, choose.integers(-1, 2, layer.outputs))

    def moved(size: int) -> Conv | Linear:
        return dataclasses.replace(layer, bias=layer.bias + of_bias * size, theta=fair + of_theta * size)

    return moved(largest(lambda size: _accepted(moved(size), inputs, timesteps), FAR_BEYOND))


def _accepted(layer: Conv | Linear, inputs: tuple[int, int], timesteps: int) -> bool:
    try:
        layer_widths(layer, inputs, timesteps)
    except InputError:
        return False
    return True


def largest(holds: Callable[[int], bool], limit: int) -> int:
    """The largest number below `limit` at which `holds`, which is true up to some number and false from there on.

    InputError if it does not hold at 0.
    """
    if not holds(0):
        raise InputError("nothing is accepted")
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _draw_sizing(choose: np.random.Generator, network: Network) -> Sizing:
    """Lanes from one to all, multipliers, row parts, timesteps of a pass, depth of the queues."""
    timesteps = int(_pick(choose, [n for n in divisors(network.timesteps) if n <= PASS_TIMESTEPS]))
    lanes, is_dense = {}, not network.takes_spikes
    multipliers = {name: _draw_multipliers(choose, *image) for name, image in dense_fc_image(network).items()}
    for layer in network.layers:
        if isinstance(layer, Pool):
            continue
        # Of a lane: a dense stage multiplies all inputs of a word, a sparse stage adds to all taps at all timesteps.
        taps = math.prod(layer.kernel) if isinstance(layer, Conv) else 1
        work = multipliers.get(layer.name, layer.weights[0].size) if is_dense else timesteps * taps
        most = max(1, min(layer.outputs, MAX_MULTIPLIERS // work))
        lanes[layer.name] = int(_pick(choose, [1, most, choose.integers(1, most + 1)]))
        is_dense = False
    row_parts = {}
    for name, beats in pixel_beats(network, lanes).items():
        row_parts[name] = int(_pick(choose, [1, beats, *divisors(beats)]))
    return choose_sizing(network, lanes, row_parts, timesteps, int(_pick(choose, QUEUE_DEPTHS)), multipliers)


def _draw_multipliers(choose: np.random.Generator, channels: int, pixels: int) -> int:
    """Multipliers of a lane: some of a pixel's channels, or those of some pixels."""
    whole = [channels * count for count in range(1, pixels + 1) if channels * count <= MAX_MULTIPLIERS]
    part = int(choose.integers(1, max(2, channels)))
    return int(_pick(choose, [part, part, *whole[-1:], _pick(choose, whole or [1])]))


def traits_of(network: Network, sizing: Sizing, images: np.ndarray, stalls: tuple[int, int]) -> list[str]:
    """What the table lists a network under, of what its numbers do not decide."""
    pools = [(layer, shape) for layer, shape in zip(network.layers, network.shapes, strict=False) if isinstance(layer, Pool)]
    pooled = [shape for layer, shape in pools if layer.is_plain]
    pairs = zip(network.layers, network.layers[1:], strict=False)
    passes, bits = network.timesteps // sizing.timesteps, network.image_bits
    convolutions = [layer for layer in network.layers if isinstance(layer, Conv)]
    convolved = [shape for layer, shape in zip(network.layers, network.shapes, strict=False) if isinstance(layer, Conv)]
    held = {(False, False): "none", (True, False): "image side", (False, True): "class side", (True, True): "both sides"}
    maybe = {
        "pool: drops an odd last row": any(height % 2 for _, height, _ in pooled),
        "pool: drops an odd last column": any(width % 2 for _, _, width in pooled),
        "pool: pools in a row": any(isinstance(one, Pool) and isinstance(other, Pool) for one, other in pairs),
        "pool: gives a map with a side of 1": any(min(height, width) < 4 for _, height, width in pooled),
        "pool: none": not pools,
        "pool: first layer": isinstance(network.layers[0], Pool),
        **_pool_traits([layer for layer, _ in pools], convolutions, network),
        "sizing: several passes": passes > 1,
        "sizing: rows in parts": any(number > 1 for number in sizing.row_parts.values()),
        "sizing: several frames a pass": network.coding == "frames" and sizing.timesteps > 1,
        "sizing: words of several pixels": any(of > network.input_shape[0] for of in sizing.lane_multipliers.values()),
        "sizing: words of parts of a pixel": any(of < network.input_shape[0] for of in sizing.lane_multipliers.values()),
        "sizing: queues of depth 1": sizing.queue_depth == 1,
        "pixels: signed": network.image_signed,
        **_kernel_traits(convolutions),
        "map: of one pixel, of a convolution": any(shape[1:] == (1, 1) for shape in convolved),
        "map: of one row or column, of a convolution": any(min(shape[1:]) == 1 < max(shape[1:]) for shape in convolved),
    }
    return [
        f"coding: {network.coding}",
        f"read-out: {network.readout}",
        "timesteps: " + next(name for most, name in TIMESTEP_CLASSES if network.timesteps <= most),
        *(name for name, holds in maybe.items() if holds),
        *(f"kernel: {taps} rows" for taps in sorted({layer.kernel[0] for layer in convolutions})),
        *(f"kernel: {taps} columns" for taps in sorted({layer.kernel[1] for layer in convolutions})),
        *(f"stride: {step}" for step in sorted({step for layer in convolutions for step in layer.stride})),
        "pixels: " + ("1 bit" if bits == 1 else "2 to 8 bits" if bits <= 8 else "9 to 16 bits"),
        "images back to back: " + ("1" if len(images) == 1 else "2 to 4"),
        f"stalls of the second run: {held[stalls[0] > 0, stalls[1] > 0]}",
    ]


def _kernel_traits(convolutions: Sequence[Conv]) -> dict[str, bool]:
    """Which of the kernels and output windows are unlike those that keep the size of a map."""
    return {
        "kernel: square and odd, of stride 1, keeps its map's size": any(layer.is_plain for layer in convolutions),
        "kernel: not square": any(layer.kernel[0] != layer.kernel[1] for layer in convolutions),
        "kernel: even": any(size % 2 == 0 for layer in convolutions for size in layer.kernel),
        "padding: less than the kernel takes": any(
            padding < (size - 1) // 2 for layer in convolutions for size, padding in zip(layer.kernel, layer.padding, strict=True)
        ),
    }


def _pool_traits(pools: Sequence[Pool], convolutions: Sequence[Conv], network: Network) -> dict[str, bool]:
    """How spikes and currents are pooled, other than by the OR of 2x2 spikes."""
    ors = [pool for pool in pools if pool.op == "or" and not pool.is_plain]
    axes = [axis for pool in ors for axis in zip(pool.kernel, pool.stride, pool.padding, strict=True)]
    sums = [number for number, layer in enumerate(network.layers) if isinstance(layer, Pool) and layer.op == "sum"]
    currents = [layer.current_pool for layer in convolutions if layer.current_pool]
    return {
        "pool: OR of other windows": bool(ors),
        "pool: windows overlap": any(stride < kernel for kernel, stride, _ in axes),
        "pool: windows with padding": any(padding for *_, padding in axes),
        "pool: sums before a convolution": any(isinstance(network.layers[number + 1], Conv) for number in sums),
        "pool: sums before a fully connected layer": any(isinstance(network.layers[number + 1], Linear) for number in sums),
        "pool: largest currents": any(pool.op == "max" for pool in currents),
        "pool: sums of currents": any(pool.op == "sum" for pool in currents),
    }


def check(case: Case, folder: Path, simulator: str = "icarus") -> Finding:
    """Run the network with and without stalls, and compare with the plain model and the cycle model."""
    network, stages, images = case.network, case.stages, case.images
    trace = plain_trace(network, images)
    language, run = SIMULATORS[simulator]
    bench = network_bench(network, stages, images, language)
    held = dataclasses.replace(bench, src_stall=case.stalls[0], dst_stall=case.stalls[1], seed=len(images))
    wrong = _golden_difference(network, images, trace)
    outcomes = []
    for name, each in (("free", bench), ("held", held)):
        (folder / name).mkdir()
        outcome = run(each, folder / name)
        outcomes.append(outcome)
        mismatch = first_mismatch(stages, trace, streams_of(stages, outcome))
        wrong += [f"{name}: {mismatch}"] if mismatch else [f"{name}: {outcome.fault}"] if outcome.fault else []
    free = NetworkRun(network, stages, images, bench, trace, outcomes[0], None)
    traits = case.traits
    if any(beats and beats[-1].cycle > outcomes[0].cycles for beats in outcomes[0].streams.values()):
        traits += ("a beat after the last class",)
    return Finding(2 * compared(trace), tuple(wrong), cycle_difference(run_model(stages, trace), free), traits)


def plain_trace(network: Network, images: np.ndarray) -> golden.Trace:
    """What the plain model computes, in the form of the golden model's result."""
    of_images = [spikes_of(network, image) for image in images]
    names = [layer.name for layer in network.layers if golden.gives_spikes(network, layer)]
    spikes = {name: np.array([each[name] for each in of_images]) for name in names}
    if network.takes_spikes:
        spikes[ENCODER] = np.array([encoded(network, image) for image in images])
    scores = [scores_of(network, image, each) for image, each in zip(images, of_images, strict=True)]
    membranes = None
    if network.reads_membranes:
        membranes = np.array([membranes_of(network, image, each) for image, each in zip(images, of_images, strict=True)])
    answers = np.array([each.index(max(each)) for each in scores])
    return golden.Trace(spikes, np.array(scores), answers, membranes=membranes)


def compared(trace: golden.Trace) -> int:
    """Outputs of a trace's layers, on all images at all timesteps; scores where potentials are read."""
    scores = 0 if trace.membranes is None else trace.scores.size
    return scores + sum(spikes.size for name, spikes in trace.spikes.items() if name != ENCODER)


def _golden_difference(network: Network, images: np.ndarray, plain: golden.Trace) -> list[str]:
    trace = golden.run(network, images)
    differ = [name for name, spikes in plain.spikes.items() if not np.array_equal(spikes, trace.spikes[name])]
    if not np.array_equal(trace.scores, plain.scores) or not np.array_equal(trace.predicted, plain.predicted):
        differ.append(READOUT)
    return [f"golden model: other spikes of {', '.join(differ)}"] if differ else []


def streams_of(stages: Mapping[str, Stage], outcome: Outcome) -> dict:
    """The recorded beats by stage name."""
    return {name: outcome.streams["dst" if name == READOUT else name] for name in stages}


def cycle_difference(model: CycleRun, run: NetworkRun) -> str | None:
    """The first of counters, cycles, starts, firsts and lasts in which the cycle model differs from a run without stalls."""
    if model.cycles != run.outcome.cycles:
        return f"cycles {model.cycles}, in the hardware {run.outcome.cycles}"
    if model.starts.tolist() != run.outcome.starts:
        return f"starts {model.starts.tolist()}, in the hardware {run.outcome.starts}"
    for name, beats in streams_of(run.stages, run.outcome).items():
        if model.activity[name] != run.activity[name]:
            return f"counters of {name} {model.activity[name]}, in the hardware {run.activity[name]}"
        if len(beats) % len(run.images):
            return f"{len(beats)} beats of {name} for {len(run.images)} images"
        by_image = np.array([beat.cycle for beat in beats]).reshape(len(run.images), -1)
        for what, ours, theirs in (("firsts", model.firsts, by_image[:, 0]), ("lasts", model.lasts, by_image[:, -1])):
            if ours[name].tolist() != theirs.tolist():
                return f"{what} of {name} {ours[name].tolist()}, in the hardware {theirs.tolist()}"
    return None


def run_all(seed: int, count: int, file: Path) -> None:
    """Check the networks from 0 to `count` that have no line in `file`, and add theirs."""
    done = {record["number"] for record in read_records(file, seed)}
    start = time.monotonic()
    with file.open("a") as lines:
        if not done and not file.stat().st_size:
            lines.write(json.dumps(origin(seed)) + "\n")
        for number in sorted(set(range(count)) - done):
            finding = _finding(draw(seed, number))
            lines.write(json.dumps({"number": number} | dataclasses.asdict(finding)) + "\n")
            lines.flush()
            verdict = "; ".join([*finding.wrong, *([finding.cycles] if finding.cycles else [])]) or "equal"
            print(f"{time.monotonic() - start:.0f} s: network {number}: {verdict}", flush=True)


def _finding(case: Case) -> Finding:
    """The result of check(); an error of a tool or of the cycle model is a finding, too."""
    with TemporaryDirectory() as folder:
        try:
            return check(case, Path(folder))
        except CosimError as error:
            return Finding(0, (f"{type(error).__name__}: {error}",), None, case.traits)


def read_records(file: Path, seed: int) -> list[dict]:
    """The lines of a run. InputError: they are of another seed or of other sources. A line that was cut off is removed."""
    if not file.exists() or not file.stat().st_size:
        return []
    text = file.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole)
    records = [json.loads(line) for line in whole.splitlines()]
    if records and records[0] != origin(seed):
        raise InputError(f"{file}: of another seed or of other sources; allowed: another --out, or this file removed")
    return records[1:]


def origin(seed: int) -> dict:
    """What decides what the networks give: a run must not go on with another seed or other sources."""
    return {"seed": seed, "sources": by_name(NAME).sources()}


def table(records: Sequence[Mapping]) -> str:
    """A table of Markdown: all networks, then those of each trait."""
    traits = sorted({trait for record in records for trait in record["traits"]})
    rows = [_row("all", records), *(_row(trait, [r for r in records if trait in r["traits"]]) for trait in traits)]
    return markdown_table(["drawn", *FIELDS], rows)


def _row(title: str, records: Iterable[Mapping]) -> list[str]:
    found = list(records)
    numbers = (
        len(found), sum(record["outputs"] for record in found), sum(bool(record["wrong"]) for record in found),
        sum(record["cycles"] is not None for record in found),
    )  # fmt: skip
    return [title, *map(str, numbers)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="number of networks (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="what they are drawn from (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("runs/random-networks"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--table", action="store_true", help="only print the table of what is done")
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "networks.jsonl"
    try:
        if not args.table:
            torch.set_num_threads(1)
            run_all(args.seed, args.count, file)
        records = read_records(file, args.seed)
    except InputError as error:
        print(f"random_networks: {error}", file=sys.stderr)
        return 2
    print(table(records))
    if args.write:
        found = {"seconds": None, "sources": by_name(NAME).sources()}
        head = f"`python -m verification.random_networks`, the first {len(records)} networks of seed {args.seed}, on {machine()}."
        write_section(NAME, f"{comment(NAME, found)}\n\n{head}\n\n{table(records)}")
    return int(any(record["wrong"] or record["cycles"] for record in records))


if __name__ == "__main__":
    sys.exit(main())
