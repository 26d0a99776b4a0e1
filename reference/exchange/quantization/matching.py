"""Biases and thresholds of a layer of integers, moved to where its neurons spike as the source's do."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch

from duospike.reference.golden import fire, layer_currents
from duospike.reference.network import Conv, Linear

SHARES = (1 / 8, 1 / 16, 1 / 32, 1 / 64) * 2
"""Of a threshold: by how much it, or the bias, is moved, one share after the other, and by 1 at least."""

MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Of bias and threshold."""


MATCHED_SPIKES = 2**23
"""Neurons at timesteps by whose spikes a layer is matched to the source."""

BATCH = 20


def matching_samples(layer: Conv | Linear, maps: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What neurons take at random places of the maps of all images, int64 [T, places, O, 1, 1], and their wanted spikes, uint8.

    Without the bias; T = 1 of maps that timesteps share. Few images with all their places would be no fair sample.
    maps: integers [T, N, C, H, W], or [1, N, C, H, W]. wanted: the source's spikes, uint8 [T, N, O, H, W].
    """
    most = max(MATCHED_SPIKES // (len(wanted) * layer.outputs), 1)
    sums: list[torch.Tensor] = []
    spikes: list[torch.Tensor] = []
    generator = torch.Generator().manual_seed(0)
    for inputs, aims in zip(maps.split(BATCH, 1), wanted.split(BATCH, 1), strict=True):
        places = (aims.shape[1], *aims.shape[3:])
        chosen = torch.randperm(math.prod(places), generator=generator)[: max(most * aims.shape[1] // wanted.shape[1], 1)]
        image, row, column = torch.unravel_index(chosen, places)
        currents = layer_currents(layer, inputs) - bias_of_neurons(layer)
        for found, values in ((sums, currents), (spikes, aims)):
            found.append(values.movedim(2, 4)[:, image, row, column][..., None, None])
    return torch.cat(sums, 1), torch.cat(spikes, 1)


def match_spikes(layer: Conv | Linear, sums: torch.Tensor, wanted: torch.Tensor) -> Conv | Linear:
    """The layer with the biases and thresholds that a search from its own finds best, output by output.

    Best are those with the fewest wrong spikes, missing or extra, whichever are more, so that the rate counts, too.

    sums, wanted: as matching_samples gives them.
    """
    found, least = layer, wrong_spikes(layer, sums, wanted)
    for share in SHARES:
        for more_bias, more_theta in MOVES:
            size = np.maximum(np.rint(np.abs(found.theta) * share), 1).astype(np.int64)
            moved = dataclasses.replace(found, bias=found.bias + more_bias * size, theta=found.theta + more_theta * size)
            wrong = wrong_spikes(moved, sums, wanted)
            better = wrong < least
            bias, theta = np.where(better, moved.bias, found.bias), np.where(better, moved.theta, found.theta)
            found, least = dataclasses.replace(found, bias=bias, theta=theta), np.where(better, wrong, least)
    return found


def bias_of_neurons(layer: Conv | Linear) -> torch.Tensor:
    """What the biases add to what a neuron takes, int64 [O, 1, 1]."""
    return torch.from_numpy(layer.bias * layer.summed)[:, None, None]


def wrong_spikes(layer: Conv | Linear, sums: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
    """Missing or extra spikes of each output [O], whichever are more. sums: currents without the bias, int64."""
    spikes = fire(layer, sums + bias_of_neurons(layer), len(wanted))
    missing, extra = ((one > other).sum((0, 1, 3, 4)) for one, other in ((wanted, spikes), (spikes, wanted)))
    return torch.maximum(missing, extra).numpy()
