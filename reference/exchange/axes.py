"""Arrays of neurons' parameters, laid along the neurons as numpy and torch broadcast them: by the last axis."""

from __future__ import annotations

import numpy as np


def along_neurons(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array [*shape] that values are for neurons of a shape [O, H, W] or [O]; leading sizes of 1 beyond it do not count.

    None: values would give more neurons than there are.
    """
    beyond = max(values.ndim - len(shape), 0)
    if any(size != 1 for size in values.shape[:beyond]):
        return None
    try:
        return np.broadcast_to(values.reshape(values.shape[beyond:]), shape)
    except ValueError:
        return None


def of_channels(laid: np.ndarray) -> np.ndarray | None:
    """One value for each output [O] of an array [O, H, W] or [O]; None if values differ within a channel."""
    flat = laid.reshape(len(laid), -1)
    return flat[:, 0] if (flat == flat[:, :1]).all() else None
