"""Untrained integer networks in which a wanted share of the neurons spikes: for trials of hardware of any size."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from duospike.reference.architecture import blank_network
from duospike.reference.data.datasets import random_images, seeded
from duospike.reference.errors import InputError
from duospike.reference.golden import fire, first_maps, layer_currents, pool
from duospike.reference.network import READOUTS, Conv, Layer, Linear, Network, Neuron, Pool
from duospike.reference.widths import current_bounds, pooled_bounds, prove_widths

CALIBRATION_IMAGES, CALIBRATION_TIMESTEPS = 16, 1024
"""Images that set the thresholds, fewer where they would have more timesteps than that together."""
BIAS_STEPS = 8


def random_network(
    architecture: str,
    *,
    input_shape: tuple[int, int, int],
    rate: float,
    seed: int,
    neuron: Neuron,
    classes: int = 10,
    timesteps: int = 2,
    weight_bits: int = 4,
    image_bits: int = 8,
    image_signed: bool = False,
    coding: str = "direct",
    coding_seed: int = 0,
    readout: str = READOUTS[0],
) -> Network:
    """A network of uniform random weights and small biases whose layers each spike at about `rate`, above 0 and below 1.

    Thresholds are set layer by layer on random images: one for each channel of a convolution, one for a whole fully
    connected layer (a single neuron gives too few samples). The same arguments give the same network; its metadata holds them.
    """
    if not 0 < rate < 1:
        raise InputError(f"rate {rate}; allowed: above 0 and below 1")
    blank = blank_network(
        architecture,
        input_shape=input_shape,
        classes=classes,
        timesteps=timesteps,
        weight_bits=weight_bits,
        neuron=neuron,
        image_bits=image_bits,
        image_signed=image_signed,
        coding=coding,
        coding_seed=coding_seed,
        readout=readout,
    )
    network = _calibrated(blank, rate, seeded(seed))
    prove_widths(network)
    return dataclasses.replace(network, metadata=_arguments(network, architecture, rate, seed))


def _arguments(network: Network, architecture: str, rate: float, seed: int) -> dict[str, str]:
    """All that random_network was called with, as strings under the names of `duospike random`'s options and of Settings."""
    first = next(layer for layer in network.layers if not isinstance(layer, Pool))
    return {
        "origin": "duospike random",
        "architecture": architecture,
        "input": "x".join(map(str, network.input_shape)),
        "rate": str(rate),
        "seed": str(seed),
        "reset": first.neuron.reset,
        "beta": f"{first.neuron.multiplier}/{2**first.neuron.shift}",
        "classes": str(network.classes),
        "timesteps": str(network.timesteps),
        "weight_bits": str(first.weight_bits),
        "image_bits": str(network.image_bits),
        "image_signed": str(network.image_signed),
        "coding": network.coding,
        "coding_seed": str(network.coding_seed),
        **({} if network.readout == READOUTS[0] else {"readout": network.readout}),
    }


def _calibrated(blank: Network, rate: float, generator: np.random.Generator) -> Network:
    layers: list[Layer] = []
    count = min(CALIBRATION_IMAGES, CALIBRATION_TIMESTEPS // blank.timesteps)
    images = random_images(count, blank.image_shape, blank.pixel_range, int(generator.integers(2**32)))
    maps = first_maps(blank, images)
    for layer, inputs in zip(blank.layers, blank.input_ranges, strict=True):
        if isinstance(layer, Pool):
            maps = pool(layer, maps)
        else:
            layer = _draw(layer, generator)
            currents = layer_currents(layer, maps)
            layer = _with_thresholds(layer, currents, blank.timesteps, rate, inputs)
            maps = fire(layer, currents, blank.timesteps)
        layers.append(layer)
    return dataclasses.replace(blank, layers=tuple(layers))


def _draw(layer: Conv | Linear, generator: np.random.Generator) -> Conv | Linear:
    limit = 2 ** (layer.weight_bits - 1) - 1
    weights = generator.integers(-limit, limit, size=layer.weights.shape, endpoint=True)
    bias = generator.integers(-BIAS_STEPS * limit, BIAS_STEPS * limit, size=layer.outputs, endpoint=True)
    return dataclasses.replace(layer, weights=weights, bias=bias)


def _with_thresholds(
    layer: Conv | Linear, currents: torch.Tensor, timesteps: int, rate: float, inputs: tuple[int, int]
) -> Conv | Linear:
    """The layer with thresholds found by bisection between the ends of the current's range."""
    low, high = pooled_bounds(layer, current_bounds(layer, inputs))
    low, high = _shared(layer, low.min() - 1), _shared(layer, high.max())
    while np.any(high - low > 1):
        middle = (low + high) // 2
        above = _share(dataclasses.replace(layer, theta=middle), currents, timesteps) > rate
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    shares = [np.abs(_share(dataclasses.replace(layer, theta=theta), currents, timesteps) - rate) for theta in (low, high)]
    return dataclasses.replace(layer, theta=np.where(shares[0] < shares[1], low, high))


def _shared(layer: Conv | Linear, value: np.int64) -> np.ndarray:
    return np.full(layer.outputs, value, dtype=np.int64)


def _share(layer: Conv | Linear, currents: torch.Tensor, timesteps: int) -> np.ndarray:
    """Share of spikes [outputs]: of each channel of a convolution, of the whole of a fully connected layer."""
    spikes = fire(layer, currents, timesteps).double()
    shares = spikes.mean((0, 1, 3, 4)) if isinstance(layer, Conv) else spikes.mean().expand(layer.outputs)
    return shares.numpy()
