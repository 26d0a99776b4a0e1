"""Running a source as it is, in float64: what it is compared with, before its numbers are rounded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.nn import functional

from duospike.reference.errors import InputError
from duospike.reference.golden import earliness
from duospike.reference.golden import pool as pool_spikes
from duospike.reference.network import Pool
from duospike.reference.neurons import charge

from .exact import input_scale, pixel_range
from .source import Source, SourceLayer


def first_maps(source: Source, images: np.ndarray) -> torch.Tensor:
    """Integer images [N, C, H, W], events or frames [N, T, C, H, W] -> pixels of the source [T, N, C, H, W]; T = 1 for the image.

    They are still integers; input_scale is the value of a step.
    """
    wanted = source.interface.image_shape
    if images.shape[1:] != wanted:
        raise InputError(f"images of shape {images.shape[1:]}; the source takes {wanted}")
    low, high = pixel_range(source)
    if images.size and (images.min() < low or images.max() > high):
        raise InputError(f"pixels from {images.min()} to {images.max()}; the source takes {low}..{high}")
    maps = torch.from_numpy(images.astype(np.float64))
    return maps[None] if source.interface.coding == "direct" else maps.transpose(0, 1)


def sums(layer: SourceLayer, maps: torch.Tensor) -> torch.Tensor:
    """Products of a layer's weights with maps [T, N, C, H, W] -> [T, N, O, H, W], without a bias."""
    tensor = torch.from_numpy(np.array(layer.weights, dtype=np.float64))
    if tensor.ndim == 2:
        return functional.linear(maps.flatten(2), tensor)[..., None, None]
    found = functional.conv2d(maps.flatten(0, 1), tensor, stride=layer.stride, padding=layer.padding)
    return found.unflatten(0, maps.shape[:2])


def real_currents(source: Source, layer: SourceLayer, maps: torch.Tensor, *, pooled: bool = True) -> torch.Tensor:
    """Currents [T, N, O, H, W] of a layer in the source's units.

    pooled: what the neurons take; else each of the currents that the layer pools, of a sum its share.
    """
    gain, pool = per_output(layer.gain * float(input_scale(source, layer))), layer.current_pool if pooled else None
    found, offset = sums(layer, maps), per_output(layer.offset)
    if not pooled:
        offset = offset / layer.summed
    if pool is not None and pool.op == "sum":
        found = functional.avg_pool2d(found.flatten(0, 1), pool.kernel, divisor_override=1).unflatten(0, found.shape[:2])
    found = found * gain + offset
    if pool is not None and pool.op == "max":
        found = functional.max_pool2d(found.flatten(0, 1), pool.kernel).unflatten(0, found.shape[:2])
    return found


def per_output(values: np.ndarray) -> torch.Tensor:
    """[O] -> [O, 1, 1]."""
    return torch.from_numpy(np.array(values, dtype=np.float64))[:, None, None]


def real_spikes(layer: SourceLayer, currents: torch.Tensor, timesteps: int) -> torch.Tensor:
    """Spikes [T, N, O, H, W] of currents of the same shape, or of [1, N, O, H, W] that each timestep shares."""
    return real_neurons(layer, currents, timesteps)[1]


def real_neurons(layer: SourceLayer, currents: torch.Tensor, timesteps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Potentials and spikes [T, N, O, H, W], as real_spikes."""
    theta, beta = per_output(layer.threshold), per_output(np.array([float(beta) for beta in layer.betas]))
    v = s = torch.zeros_like(currents[0])
    potentials, spikes = [], []
    for current in currents.expand(timesteps, *currents.shape[1:]):
        if layer.double_reset:
            # snnTorch's reset_delay=False: what the last spike has not subtracted yet is subtracted before the comparison.
            stored = v - theta * s
            again = (stored > theta).double()
            v = beta * stored + current - theta * again
            s = (v > theta).double()
            v = v + theta * again
        else:
            v = charge(layer.reset, lambda value: beta * value, v, s, theta, current)
            s = (v >= theta if layer.inclusive else v > theta).double()
        potentials.append(v)
        spikes.append(s)
    return torch.stack(potentials), torch.stack(spikes)


def real_answers(source: Source, last: torch.Tensor) -> torch.Tensor:
    """Answers [N] of what run() gives for the last layer."""
    interface, maps = source.interface, last[..., 0, 0]
    if interface.readout == "last_membrane":
        return maps[-1].argmax(1)
    if interface.readout == "max_membrane":
        return maps.amax(0).argmax(1)
    of_class = maps.unflatten(2, (interface.classes, -1)).sum(3)
    scores = of_class.sum(0) if interface.readout == "count" else earliness(of_class > 0)
    return scores.argmax(1)


def run(source: Source, images: np.ndarray) -> Iterator[tuple[str, torch.Tensor]]:
    """Each layer's name and spikes [T, N, C, H, W] for integer images; of a layer whose potentials are read, these."""
    maps = first_maps(source, images)
    for layer in source.layers:
        if isinstance(layer, Pool):
            maps = pool_spikes(layer, maps.byte()).double()
        else:
            potentials, spikes = real_neurons(layer, real_currents(source, layer, maps), source.interface.timesteps)
            maps = potentials if source.is_read(layer) else spikes
        yield layer.name, maps
