"""Integers of a layer, moved step by step to where its neurons spike as the source's do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from duospike.reference.golden import fire, layer_currents
from duospike.reference.network import Conv, Linear

SHARES = (1 / 8, 1 / 16, 1 / 32, 1 / 64)
"""Of a threshold: by how much it, or the bias, is moved, one share after the other, and by 1 at least."""

MOVES = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""Of bias and threshold."""

ROUNDS, WEIGHTS_A_ROUND = 4, 16
"""How often the promising weights of each output are looked for, and how many of them are moved then."""

CERTAINTY = 1.0
"""Standard deviations by which fewer spikes must be wrong to move a weight, as there are many to choose from."""


@dataclass(eq=False)
class Match:
    """A layer on its way, with what it does to the maps that it is matched on.

    wanted: the source's spikes, uint8 [T, N, O, H, W]. currents: with the bias, int64 [T, N, O, H, W], or
    [1, N, O, H, W] that timesteps share. spikes: as wanted. wrong: of each output [O] the spikes that are missing or those that
    are too many, whichever are more, so that its rate counts, too.
    """

    layer: Conv | Linear
    wanted: torch.Tensor
    currents: torch.Tensor
    spikes: torch.Tensor
    wrong: np.ndarray

    @classmethod
    def of(cls, layer: Conv | Linear, maps: torch.Tensor, wanted: torch.Tensor) -> Match:
        currents = layer_currents(layer, maps)
        spikes = fire(layer, currents, len(wanted))
        return cls(layer, wanted, currents, spikes, wrong_spikes(spikes, wanted))

    def move(self, more: torch.Tensor, certainty: float = 0.0, **changed: np.ndarray) -> None:
        """Outputs of which fewer spikes are wrong take over what has changed. more: what that adds to the currents."""
        moved = dataclasses.replace(self.layer, **changed)
        currents = self.currents + more
        spikes = fire(moved, currents, len(self.wanted))
        wrong = wrong_spikes(spikes, self.wanted)
        chance = certainty * np.sqrt((spikes != self.spikes).sum((0, 1, 3, 4)).numpy())
        better = self.wrong - wrong > chance
        new = {what: np.where(_along(better, values), values, getattr(self.layer, what)) for what, values in changed.items()}
        self.layer = dataclasses.replace(self.layer, **new)
        self.wrong = np.where(better, wrong, self.wrong)
        for kept, found in ((self.currents, currents), (self.spikes, spikes)):
            kept[:, :, better] = found[:, :, better]


def wrong_spikes(spikes: torch.Tensor, wanted: torch.Tensor) -> np.ndarray:
    missing, extra = ((one > other).sum((0, 1, 3, 4)) for one, other in ((wanted, spikes), (spikes, wanted)))
    return torch.maximum(missing, extra).numpy()


def _along(outputs: np.ndarray, values: np.ndarray) -> np.ndarray:
    return outputs.reshape(-1, *[1] * (values.ndim - 1))


def match_spikes(layer: Conv | Linear, maps: torch.Tensor, wanted: torch.Tensor) -> Conv | Linear:
    """The layer with the weights, biases and thresholds that a search near its own finds best, output by output.

    maps: integers [T, N, C, H, W], or [1, N, C, H, W] that timesteps share. wanted: the source's spikes, uint8 [T, N, O, H, W].
    """
    match = Match.of(layer, maps, wanted)
    move_thresholds(match)
    for _ in range(ROUNDS):
        move_weights(match, maps)
    move_thresholds(match)
    return match.layer


def move_thresholds(match: Match) -> None:
    for share in SHARES:
        for more_bias, more_theta in MOVES:
            size = np.maximum(np.rint(np.abs(match.layer.theta) * share), 1).astype(np.int64)
            bias, theta = match.layer.bias + more_bias * size, match.layer.theta + more_theta * size
            match.move(_current(more_bias * size), bias=bias, theta=theta)


def move_weights(match: Match, maps: torch.Tensor) -> None:
    """One step up or down for the weights with whose inputs most spikes are missing or too many, as a perceptron learns.

    The bias makes up for what a step adds to the mean current.
    """
    limit = 2 ** (match.layer.weight_bits - 1) - 1
    for chosen, up in promising(match, maps):
        rows = np.arange(len(chosen))
        weights = match.layer.weights.reshape(len(chosen), -1).copy()
        before = weights[rows, chosen]
        weights[rows, chosen] = np.clip(before + up, -limit, limit)
        steps, inputs = weights[rows, chosen] - before, inputs_of(match.layer, maps, chosen)
        mean = np.rint(steps * inputs.double().mean((0, 1, 3, 4)).numpy()).astype(np.int64)
        more = _current(steps) * inputs - _current(mean)
        weights = weights.reshape(match.layer.weights.shape)
        match.move(more, CERTAINTY, weights=weights, bias=match.layer.bias - mean)


def _current(values: np.ndarray) -> torch.Tensor:
    """[O] -> [O, 1, 1]."""
    return torch.from_numpy(values)[:, None, None]


def promising(match: Match, maps: torch.Tensor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each output [O] one of its weights, counted over all, and its direction, 1 or -1; the most promising first."""
    off = match.wanted.double() - match.spikes.double()
    if len(maps) < len(off):
        off = off.sum(0, keepdim=True)
    off, inputs = off.flatten(0, 1), maps.double().flatten(0, 1)
    shape = match.layer.weights.shape
    if len(shape) == 2:
        sums = off.flatten(1).T @ inputs.flatten(1)
        power = inputs.flatten(1).square().sum(0)
    else:
        sums = conv2d_weight(inputs, shape, off, padding=shape[-1] // 2).flatten(1)
        power = inputs.square().sum((0, 2, 3)).repeat_interleave(shape[-1] ** 2)
    scores = sums.abs() / power.clamp(min=1).sqrt()
    order = scores.argsort(dim=1, descending=True, stable=True)[:, :WEIGHTS_A_ROUND]
    for chosen in order.T:
        yield chosen.numpy(), sums.gather(1, chosen[:, None])[:, 0].sign().long().numpy()


def inputs_of(layer: Conv | Linear, maps: torch.Tensor, chosen: np.ndarray) -> torch.Tensor:
    """What one weight of each output is multiplied with: int64 [T, N, O, H, W]."""
    if isinstance(layer, Linear):
        return maps.flatten(2)[:, :, chosen, None, None].long()
    kernel, (height, width) = layer.kernel, maps.shape[3:]
    channels, rows, columns = np.unravel_index(chosen, layer.weights.shape[1:])
    padded = functional.pad(maps.flatten(0, 1), [kernel // 2] * 4).unflatten(0, maps.shape[:2])
    windows = zip(channels, rows, columns, strict=True)
    return torch.stack([padded[:, :, c, y : y + height, x : x + width] for c, y, x in windows], 2).long()
