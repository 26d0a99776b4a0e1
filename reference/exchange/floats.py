"""Running a source as it is, in float64: what it is compared with, before its numbers are rounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional

from duospike.reference.errors import InputError
from duospike.reference.network import Pool
from duospike.reference.neurons import charge

from .exact import input_scale, pixel_range
from .source import Source, SourceLayer


def first_maps(source: Source, images: np.ndarray) -> torch.Tensor:
    """Integer images [N, C, H, W] or events [N, T, C, H, W] -> pixels of the source [T, N, C, H, W]; T = 1 for the image.

    They are still integers; input_scale is the value of a step.
    """
    interface = source.interface
    wanted = (interface.timesteps, *interface.input_shape) if interface.coding == "events" else interface.input_shape
    if images.shape[1:] != wanted:
        raise InputError(f"images of shape {images.shape[1:]}; the source takes {wanted}")
    low, high = pixel_range(source)
    if images.size and (images.min() < low or images.max() > high):
        raise InputError(f"pixels from {images.min()} to {images.max()}; the source takes {low}..{high}")
    maps = torch.from_numpy(images.astype(np.float64))
    return maps.transpose(0, 1) if interface.coding == "events" else maps[None]


def sums(weights: np.ndarray, maps: torch.Tensor) -> torch.Tensor:
    """Products of weights [O, C, K, K] or [O, I] with maps [T, N, C, H, W] -> [T, N, O, H, W], without a bias."""
    tensor = torch.from_numpy(np.array(weights, dtype=np.float64))
    if tensor.ndim == 2:
        return functional.linear(maps.flatten(2), tensor)[..., None, None]
    return functional.conv2d(maps.flatten(0, 1), tensor, padding="same").unflatten(0, maps.shape[:2])


def real_currents(source: Source, layer: SourceLayer, maps: torch.Tensor) -> torch.Tensor:
    """Currents [T, N, O, H, W] of a layer in the source's units."""
    gain = layer.gain * float(input_scale(source, layer))
    return sums(layer.weights, maps) * per_output(gain) + per_output(layer.offset)


def per_output(values: np.ndarray) -> torch.Tensor:
    """[O] -> [O, 1, 1]."""
    return torch.from_numpy(np.array(values, dtype=np.float64))[:, None, None]


def real_spikes(layer: SourceLayer, currents: torch.Tensor, timesteps: int) -> torch.Tensor:
    """Spikes [T, N, O, H, W] of currents of the same shape, or of [1, N, O, H, W] that each timestep shares."""
    theta, beta = per_output(layer.threshold), float(layer.beta)
    v = s = torch.zeros_like(currents[0])
    spikes = []
    for current in currents.expand(timesteps, *currents.shape[1:]):
        if layer.double_reset:
            # snnTorch's reset_delay=False: what the last spike has not subtracted yet is subtracted before the comparison.
            stored = v - theta * s
            again = (stored > theta).double()
            v = beta * stored + current - theta * again
            s = (v > theta).double()
            v = v + theta * again
            spikes.append(s)
            continue
        v = charge(layer.reset, lambda value: beta * value, v, s, theta, current)
        s = (v >= theta if layer.inclusive else v > theta).double()
        spikes.append(s)
    return torch.stack(spikes)


def pooled(maps: torch.Tensor) -> torch.Tensor:
    """OR over 2x2 of spikes [T, N, C, H, W]."""
    return functional.max_pool2d(maps.flatten(0, 1), 2).unflatten(0, maps.shape[:2])


def run(source: Source, images: np.ndarray) -> Iterator[tuple[str, torch.Tensor]]:
    """Each layer's name and spikes [T, N, C, H, W] for integer images."""
    maps = first_maps(source, images)
    for layer in source.layers:
        if isinstance(layer, Pool):
            maps = pooled(maps)
        else:
            maps = real_spikes(layer, real_currents(source, layer, maps), source.interface.timesteps)
        yield layer.name, maps
