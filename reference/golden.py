"""The integer golden model: what every other implementation of the network must equal, bit for bit.

Currents are matrix products in float64, about three times faster than in int64. They are exact: a matrix product forms
nothing but partial sums of its products, prove_widths keeps these below 2^24 in any order, and float64 carries all
integers up to 2^53. float32 would suffice, but a program may let torch compute its products with fewer bits
(torch.set_float32_matmul_precision). Convolutions are unfolded by hand, as torch's own may choose an algorithm that forms
other sums. The neuron computes in int64.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from .coding import ENCODER, encode
from .errors import InputError
from .network import Conv, Layer, Linear, Network, Pool, Size
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

    spikes: layer name -> uint8 [N, T, C, H, W] of every layer that gives spikes, OR pools too: all but pools of sums, and a last
    layer whose membranes are read. A fully connected layer has H = W = 1. If the first layer takes spikes, also ENCODER: these.
    scores: of the classes, int64 [N, classes]: votes, or what the read-out asks for. predicted: smallest class of the highest
    score, int64 [N].
    currents: layer name -> int64 [N, T, C, H, W], what the neurons take: with the bias, pooled where the layer pools them, of
    every layer except pools; empty unless asked for.
    membranes: where the read-out reads them, the last layer's potentials v_t, int64 [N, T, classes]; else None.
    """

    spikes: dict[str, np.ndarray]
    scores: np.ndarray
    predicted: np.ndarray
    currents: dict[str, np.ndarray] = field(default_factory=dict)
    membranes: np.ndarray | None = None


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
    """What a layer's neurons take, int64 [T, N, O, H, W]: the currents with bias, pooled where the layer pools them.

    inputs: image, frames, spikes or sums of spikes [T, N, C, H, W], whole numbers of any type.
    """
    size = layer.current_size((inputs.shape[3], inputs.shape[4])) if isinstance(layer, Conv) else (1, 1)
    unfolded = layer.weights[0].size * math.prod(size)
    parts = [_sums(layer, part) for part in inputs.flatten(0, 1).split(max(1, MAX_UNFOLDED // unfolded))]
    sums = torch.cat(parts) + torch.from_numpy(layer.bias)[:, None]
    currents = sums.reshape(*inputs.shape[:2], layer.outputs, *size)
    if isinstance(layer, Conv) and layer.current_pool:
        merge = torch.maximum if layer.current_pool.op == "max" else torch.add
        return _merge_windows(currents, layer.current_pool.kernel, layer.current_pool.kernel, merge)
    return currents


def _sums(layer: Conv | Linear, maps: torch.Tensor) -> torch.Tensor:
    """Maps [M, C, H, W] -> sums of products int64 [M, O, H * W]."""
    weights, maps = torch.from_numpy(layer.weights).double().flatten(1), maps.double()
    if isinstance(layer, Linear):
        return (weights @ maps.flatten(1)[..., None]).long()
    return (weights @ functional.unfold(maps, layer.kernel, padding=layer.padding, stride=layer.stride)).long()


def _merge_windows(maps: torch.Tensor, kernel: Size, stride: Size, merge: Callable) -> torch.Tensor:
    """Maps [..., H, W] -> of each whole window its values, merged by a function of two tensors: its rows first, then columns."""
    for axis, size, step in zip((-2, -1), kernel, stride, strict=True):
        last = step * ((maps.shape[axis] - size) // step) + 1
        maps = functools.reduce(merge, (_every(maps.narrow(axis, i, last), axis, step) for i in range(size)))
    return maps


def _every(maps: torch.Tensor, axis: int, step: int) -> torch.Tensor:
    """Every `step`th row, axis -2, or column, axis -1."""
    return maps[..., ::step, :] if axis == -2 else maps[..., ::step]


def step_neurons(layer: Conv | Linear, currents: torch.Tensor, timesteps: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Potentials v_t and spikes, int64 [N, O, H, W] each, of each timestep. currents: as fire()."""
    theta, leak = torch.from_numpy(layer.theta)[:, None, None], integer_leak(layer.neuron, 2, torch.tensor)
    v = s = torch.zeros_like(currents[0])
    for current in currents.expand(timesteps, *currents.shape[1:]):
        v = charge(layer.neuron.reset, leak, v, s, theta, current)
        s = (v > theta).long()
        yield v, s


def fire(layer: Conv | Linear, currents: torch.Tensor, timesteps: int) -> torch.Tensor:
    """Currents int64 [T, N, O, H, W], or [1, N, O, H, W] that each timestep shares -> spikes uint8 [T, N, O, H, W]."""
    return torch.stack([spikes.byte() for _, spikes in step_neurons(layer, currents, timesteps)])


def pool(layer: Pool, spikes: torch.Tensor) -> torch.Tensor:
    """Spikes uint8 [T, N, C, H, W] -> their OR over windows, uint8, or the sums, int32; an incomplete last window is dropped."""
    if layer.op == "sum":
        return _merge_windows(spikes.int(), layer.kernel, layer.stride, torch.add)
    rows, columns = layer.padding
    return _merge_windows(functional.pad(spikes, (columns, columns, rows, rows)), layer.kernel, layer.stride, torch.bitwise_or)


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
            maps = pool(layer, maps)
        else:
            currents = layer_currents(layer, maps)
            maps = fire(layer, currents, network.timesteps)
        yield layer, currents, maps


def class_scores(network: Network, currents: torch.Tensor | None, spikes: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Scores int64 [N, classes] and answers int64 [N], of the last layer's currents and spikes [T, N, O, 1, 1].

    currents: None will do where the read-out looks at spikes.
    """
    if network.reads_membranes:
        membranes = last_membranes(network, currents)
        scores = membranes[:, -1] if network.readout == "last_membrane" else membranes.amax(1)
    else:
        of_class = spikes.long().unflatten(2, (network.classes, -1)).sum((3, 4, 5))  # [T, N, classes]
        scores = of_class.sum(0) if network.readout == "count" else earliness(of_class > 0)
    return scores.numpy(), scores.numpy().argmax(1)


def last_membranes(network: Network, currents: torch.Tensor | None) -> torch.Tensor:
    """Potentials v_t of the last layer, int64 [N, T, O], of its currents [T, N, O, 1, 1]."""
    layer = network.layers[-1]
    assert isinstance(layer, Linear) and currents is not None
    steps = [v.flatten(1) for v, _ in step_neurons(layer, currents, network.timesteps)]
    return torch.stack(steps, 1)


def earliness(fired: torch.Tensor) -> torch.Tensor:
    """Whether a class spikes, bool [T, N, classes] -> T less its first timestep with a spike, or 0; int64 [N, classes]."""
    return (fired.long() * torch.arange(len(fired), 0, -1)[:, None, None]).amax(0)


def run(
    network: Network,
    images: np.ndarray,
    *,
    with_currents: bool = False,
    progress: Callable[[int], None] = lambda images: None,
) -> Trace:
    """All spikes, scores and answers for `images`, integers [N, *network.image_shape]. progress: gets the number of images done.

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
        np.concatenate([trace.scores for trace in traces]),
        np.concatenate([trace.predicted for trace in traces]),
        _joined([trace.currents for trace in traces]),
        None if traces[0].membranes is None else np.concatenate([trace.membranes for trace in traces]),
    )


def gives_spikes(network: Network, layer: Layer) -> bool:
    """Whether spikes leave a layer: not from a pool of sums, nor from a last layer whose membranes are read."""
    if isinstance(layer, Pool):
        return layer.op == "or"
    return layer is not network.layers[-1] or not network.reads_membranes


def _run_batch(network: Network, images: np.ndarray, with_currents: bool) -> Trace:
    spikes, currents, membranes, current, maps = {}, {}, None, None, torch.zeros(0)
    if network.takes_spikes:
        spikes[ENCODER] = first_maps(network, images).transpose(0, 1).contiguous().numpy()
    for layer, current, maps in run_layers(network, images):
        if gives_spikes(network, layer):
            spikes[layer.name] = maps.transpose(0, 1).contiguous().numpy()
        if with_currents and current is not None:
            currents[layer.name] = current.expand(maps.shape).transpose(0, 1).contiguous().numpy()
    if network.reads_membranes:
        membranes = last_membranes(network, current).numpy()
    return Trace(spikes, *class_scores(network, current, maps), currents, membranes)


def _joined(batches: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def evaluate(
    network: Network, images: np.ndarray, labels: np.ndarray | None, progress: Callable[[int], None] = lambda done: None
) -> Evaluation:
    """Accuracy and spike rates over many images, batch by batch; progress: gets the number of images done."""
    if not len(images):
        raise InputError("no images to evaluate; needs 1 or more")
    prove_widths(network)
    totals = {layer.name: 0 for layer in network.layers if gives_spikes(network, layer)}
    answers, size = [], batch_size(network.timesteps)
    currents, maps = None, torch.zeros(0)
    for start in range(0, len(images), size):
        for layer, currents, maps in run_layers(network, images[start : start + size]):  # noqa: B007 (those of the last layer)
            if layer.name in totals:
                totals[layer.name] += int(maps.sum())
        answers.append(class_scores(network, currents, maps)[1])
        progress(min(start + size, len(images)))
    right = None if labels is None else float(np.mean(np.concatenate(answers) == labels))
    return Evaluation(len(images), right, _rates(network, totals, len(images)))


def _rates(network: Network, totals: dict[str, int], images: int) -> dict[str, float]:
    neurons = {layer.name: int(np.prod(shape)) for layer, shape in zip(network.layers, network.shapes[1:], strict=True)}
    return {name: total / (neurons[name] * network.timesteps * images) for name, total in totals.items()}
