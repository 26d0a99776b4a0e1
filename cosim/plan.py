"""From a network of plain integers to the stages of an accelerator: widths, lanes and the layout of the weights."""

from __future__ import annotations

import numpy as np

from reference.errors import InputError
from reference.network import Conv, Linear, Network, Pool
from reference.widths import LayerWidths, prove_widths
from rtl.dense_core import DenseCore
from rtl.lif import Lif
from rtl.memory import Table
from rtl.pool import Pool as PoolStage
from rtl.readout import Readout
from rtl.sparse_conv import SparseConv
from rtl.sparse_fc import SparseFc
from rtl.stream import check_lanes, groups_of

from .beats import grouped, pack_fields

Stage = DenseCore | SparseConv | SparseFc | PoolStage | Readout
DEFAULT_LANES = 8
QUEUE_DEPTH = 16
READOUT = "readout"


def choose_lanes(network: Network, wanted: dict[str, int] | int | None = None) -> dict[str, int]:
    """Lanes of every convolution and fully connected layer.

    wanted: lanes by layer name, or one number for all; a layer that is not named gets DEFAULT_LANES, or all its
    outputs if it has fewer. InputError for a name that no such layer has, DesignError for a number it cannot have.
    """
    layers = {layer.name: layer.outputs for layer in network.layers if not isinstance(layer, Pool)}
    if isinstance(wanted, int):
        wanted = dict.fromkeys(layers, wanted)
    for name in wanted or {}:
        if name not in layers:
            raise InputError(f"lanes for {name!r}: no such layer; allowed: {', '.join(layers)}")
    lanes = {name: min(DEFAULT_LANES, outputs) for name, outputs in layers.items()} | (wanted or {})
    for name, outputs in layers.items():
        check_lanes(name, lanes[name], outputs)
    return lanes


def plan_stages(network: Network, lanes: dict[str, int], queue_depth: int = QUEUE_DEPTH) -> dict[str, Stage]:
    """The stages of the accelerator in order, by name: one for each layer, and the read-out."""
    widths = prove_widths(network)
    stages: dict[str, Stage] = {}
    lanes_in = 0
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        channels, height, width = shape
        if isinstance(layer, Pool):
            stages[layer.name] = PoolStage(height, width, groups_of(channels, lanes_in), lanes_in, network.timesteps)
            continue
        common = _common(layer, widths[layer.name], lanes[layer.name], network.timesteps)
        if isinstance(layer, Linear):
            stages[layer.name] = _sparse_fc(layer, shape, lanes_in, queue_depth, common)
        elif stages:
            stages[layer.name] = _sparse_conv(layer, shape, lanes_in, queue_depth, common)
        else:
            stages[layer.name] = _dense_core(network, layer, common)
        lanes_in = lanes[layer.name]
    outputs = network.shapes[-1][0]
    stages[READOUT] = Readout(outputs, lanes_in, network.timesteps, network.classes)
    return stages


def _common(layer: Conv | Linear, widths: LayerWidths, lanes: int, timesteps: int) -> dict:
    """What every stage with neurons takes."""
    theta = _table(layer, "theta", grouped(layer.theta, lanes), widths.theta_bits)
    potential_bits = max(widths.potential_bits, widths.state_bits, widths.theta_bits, widths.current_bits)
    neuron = layer.neuron
    return {
        "outputs": layer.outputs,
        "lanes": lanes,
        "timesteps": timesteps,
        "bias": _table(layer, "bias", grouped(layer.bias, lanes), widths.current_bits),
        "neuron": Lif(
            neuron.kind, neuron.multiplier, neuron.shift, widths.current_bits, potential_bits, widths.theta_bits, theta
        ),
    }


def _table(layer: Conv | Linear, what: str, fields: np.ndarray, bits: int) -> Table:
    """ROM contents from fields [words, fields a word]."""
    return Table(f"{layer.name}_{what}.hex", fields.shape[1] * bits, pack_fields(fields, bits))


def _weight_table(layer: Conv | Linear, words: np.ndarray) -> Table:
    return _table(layer, "weights", words, layer.weight_bits)


def _dense_core(network: Network, layer: Conv, common: dict) -> DenseCore:
    channels, height, width = network.input_shape
    by_group = grouped(layer.weights, common["lanes"]).transpose(0, 1, 3, 4, 2)  # [group, lane, a, b, channel]
    weights = _weight_table(layer, by_group.reshape(len(by_group), -1))
    return DenseCore(
        height, width, channels, network.image_bits, network.image_signed, kernel=layer.kernel, weights=weights, **common
    )


def _sparse_conv(layer: Conv, shape: tuple[int, int, int], lanes_in: int, queue_depth: int, common: dict) -> SparseConv:
    channels, height, width = shape
    chunks = groups_of(channels, lanes_in)
    # An event scatters: the tap that takes the pixel to output row +a is row -a of the kernel.
    by_group = grouped(layer.weights[:, :, ::-1, ::-1], common["lanes"])  # [group, lane, channel, a, b]
    words = _pad_axis(by_group.transpose(0, 2, 1, 3, 4), 1, chunks * lanes_in)  # [group, channel, lane, a, b]
    weights = _weight_table(layer, words.reshape(words.shape[0] * words.shape[1], -1))
    return SparseConv(
        height, width, chunks, lanes_in, kernel=layer.kernel, queue_depth=queue_depth, weights=weights, **common
    )


def _sparse_fc(layer: Linear, shape: tuple[int, int, int], lanes_in: int, queue_depth: int, common: dict) -> SparseFc:
    channels, height, width = shape
    groups_in = groups_of(channels, lanes_in)
    by_group = grouped(layer.weights, common["lanes"]).reshape(-1, common["lanes"], channels, height, width)
    by_row = _pad_axis(by_group.transpose(3, 0, 2, 4, 1), 2, groups_in * lanes_in)  # [y, group, channel, x, lane]
    rows, groups = by_row.shape[:2]
    # Within a row the inputs come by channel group, column, channel.
    words = by_row.reshape(rows, groups, groups_in, lanes_in, width, -1).transpose(0, 1, 2, 4, 3, 5)
    weights = _weight_table(layer, words.reshape(-1, common["lanes"]))
    return SparseFc(height, groups_in * width, lanes_in, queue_depth=queue_depth, weights=weights, **common)


def _pad_axis(values: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Append zeros along an axis until it has `size` entries."""
    padding = [(0, 0)] * values.ndim
    padding[axis] = (0, size - values.shape[axis])
    return np.pad(values, padding)
