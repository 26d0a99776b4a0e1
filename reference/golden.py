"""The integer golden model: what every other implementation of the network must equal, bit for bit.

Currents are matrix products in float64, about three times faster than in int64. They are exact: a matrix product forms
nothing but partial sums of its products, prove_widths keeps these below 2^24 in any order, and float64 carries all
integers up to 2^53. float32 would suffice, but a program may let torch compute its products with fewer bits
(torch.set_float32_matmul_precision). Convolutions are unfolded by hand, as torch's own may choose an algorithm that forms
other sums. The neuron computes in int64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from .coding import ENCODER, encode
from .errors import InputError
from .network import Conv, Layer, Linear, Network, Pool
from .neurons import charge, integer_leak
from .widths import prove_widths

# Few enough for the maps of a batch to stay in the processor's cache.
BATCH = 20
MAX_BATCH_TIMESTEPS = 1280
"""Of all images of a batch together: a batch has fewer images where there are many timesteps."""
MAX_UNFOLDED = 2**24
"""Values of unfolded maps that are multiplied at once; a single map may have more."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Everything that a network computes for N images.

    spikes: layer name -> uint8 [N, T, C, H, W] of every layer, pools too; a fully connected layer has H = W = 1. If
    the first layer takes spikes, also ENCODER: these.
    class_counts: votes int64 [N, classes]. predicted: smallest class with the most votes, int64 [N].
    currents: layer name -> int64 [N, T, C, H, W], with the bias, of every layer except pools; empty unless asked for.
    """

    spikes: dict[str, np.ndarray]
    class_counts: np.ndarray
    predicted: np.ndarray
    currents: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluation:
    """accuracy: share of right answers, None without labels. spike_rates: layer name -> spikes per neuron and timestep."""

    images: int
    accuracy: float | None
    spike_rates: dict[str, float]


def batch_size(timesteps: int, most: int | None = None) -> int:
    """Images that are computed at once. most: where there are few timesteps, by default BATCH."""
    return max(1, min(most or BATCH, MAX_BATCH_TIMESTEPS // timesteps))


def layer_currents(layer: Conv | Linear, inputs: torch.Tensor) -> torch.Tensor:
    """Image, frames or spikes [T, N, C, H, W], whole numbers of any type -> currents with bias, int64 [T, N, O, H, W]."""
    size = torch.Size((1, 1)) if isinstance(layer, Linear) else inputs.shape[3:]
    unfolded = layer.weights[0].size * size.numel()
    parts = [_sums(layer, part) for part in inputs.flatten(0, 1).split(max(1, MAX_UNFOLDED // unfolded))]
    sums = torch.cat(parts) + torch.from_numpy(layer.bias)[:, None]
    return sums.reshape(*inputs.shape[:2], layer.outputs, *size)


def _sums(layer: Conv | Linear, maps: torch.Tensor) -> torch.Tensor:
    """Maps [M, C, H, W] -> sums of products int64 [M, O, H * W]."""
    weights, maps = torch.from_numpy(layer.weights).double().flatten(1), maps.double()
    if isinstance(layer, Linear):
        return (weights @ maps.flatten(1)[..., None]).long()
    return (weights @ functional.unfold(maps, layer.kernel, padding=layer.kernel // 2)).long()


def fire(layer: Conv | Linear, currents: torch.Tensor, timesteps: int) -> torch.Tensor:
    """Currents int64 [T, N, O, H, W], or [1, N, O, H, W] that each timestep shares -> spikes uint8 [T, N, O, H, W]."""
    theta, leak = torch.from_numpy(layer.theta)[:, None, None], integer_leak(layer.neuron)
    v = s = torch.zeros_like(currents[0])
    spikes = []
    for current in currents.expand(timesteps, *currents.shape[1:]):
        v = charge(layer.neuron.reset, leak, v, s, theta, current)
        s = (v > theta).long()
        spikes.append(s.byte())
    return torch.stack(spikes)


def pool(spikes: torch.Tensor) -> torch.Tensor:
    """OR over 2x2 of spikes uint8 [T, N, C, H, W]; an odd last row or column is dropped."""
    height, width = spikes.shape[3] // 2 * 2, spikes.shape[4] // 2 * 2
    even = spikes[..., :height, :width]
    return even[..., ::2, ::2] | even[..., 1::2, ::2] | even[..., ::2, 1::2] | even[..., 1::2, 1::2]


def first_maps(network: Network, images: np.ndarray) -> torch.Tensor:
    """What the first layer takes: images [1, N, C, H, W] that all timesteps share, or frames or spikes [T, N, C, H, W]."""
    images = network.check_images(images)
    if network.coding == "direct":
        return torch.from_numpy(images)[None]
    if network.coding == "rate":
        images = encode(images, network.timesteps, network.image_bits, network.coding_seed)
    by_timestep = images.swapaxes(0, 1)
    return torch.from_numpy(by_timestep.astype(np.uint8) if network.takes_spikes else by_timestep.copy())


def run_layers(network: Network, images: np.ndarray) -> Iterator[tuple[Layer, torch.Tensor | None, torch.Tensor]]:
    """Each layer with its currents (None for a pool) and its spikes, as in layer_currents and fire.

    images: integers that network.check_images accepts.
    """
    maps = first_maps(network, images)
    for layer in network.layers:
        currents = None
        if isinstance(layer, Pool):
            maps = pool(maps)
        else:
            currents = layer_currents(layer, maps)
            maps = fire(layer, currents, network.timesteps)
        yield layer, currents, maps


def count_votes(network: Network, spikes: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Spikes [T, N, O, 1, 1] of the last layer -> votes int64 [N, classes] and the answers int64 [N]."""
    votes = spikes.long().sum(0).unflatten(1, (network.classes, -1)).sum((2, 3, 4)).numpy()
    return votes, votes.argmax(1)


