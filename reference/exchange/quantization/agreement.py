"""What rounding a source costs: how many answers and spikes of its integers are still its own, and how many answers are right."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError
from duospike.reference.exchange.floats import real_answers, run
from duospike.reference.exchange.source import Source
from duospike.reference.network import Network, Pool

NORMAL_95 = 1.96
"""Standard errors on either side of a mean."""


@dataclass(frozen=True)
class Agreement:
    """Of a source in real numbers and a network of integers, on the same images.

    equal_answers: share of images. other_spikes: layer name, pools left out -> share of neurons and timesteps at which one of
    the two spikes and the other does not. before, after: share of right answers of source and network, None without labels.
    interval: of after - before, with 95 % over images like these; paired, with half an image added to each of the four outcomes
    of a pair, so that few images without a change are no proof that none changes (Agresti and Min 2005).
    """

    images: int
    equal_answers: float
    other_spikes: dict[str, float]
    before: float | None
    after: float | None
    interval: tuple[float, float] | None

    @property
    def cost(self) -> str:
        """after - before in percentage points, with its 95 % interval over images like these; for networks with labels."""
        assert self.before is not None and self.after is not None and self.interval is not None
        low, high = self.interval
        return f"{100 * (self.after - self.before):+.2f} ({100 * low:+.2f} to {100 * high:+.2f})"


def compare(source: Source, network: Network, data: Dataset) -> Agreement:
    """Run both. InputError: no images, or images that the network does not take."""
    return compare_all(source, [network], data)[0]


def compare_all(source: Source, networks: Sequence[Network], data: Dataset) -> list[Agreement]:
    """compare() for several networks, for which the source is run once."""
    if not len(data.images):
        raise InputError("no images to compare on; needs 1 or more")
    wanted: list[np.ndarray] = []
    counts = [_Count(network) for network in networks]
    size = golden.batch_size(source.interface.timesteps)
    for start in range(0, len(data.images), size):
        images = data.images[start : start + size]
        real = dict(run(source, images))
        wanted.append(real_answers(source, list(real.values())[-1]).numpy())
        for count in counts:
            count.add(images, real)
    return [count.agreement(np.concatenate(wanted), data.labels) for count in counts]


class _Count:
    """answers: of the network. differing: layer name -> neurons and timesteps at which spikes differ."""

    def __init__(self, network: Network):
        self.network = network
        self.answers: list[np.ndarray] = []
        self.differing: Counter[str] = Counter()

    def add(self, images: np.ndarray, real: dict[str, torch.Tensor]) -> None:
        """real: the source's spikes by layer."""
        currents, maps = None, torch.zeros(0)
        for layer, currents, maps in golden.run_layers(self.network, images):  # noqa: B007 (those of the last layer)
            if not isinstance(layer, Pool) and golden.gives_spikes(self.network, layer):
                self.differing[layer.name] += int((real[layer.name] != maps).sum())
        self.answers.append(golden.class_scores(self.network, currents, maps)[1])

    def agreement(self, wanted: np.ndarray, labels: np.ndarray | None) -> Agreement:
        """wanted: the source's answers [N]."""
        network, answers = self.network, np.concatenate(self.answers)
        places = {layer.name: math.prod(shape) for layer, shape in zip(network.layers, network.shapes[1:], strict=True)}
        shares = {name: count / (places[name] * network.timesteps * len(answers)) for name, count in self.differing.items()}
        same = float(np.mean(wanted == answers))
        if labels is None:
            return Agreement(len(answers), same, shares, None, None, None)
        before, after = wanted == labels, answers == labels
        interval = paired_interval(int((after & ~before).sum()), int((before & ~after).sum()), len(answers))
        return Agreement(len(answers), same, shares, float(before.mean()), float(after.mean()), interval)


def paired_interval(gained: int, lost: int, pairs: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares, of pairs that became right and that became wrong."""
    gains, losses, count = gained + 0.5, lost + 0.5, pairs + 2
    middle = (gains - losses) / count
    around = NORMAL_95 * math.sqrt(gains + losses - count * middle**2) / count
    return middle - around, middle + around
