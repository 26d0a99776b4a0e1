"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) from their published files, of the binary and of the Python version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import read_bytes

from .array_pickle import read_pickle

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
_BATCHES = [f"data_batch_{number}" for number in range(1, 6)]
FILES = {
    "cifar-10": {"train": _BATCHES, "test": ["test_batch"]},
    "cifar-100": {"train": ["train"], "test": ["test"]},
}
"""Names of the files of a split; those of the binary version end in .bin."""
CLASSES = {"cifar-10": 10, "cifar-100": 100}
MAX_LABEL = 2**31
"""Far beyond all labels."""
_LABELS = {"cifar-10": b"labels", "cifar-100": b"fine_labels"}
_LABEL_BYTES = {"cifar-10": 1, "cifar-100": 2}
"""In a binary record before the pixels; the last one counts, of CIFAR-100's the fine label."""


def read_cifar(name: str, split: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [count, 3, 32, 32] and labels int64 [count] of a split, train or test.

    name: cifar-10 or cifar-100. folder: holds the binary version's files or the Python version's.
    InputError: a file is missing, damaged or of another format.
    """
    files = FILES[name][split]
    is_binary = (folder / f"{files[0]}.bin").exists()
    parts = [_read_binary(name, folder / f"{file}.bin") if is_binary else _read_pickle(name, folder / file) for file in files]
    counts = {file: len(labels) for file, (_, labels) in zip(files, parts, strict=True)}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise InputError(f"{folder}: images of the files {counts}; needs as many in each, 1 or more")
    for file, (_, labels) in zip(files, parts, strict=True):
        if labels.min() < 0 or labels.max() >= CLASSES[name]:
            raise InputError(f"{folder / file}: labels from {labels.min()} to {labels.max()}; allowed: 0..{CLASSES[name] - 1}")
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return images.reshape(-1, *SHAPE), labels.astype(np.int64)


def _read_binary(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    data, record = np.frombuffer(read_bytes(path), np.uint8), _LABEL_BYTES[name] + PIXELS
    if data.size % record:
        raise InputError(f"{path}: {data.size} bytes; needs a multiple of {record}, the bytes of an image of {name}")
    records = data.reshape(-1, record)
    return records[:, -PIXELS:], records[:, _LABEL_BYTES[name] - 1]


def _read_pickle(name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.exists():
        raise InputError(f"{path}: not found, nor {path.name}.bin")
    data = read_bytes(path)
    try:
        found = read_pickle(data)
        images, labels = _array(found, b"data"), _array(found, _LABELS[name])
    except ValueError as error:
        raise InputError(f"{path}: not a batch of {name} ({brief(error)})") from None
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != PIXELS or labels.shape != images.shape[:1]:
        raise InputError(
            f"{path}: {images.dtype} {images.shape} and {labels.shape} labels; needs uint8 [count, {PIXELS}] and [count]"
        )
    return images, labels


def _array(found: dict[bytes, Any], key: bytes) -> np.ndarray:
    """An array, or a list of whole numbers as one."""
    if key not in found:
        raise ValueError(f"{key.decode()} is missing")
    values = found[key]
    if isinstance(values, np.ndarray):
        return values
    if type(values) is not list or any(type(value) is not int or abs(value) > MAX_LABEL for value in values):
        raise ValueError(f"{key.decode()} is neither an array nor a list of whole numbers")
    return np.array(values, np.int64)