def run(
    network: Network,
    images: np.ndarray,
    *,
    with_currents: bool = False,
    progress: Callable[[int], None] = lambda images: None,
) -> Trace:
    """All spikes, votes and answers for `images`, integers [N, *network.image_shape]. progress: gets the number of images done.

    InputError: images of another shape, type or range, or a network whose widths cannot be proven.
    """
    prove_widths(network)
    batches, size = [], batch_size(network.timesteps)
    for start in range(0, max(len(images), 1), size):
        batches.append(_run_batch(network, images[start : start + size], with_currents))
        progress(min(start + size, len(images)))
    return join_traces(batches)


def join_traces(traces: list[Trace]) -> Trace:
    """The images of traces of the same network, one after the other."""
    return Trace(
        _joined([trace.spikes for trace in traces]),
        np.concatenate([trace.class_counts for trace in traces]),
        np.concatenate([trace.predicted for trace in traces]),
        _joined([trace.currents for trace in traces]),
    )


def _run_batch(network: Network, images: np.ndarray, with_currents: bool) -> Trace:
    spikes, currents = {}, {}
    if network.takes_spikes:
        spikes[ENCODER] = first_maps(network, images).transpose(0, 1).contiguous().numpy()
    for layer, current, maps in run_layers(network, images):
        spikes[layer.name] = maps.transpose(0, 1).contiguous().numpy()
        if with_currents and current is not None:
            currents[layer.name] = current.expand(maps.shape).transpose(0, 1).contiguous().numpy()
    return Trace(spikes, *count_votes(network, maps), currents)


def _joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def evaluate(
    network: Network, images: np.ndarray, labels: np.ndarray | None, progress: Callable[[int], None] = lambda done: None
) -> Evaluation:
    """Accuracy and spike rates over many images, batch by batch; progress: gets the number of images done."""
    if not len(images):
        raise InputError("no images to evaluate; needs 1 or more")
    prove_widths(network)
    totals = {layer.name: 0 for layer in network.layers}
    answers, size = [], batch_size(network.timesteps)
    for start in range(0, len(images), size):
        for layer, _, maps in run_layers(network, images[start : start + size]):
            totals[layer.name] += int(maps.sum())
        answers.append(count_votes(network, maps)[1])
        progress(min(start + size, len(images)))
    right = None if labels is None else float(np.mean(np.concatenate(answers) == labels))
    return Evaluation(len(images), right, _rates(network, totals, len(images)))


def _rates(network: Network, totals: dict[str, int], images: int) -> dict[str, float]:
    neurons = {layer.name: int(np.prod(shape)) for layer, shape in zip(network.layers, network.shapes[1:], strict=True)}
    return {name: total / (neurons[name] * network.timesteps * images) for name, total in totals.items()}
