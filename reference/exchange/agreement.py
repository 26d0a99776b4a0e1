"""What rounding a source costs: how many answers and spikes of its integers are still its own, and how many answers are right."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError
from duospike.reference.network import Network, Pool

from .floats import run
from .source import Source


@dataclass(frozen=True)
class Agreement:
    """Of a source in real numbers and a network of integers, on the same images.

    equal_answers: share of images. other_spikes: layer name, pools left out -> share of neurons and timesteps at which one of
    the two spikes and the other does not. before, after: share of right answers of source and network, None without labels.
    """

    images: int
    equal_answers: float
    other_spikes: dict[str, float]
    before: float | None
    after: float | None


def compare(source: Source, network: Network, data: Dataset) -> Agreement:
    """Run both. InputError: no images, or images that the network does not take."""
    if not len(data.images):
        raise InputError("no images to compare on; needs 1 or more")
    answers: list[tuple[np.ndarray, np.ndarray]] = []
    differing: Counter[str] = Counter()
    size = golden.batch_size(network.timesteps)
    for start in range(0, len(data.images), size):
        images = data.images[start : start + size]
        for (_, real), (layer, _, whole) in zip(run(source, images), golden.run_layers(network, images), strict=True):
            if not isinstance(layer, Pool):
                differing[layer.name] += int((real != whole).sum())
        answers.append((answers_of(network, real), answers_of(network, whole)))
    first, second = (np.concatenate(each) for each in zip(*answers, strict=True))
    places = {layer.name: np.prod(shape) for layer, shape in zip(network.layers, network.shapes[1:], strict=True)}
    return Agreement(
        len(data.images),
        float(np.mean(first == second)),
        {name: float(count / (places[name] * network.timesteps * len(data.images))) for name, count in differing.items()},
        *(None if data.labels is None else float(np.mean(given == data.labels)) for given in (first, second)),
    )


def answers_of(network: Network, spikes: torch.Tensor) -> np.ndarray:
    """The answers [N] that spikes of the last layer [T, N, O, 1, 1] vote for."""
    return golden.count_votes(network, spikes)[1]
