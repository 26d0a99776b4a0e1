"""`.npy` files: their header is checked before their numbers are read."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import MAX_BYTES, check_plain

_MAX_HEADER = 12 + 10_000
"""Bytes of the longest header that numpy reads."""


@dataclass(frozen=True)
class NpyHeader:
    """What a file announces. start: of its numbers, in bytes. by_column: whether the first index runs fastest."""

    shape: tuple[int, ...]
    dtype: np.dtype
    by_column: bool
    start: int


def read_header(path: Path | str) -> NpyHeader:
    """InputError: not an `.npy` file of numbers, or of records of numbers."""
    check_plain(path)
    with open(path, "rb") as file:
        start = io.BytesIO(file.read(_MAX_HEADER))
    try:
        shape, by_column, dtype = _header(start)
    except Exception as error:  # numpy has no common exception for the many ways in which a file can be damaged
        raise InputError(f"{path}: not an .npy file of plain numbers ({brief(error)})") from None
    return NpyHeader(shape, dtype, by_column, start.tell())


def read_values(path: Path | str, header: NpyHeader, what: str) -> np.ndarray:
    """The array that the header announces. what: it holds, for the message.

    InputError: more than MAX_BYTES, or not of as many bytes as the header announces.
    """
    shape, dtype = header.shape, header.dtype
    count, rest = math.prod(shape) * dtype.itemsize, check_plain(path) - header.start
    if count != rest:
        raise InputError(f"{path}: not an .npy file of plain numbers ({rest} bytes; its header announces {dtype} {shape})")
    if count > MAX_BYTES:
        raise InputError(f"{path}: {count} bytes of {what}; allowed: up to {MAX_BYTES}")
    values = np.fromfile(path, dtype, offset=header.start).reshape(shape, order="F" if header.by_column else "C")
    return values.astype(dtype.newbyteorder("="), order="C", copy=False)


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether the first index runs fastest, and type."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version[0]}.{version[1]}; allowed: 1.0 and 2.0")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
        shape, by_column, dtype = read(file)
    if not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"shape {brief(shape)}")
    return shape, by_column, dtype


def read_labels(path: Path | str, total: int, count: int) -> np.ndarray:
    """The first `count` labels, int64, of an `.npy` file of integers [total]. InputError: not such a file."""
    header = read_header(path)
    if header.dtype.kind not in "iu" or len(header.shape) != 1:
        raise InputError(f"{path}: holds {header.dtype} {header.shape}; needs labels, integers [count]")
    if header.shape[0] != total:
        raise InputError(f"{path}: holds {header.shape[0]} labels for {total} images; needs one for each")
    labels = read_values(path, header, "labels")
    check_label_size(path, labels)
    return labels[:count].astype(np.int64)


def check_label_size(path: Path | str, labels: np.ndarray) -> None:
    """InputError: a label of uint64 that int64 does not hold."""
    if labels.max() > np.iinfo(np.int64).max:
        raise InputError(f"{path}: a label of {labels.max()}; allowed: up to 2^63 - 1")
