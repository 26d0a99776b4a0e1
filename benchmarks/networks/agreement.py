"""Spikes of a library's own run, beside those of the integer reference on the same images."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.networks.playing import recorded, scored
from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.network import Network, Pool

BATCH = 50


@dataclass
class Agreement:
    """Sums over images.

    outputs: neurons times timesteps times images, of all layers. different: how many of them are a spike in one program only.
    source_spikes, spikes: in the library, in integers. other_answers: images with another class. Without labels the accuracies
    are None.
    """

    images: int = 0
    outputs: int = 0
    different: int = 0
    source_spikes: int = 0
    spikes: int = 0
    other_answers: int = 0
    source_accuracy: float | None = None
    accuracy: float | None = None

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def agreement(net: nn.Module, network: Network, data: Dataset, scale: Fraction) -> Agreement:
    """Runs both on images [N, C, H, W], or events [N, T, C, H, W]. scale: what one step of a pixel is worth to the source."""
    found = Agreement(images=len(data.images))
    right = source_right = 0
    for first in range(0, len(data.images), BATCH):
        images = data.images[first : first + BATCH]
        layers, outputs = source_spikes(net, images, float(scale), network.timesteps)
        answers = scored(net, outputs, network.classes).argmax(1).numpy()
        trace = golden.run(network, images)
        firing = [layer.name for layer in network.layers if not isinstance(layer, Pool) and layer.name in trace.spikes]
        for one, other in zip(layers, [trace.spikes[name] for name in firing], strict=True):
            same_shape = one.reshape(other.shape)
            found.outputs += other.size
            found.different += int((same_shape != other).sum())
            found.source_spikes += int(one.sum())
            found.spikes += int(other.sum())
        found.other_answers += int((answers != trace.predicted).sum())
        if data.labels is not None:
            labels = data.labels[first : first + BATCH]
            right, source_right = right + int((trace.predicted == labels).sum()), source_right + int((answers == labels).sum())
    if data.labels is not None:
        found.accuracy, found.source_accuracy = right / found.images, source_right / found.images
    return found


def source_spikes(net: nn.Module, images: np.ndarray, scale: float, timesteps: int) -> tuple[list[np.ndarray], torch.Tensor]:
    """The spikes of each layer of neurons, uint8 [N, T, ...], and what the last layer gives, [T, N, outputs]."""
    kind = next((one.dtype for one in net.parameters()), torch.float32)
    inputs = torch.tensor(images, dtype=kind) * scale  # a copy, as files are read-only
    same_image = inputs.ndim == 4
    return recorded(net, inputs.expand(timesteps, *inputs.shape) if same_image else inputs.transpose(0, 1))
