"""Biases and thresholds of a layer of integers, chosen so that its neurons spike where the source's do."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from duospike.reference.golden import fire
from duospike.reference.network import Conv, Linear

SHARES = (1 / 8, 1 / 16, 1 / 32, 1 / 64)
"""Of a threshold: by how much it, or the bias, is moved, one share after the other, and by 1 at least."""

MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Of bias and threshold."""


def match_spikes(layer: Conv | Linear, currents: torch.Tensor, wanted: torch.Tensor) -> Conv | Linear:
    """The layer with the biases and thresholds that a search finds best, output by output.

    currents: with its bias, int64 [T, N, O, H, W], or [1, N, O, H, W] that timesteps share. wanted: the source's spikes, uint8
    [T, N, O, H, W].
    """
    sums = currents - torch.from_numpy(layer.bias)[:, None, None]
    found, best = layer, misses(layer, sums, wanted)
    for share in SHARES:
        for more_bias, more_theta in MOVES:
            size = np.maximum(np.rint(np.abs(found.theta) * share), 1).astype(np.int64)
            moved = dataclasses.replace(found, bias=found.bias + more_bias * size, theta=found.theta + more_theta * size)
            missed = misses(moved, sums, wanted)
            better = missed < best
            best = np.where(better, missed, best)
            bias, theta = np.where(better, moved.bias, found.bias), np.where(better, moved.theta, found.theta)
            found = dataclasses.replace(found, bias=bias, theta=theta)
    return found


def misses(layer: Conv | Linear, sums: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
    """Of each output [O] the spikes that are missing or those that are too many, whichever are more.

    sums: currents without the bias.
    """
    spikes = fire(layer, sums + torch.from_numpy(layer.bias)[:, None, None], len(wanted))
    missing, extra = ((one > other).sum((0, 1, 3, 4)) for one, other in ((wanted, spikes), (spikes, wanted)))
    return torch.maximum(missing, extra).numpy()
