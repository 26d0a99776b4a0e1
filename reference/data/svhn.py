"""SVHN (Netzer et al. 2011), cropped digits, from its published MATLAB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import read_bytes

from .matlab import read_matlab

SHAPE = (3, 32, 32)
CLASSES = 10
FILES = {"train": "train_32x32.mat", "test": "test_32x32.mat"}


def read_svhn(split: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [count, 3, 32, 32] and labels int64 [count] of a split, train or test; the file's label 10 is digit 0.

    InputError: the file is missing, damaged or of another format.
    """
    path = folder / FILES[split]
    data = read_bytes(path)
    try:
        found = read_matlab(data, {"X", "y"})
    except ValueError as error:
        raise InputError(f"{path}: not a file of SVHN ({brief(error)})") from None
    images, labels = found["X"], found["y"]
    is_image = images.dtype == np.uint8 and images.ndim == 4 and images.shape[:3] == (32, 32, 3)
    if not is_image or labels.size != images.shape[3]:
        raise InputError(
            f"{path}: X is {images.dtype} {images.shape}, y {labels.dtype} {labels.shape}; needs uint8 (32, 32, 3, count) and "
            "integers (count, 1)"
        )
    labels = labels.reshape(-1)
    if not labels.size or labels.min() < 1 or labels.max() > CLASSES:
        raise InputError(f"{path}: {labels.size} labels; needs 1 or more, each in 1..{CLASSES}")
    return np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels.astype(np.int64) % CLASSES
