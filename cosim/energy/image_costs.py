"""What an image costs an accelerator by the models, whatever its clock: cycles and dynamic energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import Stage
from duospike.cosim.errors import CosimError
from duospike.reference import golden
from duospike.reference.network import Network

from .model import Coefficients, count_operations, total_energy
from .report import NANOJOULE


@dataclass(frozen=True)
class ImageCosts:
    """images: over how many. interval: see interval.py. latency: cycles of the first.

    dynamic: nanojoules an image, modelled; see docs/explanation/energy.md.
    """

    images: int
    interval: float
    latency: int
    dynamic: float


def image_costs(network: Network, stages: dict[str, Stage], images: np.ndarray) -> ImageCosts:
    """Costs of images [count, channels, height, width] that follow each other. CosimError for one: it has no interval."""
    count = len(images)
    trace = golden.run(network, images)
    run = run_model(network, stages, trace)
    interval = run.interval()
    if interval is None:
        raise CosimError(f"{count} image; the interval between images needs two or more")
    operations = count_operations(network, stages, run.activity, trace)
    return ImageCosts(count, interval, run.latency, total_energy(operations, Coefficients()) / NANOJOULE / count)
