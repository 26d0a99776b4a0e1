"""Single stages of random layers: planned as the tool plans them, run natively in Icarus or GHDL, and their expected outputs.

The expected spikes come from plain_model.py: scipy correlations and Python integers.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from duospike.cosim.conversion.convert import convert
from duospike.cosim.design.beats import grouped, image_beats, pack_fields, spike_beats
from duospike.cosim.design.build import build_stage
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.simulation.bench import Bench, Outcome
from duospike.cosim.simulation.network_run import SIMULATORS, stage_activity
from duospike.reference.network import Conv, Linear, Network, Neuron, Pool
from tests.benches.plain_model import conv_currents, linear_currents, neuron_spikes, pooled

KIND, LEAK = "subtract", (5, 3)


def random_layer(layer_type, shape, kind=KIND, leak=LEAK, bits=4, seed=1):
    """A layer of random weights, biases and thresholds, some of them negative, that fire at a fair rate."""
    choose = np.random.default_rng(seed)
    limit = 2 ** (bits - 1) - 1
    weights = choose.integers(-limit, limit + 1, shape)
    spread = 1 + limit * int(np.sqrt(weights[0].size)) // 2
    bias, theta = choose.integers(-spread, spread + 1, shape[0]), choose.integers(-spread // 3, 1 + spread, shape[0])
    return layer_type("conv1" if layer_type is Conv else "fc1", weights, bias, theta, bits, Neuron(kind, *leak))


def random_conv(outputs, channels, kernel, stride=(1, 1), less=(0, 0), **random):
    """A random convolution. kernel: (rows, columns). less: zeros by which its padding is narrower than the kernel reaches
    behind a pixel."""
    layer = random_layer(Conv, (outputs, channels, *kernel), **random)
    padding = tuple((size - 1) // 2 - fewer for size, fewer in zip(kernel, less, strict=True))
    return dataclasses.replace(layer, stride=stride, padding=padding)


def possible_less(size, kernel, less):
    """The same, or as near to it as the kernel and a map of (rows, columns) allow."""
    most = [min((taps - 1) // 2, (extent + 2 * ((taps - 1) // 2) - taps) // 2) for extent, taps in zip(size, kernel, strict=True)]
    return tuple(min(fewer, bound) for fewer, bound in zip(less, most, strict=True))


def with_fault(layer, what, weight, step=6):
    """The layer with one number changed: the weight at that index turned to the far end, or a bias or theta of output 1."""
    values = getattr(layer, what).copy()
    if what == "weights":
        values[weight] = (1 if values[weight] < 0 else -1) * (2 ** (layer.weight_bits - 1) - 1)
    else:
        values[1] += step
    return dataclasses.replace(layer, **{what: values})


def plan_stage(
    layer, shape, lanes, *, lanes_in=None, timesteps=2, queue_depth=16, parts=1, image_bits=None, image_signed=False,
    coding="direct", multipliers=None, sums=None,
):  # fmt: skip
    """Parameters of the stage of one layer, Conv, Linear or Pool, with an input of `shape` (channels, height, width).

    parts: of a row of a sparse layer. image_bits: the layer is the first one and takes the image, by `coding`; else `lanes_in`
    lanes of spikes come in. multipliers: of a lane of a fully connected layer that takes the image. sums: rows and columns of
    windows whose spikes are summed in front of the layer, or None.
    """
    channels, height, width = shape
    layers, input_shape, all_lanes = [layer], shape, {layer.name: lanes}
    neuron = Neuron(KIND, *LEAK)
    if image_bits is None:
        before = np.ones((channels, 1, 1, 1), int)
        layers.insert(0, Conv("conv99", before, np.zeros(channels, int), np.zeros(channels, int), 2, neuron))
        input_shape, all_lanes["conv99"] = (1, height, width), lanes_in
    if sums:
        layers.insert(len(layers) - 1, Pool("pool98", "sum", sums))
    summed = (channels, height // sums[0], width // sums[1]) if sums else shape
    outputs = int(np.prod(layer.output_shape(summed)))
    if not isinstance(layer, Linear):
        layers.append(Linear("fc99", np.ones((1, outputs), int), np.zeros(1, int), np.zeros(1, int), 2, neuron))
        outputs, all_lanes["fc99"] = 1, 1
    if isinstance(layer, Pool):
        del all_lanes[layer.name]
    network = Network(input_shape, image_bits or 8, image_signed, timesteps, outputs, tuple(layers), coding=coding)
    row_parts = {layer.name: parts} if image_bits is None and not isinstance(layer, Pool) else {}
    wanted = {layer.name: multipliers} if multipliers else None
    sizing = choose_sizing(network, all_lanes, row_parts, queue_depth=queue_depth, lane_multipliers=wanted)
    return plan_stages(network, sizing)[layer.name]


def expected_currents(layer, maps):
    """Currents [frames, timesteps, outputs, height, width] of a layer with neurons; maps: its input in the same form."""
    compute = conv_currents if isinstance(layer, Conv) else linear_currents
    return np.array([[compute(layer, step.astype(np.int64)) for step in frame] for frame in maps])


def current_beats(currents, lanes, current_bits):
    """Beats of currents: frame, row, group, column; field lane * timesteps + t. Lanes beyond the last output are 0."""
    words = []
    for frame in currents:
        by_group = grouped(frame.transpose(1, 0, 2, 3), lanes).transpose(3, 0, 4, 1, 2)  # [y, group, x, lane, t]
        words += pack_fields(by_group.reshape(-1, lanes * len(frame)), current_bits)
    return words


def expected_spikes(layer, maps):
    """Spikes of a layer with neurons, in the form of expected_currents()."""
    currents = expected_currents(layer, maps)
    spikes = np.zeros_like(currents)
    for frame, channel, y, x in np.ndindex(currents.shape[0], *currents.shape[2:]):
        series = [int(a) for a in currents[frame, :, channel, y, x]]
        spikes[frame, :, channel, y, x] = neuron_spikes(layer.neuron.of_output(channel), int(layer.theta[channel]), series)
    return spikes


def expected_pooled(maps, layer=Pool("pool1")):  # noqa: B008 (it does not change)
    return np.array([[pooled(step, layer) for step in frame] for frame in maps])


@dataclass
class StageRun:
    """beats: output payloads. activity: counters, by name, at the last beat. outcome: see duospike.cosim.simulation.bench."""

    beats: list[int]
    activity: dict[str, int]
    outcome: Outcome


def run_native(stage, beats, frame_beats, expected, stalls=(0, 0), *, simulator, folder, seed=1):
    """Run a stage in one of network_run.SIMULATORS, in a new folder below `folder`.

    stalls: of 256 cycles those in which source and sink hold back.
    """
    language, run = SIMULATORS[simulator]
    bench = Bench(
        modules=tuple(convert(build_stage(stage), language=language)), beats=tuple(beats), frame_beats=frame_beats,
        expected=expected, src_stall=stalls[0], dst_stall=stalls[1], seed=seed, idle_limit=5_000,
    )  # fmt: skip
    outcome = run(bench, Path(mkdtemp(dir=folder))).complete()
    return StageRun([beat.value("dst") for beat in outcome.streams["dst"]], stage_activity(outcome.activity_word), outcome)


def run_spiking(native, stage, layer, maps, lanes_in, stalls=(0, 0), sums=None):
    """Run a stage on spikes and compare its output, every bit of it, with the plain model. native: the fixture.

    sums: see plan_stage().
    """
    inputs = expected_pooled(maps, Pool("pool1", "sum", sums)) if sums else maps
    spikes = expected_pooled(maps, layer) if isinstance(layer, Pool) else expected_spikes(layer, inputs)
    beats, expected = spike_beats(maps, lanes_in), spike_beats(spikes, stage.lanes)
    run = native(stage, beats, len(beats) // len(maps), len(expected), stalls)
    assert tuple(run.beats) == expected
    return run


def run_dense(native, stage, layer, images, stalls=(0, 0)):
    """Run a dense stage on images [frames, channels, height, width], or with frames [frames, timesteps, channels, height, width],
    and compare. native: the fixture."""
    maps = np.repeat(images[:, None], stage.timesteps, axis=1) if images.ndim == 4 else images
    expected = spike_beats(expected_spikes(layer, maps), stage.lanes)
    beats = image_beats(images, stage.image_bits, frames=stage.frames)
    run = native(stage, beats, len(beats) // len(images), len(expected), stalls)
    assert tuple(run.beats) == expected
    return run
