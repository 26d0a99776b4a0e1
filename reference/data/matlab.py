"""Arrays of whole numbers in MATLAB's files of version 5 ("MAT-File Format", MathWorks), of the kind that SVHN is published in.

A file is a header of 128 bytes and an element for each variable. An element is a tag (its type and its number of bytes, or both
and up to four bytes of data in eight bytes) and data, filled up to eight bytes. A variable is compressed or not, and holds
elements itself: flags, dimensions, name, numbers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

import numpy as np

from duospike.reference.errors import brief
from duospike.reference.files import MAX_BYTES, ZLIB, inflate, inflate_start

HEADER = 128
VERSION = b"\x00\x01IM"
"""The header's last four bytes: version 1, the lowest byte first."""
INT8, INT32, UINT32, MATRIX, COMPRESSED = 1, 5, 6, 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 12: "<i8", 13: "<u8"}
"""Types of whole numbers in an element."""
CLASSES = range(6, 16)
"""Of arrays of numbers: double, single, and all widths of integers. MATLAB writes the whole numbers of a double as integers."""
FLAGS = 0xFF00
"""Of complex, global and logical arrays, beside the class in an array's flags."""
MAX_DIMENSIONS = 4


def read_matlab(data: bytes, wanted: set[str]) -> dict[str, np.ndarray]:
    """The variables of a file by their names, arrays of whole numbers.

    ValueError: damaged, another format, other variables than those that are wanted, numbers that are not whole, or a variable
    that expands to more than MAX_BYTES.
    """
    if data[HEADER - 4 : HEADER] != VERSION:
        raise ValueError("not a MATLAB file of version 5")
    found: dict[str, np.ndarray] = {}
    for kind, content in _elements(memoryview(data)[HEADER:]):
        if len(found) == len(wanted):
            raise ValueError(f"holds more than the variables {', '.join(sorted(wanted))}")
        if kind == COMPRESSED:
            kind, content = _expanded(content)
        if kind != MATRIX:
            raise ValueError(f"holds an element of type {kind}; needs arrays")
        name, array = _array(content)
        if name in found or name not in wanted:
            raise ValueError(f"variable {brief(name)}; needs {', '.join(sorted(wanted))}, each once")
        found[name] = array
    if len(found) < len(wanted):
        raise ValueError(f"variable {min(wanted - found.keys())} is missing")
    return found


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and data of each element."""
    while data:
        if len(data) < 8:
            raise ValueError("cut in a tag")
        kind, size = struct.unpack("<II", data[:8])
        if kind >> 16:
            kind, size, start, end = kind & 0xFFFF, kind >> 16, 4, 8
        else:
            # What is compressed is not filled up.
            start, end = 8, 8 + size + (0 if kind == COMPRESSED else -size % 8)
        if start + size > min(end, len(data)):
            raise ValueError(f"an element of {size} bytes is cut")
        yield kind, data[start : start + size]
        data = data[end:]


def _expanded(data: memoryview) -> tuple[int, memoryview]:
    """Type and data of the one element that is compressed; its tag says how long it is."""
    tag = inflate_start(data, ZLIB, 8)
    kind, size = struct.unpack("<II", tag) if len(tag) == 8 else (0, 0)
    if kind != MATRIX or size > MAX_BYTES:
        raise ValueError(f"compressed data of type {kind} and {size} bytes; allowed: an array of up to {MAX_BYTES}")
    found = memoryview(inflate(data, ZLIB, 8 + size))
    if len(found) != 8 + size:
        raise ValueError("an array in compressed data is cut")
    return kind, found[8:]


def _array(content: memoryview) -> tuple[str, np.ndarray]:
    """Name and values of a variable."""
    parts = [part for part, _ in zip(_elements(content), range(5), strict=False)]
    if [kind for kind, _ in parts[:3]] != [UINT32, INT32, INT8] or len(parts) != 4:
        raise ValueError("an array has other parts than flags, dimensions, name and numbers")
    (_, flags), (_, sizes), (_, name), (kind, numbers) = parts
    if len(flags) != 8 or len(sizes) % 4 or len(sizes) > 4 * MAX_DIMENSIONS:
        raise ValueError("an array has flags or dimensions of another size")
    about, shape = struct.unpack("<I", flags[:4])[0], struct.unpack(f"<{len(sizes) // 4}i", sizes)
    if about & FLAGS or about & 0xFF not in CLASSES or kind not in NUMBERS:
        raise ValueError(f"an array of class {about & 0xFF} and numbers of type {kind}; needs whole numbers")
    dtype = np.dtype(NUMBERS[kind])
    if not shape or min(shape) < 0 or math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f"an array of dimensions {shape} has {len(numbers)} bytes of numbers")
    return bytes(name).decode("latin1"), np.frombuffer(numbers, dtype).reshape(shape, order="F")
