"""The interval between images, as all commands and reports define it.

The interval of a run is the mean number of clock cycles from one class to the next, where images follow each other without a
gap. The first class ends the latency of the first image and begins the first interval, so a run of n images has n - 1 of them,
and a single image has none. Images a second are the clock over the interval.

`explore` lets the images of its choice come twice, and counts from the last class of the first round on: each image then has
its interval in steady state, the first one too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mean_interval(ends: Sequence[int] | np.ndarray, warmup: int = 1) -> float | None:
    """Cycles from class to class, or None if no class follows another. ends: the cycle of each class. warmup: images that
    only fill the stages, the last of which begins the first interval."""
    counted = ends[warmup - 1 :]
    return float(counted[-1] - counted[0]) / (len(counted) - 1) if len(counted) > 1 else None


def mean_interval_of_batches(runs: Sequence[tuple[float | None, int]]) -> float | None:
    """The mean over runs that do not follow each other: of each its interval and its number of images."""
    sums = [(interval * (images - 1), images - 1) for interval, images in runs if interval is not None]
    return sum(cycles for cycles, _ in sums) / sum(count for _, count in sums) if sums else None
