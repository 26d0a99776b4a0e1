"""The schedule of the paper's own RTL, as cycles from spikes, to compare ours with.

Aliyev, Lopez and Adegbija (DATE 2025) process layers one after the other. A sparse layer walks the spikes of each input map
one filter tap a cycle, again for each group of output channels, after it has packed the map's spikes to a list; a dense
layer takes each timestep anew. The formulas describe its published SystemVerilog, which is not simulated here.
"""

from __future__ import annotations

import math

import numpy as np

from duospike.reference.golden import Trace
from duospike.reference.network import Conv, Linear, Network, Pool
from duospike.rtl.stream import groups_of

from .balance import Option, Options

DENSE_FILL = 29
"""Cycles beside the pixels of a map that the dense array takes to fill and drain."""
WORD = 200
"""Bits of the spike words that its fully connected layer reads."""


def layer_cycles(network: Network, trace: Trace, name: str, lanes: int) -> np.ndarray:
    """Cycles of a layer for each image, float64 [images]. lanes: output channels (a dense layer's columns) side by side.

    network: direct-coded; trace: its spikes.
    """
    number = next(i for i, layer in enumerate(network.layers) if layer.name == name)
    layer, (channels, height, width) = network.layers[number], network.shapes[number]
    assert isinstance(layer, Conv | Linear)
    pixels, timesteps = height * width, network.timesteps
    if number == 0:
        return np.full(len(trace.predicted), 1.0 + groups_of(layer.outputs, lanes) * timesteps * (pixels + DENSE_FILL))
    spikes = trace.spikes[network.layers[number - 1].name]
    if isinstance(layer, Linear):
        counts = spikes.sum((2, 3, 4), dtype=np.int64)  # [image, timestep]
        gather = (channels + 2 + 2 * -(-channels * pixels // WORD) + 2 * counts).sum(1)
        return 4.0 + gather + (layer.outputs // lanes + 1) * ((np.maximum(counts, 1) + 2).sum(1) + 1)
    maps = spikes.sum((3, 4), dtype=np.int64)  # [image, timestep, channel]
    taps = math.prod(layer.kernel) * maps.sum((1, 2)) + (maps > 0).sum((1, 2)) + timesteps * (pixels - 1)
    return groups_of(layer.outputs, lanes) * taps.astype(float)


def options(network: Network, trace: Trace) -> Options:
    """What each layer takes on average with each number of lanes, for the choice of lanes by balance.min_sum()."""
    layers = [layer for layer in network.layers if not isinstance(layer, Pool)]
    return {
        layer.name: [
            Option(lanes, float(layer_cycles(network, trace, layer.name, lanes).mean()), lanes)
            for lanes in range(1, layer.outputs + 1)
        ]
        for layer in layers
    }
