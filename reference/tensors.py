"""Files of tensors in the safetensors format, read by their header first: what is not wanted is refused before it takes memory.

safetensors' own reader takes whatever the header claims, ends the process where memory does not suffice, and lets a key that
comes twice pass. The format: 8 bytes, the length of the header; the header, JSON; the tensors' bytes, one after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import InputError, brief
from .files import check_plain, parse_json

MAX_HEADER = 2**20
"""Bytes of the header."""
MAX_DIMENSIONS = 8
TYPES = {
    "I8": np.int8, "I16": np.int16, "I32": np.int32, "I64": np.int64, "U8": np.uint8, "U16": np.uint16, "U32": np.uint32,
    "U64": np.uint64, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
METADATA = "__metadata__"


@dataclass(frozen=True)
class TensorEntry:
    """What the header says of a tensor. start: of its bytes in the file."""

    dtype: np.dtype
    shape: tuple[int, ...]
    start: int

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class TensorFile:
    """The header of a file. metadata: its texts. entries: its tensors by name."""

    path: Path
    metadata: dict[str, str]
    entries: dict[str, TensorEntry]

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor, which takes as much memory as its entry says."""
        entry = self.entries[name]
        return np.fromfile(self.path, entry.dtype, entry.count, offset=entry.start).reshape(entry.shape)


def read_header(path: Path | str) -> TensorFile:
    """The header of a safetensors file, checked against the size of the file.

    InputError: not readable, no such file, a header over MAX_HEADER bytes or with a key twice, an unknown type of number, or
    tensors that do not fill the rest of the file one after the other.
    """
    path = Path(path)
    size = check_plain(path)
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(MAX_HEADER, size - 8):
                raise ValueError(f"a header of {length} bytes in a file of {size}; allowed: up to {MAX_HEADER}")
            header = parse_json(file.read(length))
        return _tensor_file(path, header, 8 + length, size)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{path}: truncated, or not a safetensors file ({brief(error)})") from None


def _tensor_file(path: Path, header: Any, start: int, size: int) -> TensorFile:
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise ValueError("the metadata is not an object of texts")
    found = sorted((_entry(name, about, start) for name, about in header.items()), key=lambda one: one[1:3])
    for name, begin, end, _ in found:
        if begin != start:
            raise ValueError(f"tensor {brief(name)} does not follow the one before it")
        start = end
    if start != size:
        raise ValueError(f"the tensors end at byte {start} of {size}")
    return TensorFile(path, metadata, {name: entry for name, _, _, entry in found})


def _entry(name: str, about: Any, start: int) -> tuple[str, int, int, TensorEntry]:
    """Name, first byte and the byte behind it in the file, and the entry."""
    if not isinstance(about, dict) or about.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {brief(name)} needs dtype, shape and data_offsets")
    kind, shape, offsets = about["dtype"], about["shape"], about["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"tensor {brief(name)} is of {brief(kind)}; allowed: {', '.join(TYPES)}")
    if not _are_sizes(shape) or 0 in shape or len(shape) > MAX_DIMENSIONS or not _are_sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {brief(name)} has no shape of sizes from 1 up, or no data_offsets of whole numbers")
    entry = TensorEntry(np.dtype(TYPES[kind]).newbyteorder("<"), tuple(shape), start + offsets[0])
    if offsets[1] - offsets[0] != entry.count * entry.dtype.itemsize:
        raise ValueError(f"tensor {brief(name)} of {kind} {brief(shape)} does not take the bytes {brief(offsets)}")
    return name, start + offsets[0], start + offsets[1], entry


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
