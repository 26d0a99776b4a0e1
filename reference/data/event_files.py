"""Recordings of event cameras: files of events (t, x, y, p), each format with its own limits.

N-MNIST's .bin (Orchard et al. 2015), AEDAT 2.0 of a DVS128 and AEDAT 3.1 (.aedat), AEDAT 4 (.aedat4, by the package aedat),
.npy, and HDF5 (by h5py). What these two packages read is read in a process of its own.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import read_bytes

from . import npy
from .child import read_in_child
from .event_frames import Events

MAX_EVENTS = 2**24
"""Of a file."""
MAX_HEADER, MAX_PACKETS = 2**20, 2**18
"""Bytes of the header, and packets, of an AEDAT file."""
NMNIST_RECORD, NMNIST_OVERFLOW, NMNIST_STEP = 5, 240, 2**13
"""Bytes of an event; the y of a record that is none, after which the clock has gone on by 2^13 us."""
PACKET = struct.Struct("<hhiiiiii")
"""AEDAT 3.1: type, source, bytes of an event, offset of the time, high bits of the time, capacity, events, valid events."""
POLARITY, POLARITY_BYTES = 1, 8
DVS128_SIZE = 128
FIELDS = {"t": ("t", "ts", "timestamp"), "x": ("x",), "y": ("y",), "p": ("p", "pol", "polarity", "on")}
"""Names that a record's fields may have: numpy's of the package aedat, DV's and tonic's among them."""
MAX_SECONDS, MAX_MEMORY = 8, 3 * 2**28
"""Of the child: processor time, and bytes beyond those that it has before it reads."""
CHILD = "from duospike.reference.data import event_libraries; event_libraries.{0}({1})"
_VERSION = re.compile(rb"#!AER-DAT([0-9]\.[0-9])\r?\n")


def read_nmnist(path: Path) -> Events:
    """A file of N-MNIST: 8 bits x, 8 bits y, 1 bit polarity, 23 bits of time in microseconds, for each event.

    InputError: not a multiple of 5 bytes, or what Events refuses.
    """
    data = np.frombuffer(read_bytes(path), np.uint8)
    if data.size % NMNIST_RECORD:
        raise InputError(f"{path}: {data.size} bytes; needs a multiple of {NMNIST_RECORD}, the bytes of an event of N-MNIST")
    _check_count(path, data.size // NMNIST_RECORD)
    x, y, *rest = data.reshape(-1, NMNIST_RECORD).T
    t = (rest[0] & 127).astype(np.int64) << 16 | rest[1].astype(np.int64) << 8 | rest[2]
    is_event = y != NMNIST_OVERFLOW
    t += NMNIST_STEP * np.cumsum(~is_event)
    return Events(str(path), t[is_event], x[is_event], y[is_event], (rest[0] >> 7)[is_event] == 1)


def read_aedat(path: Path) -> Events:
    """An .aedat file: version 2.0 of a DVS128, or 3.1. InputError: another version or camera, damaged, cut."""
    data = read_bytes(path)
    found = _VERSION.match(data)
    readers = {b"2.0": _aedat2, b"3.1": _aedat3}
    if not found or found[1] not in readers:
        version = brief(found[1].decode()) if found else "none"
        raise InputError(f"{path}: AEDAT version {version}; allowed: 2.0 and 3.1 in .aedat, 4.0 in .aedat4")
    try:
        return readers[found[1]](str(path), data)
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not a file of AEDAT {found[1].decode()}, or damaged ({error})") from None


def _aedat2(where: str, data: bytes) -> Events:
    """Big-endian pairs of address and time. Of a DVS128: bit 0 polarity (1: brighter), 1 to 7 x, 8 to 14 y, 15 of no pixel."""
    start = 0
    while data.startswith(b"#", start):
        end = data.find(b"\n", start, MAX_HEADER) + 1
        if not end:
            raise ValueError(f"a header without an end in {MAX_HEADER} bytes")
        line = data[start:end]
        if line.startswith(b"# AEChip:") and not re.search(rb"DVS128\s*$", line):
            raise InputError(f"{where}: camera {brief(line[9:].strip().decode(errors='replace'))}; allowed in AEDAT 2.0: DVS128")
        start = end
    if (len(data) - start) % 8:
        raise ValueError(f"{len(data) - start} bytes of events; needs a multiple of 8")
    _check_count(where, (len(data) - start) // 8)
    address, t = np.frombuffer(data, ">u4", offset=start).reshape(-1, 2).T
    if (address >> 16).any():
        raise ValueError(f"address {address.max()}; a DVS128 has 16 bits")
    address, t = address[address < 2**15], t[address < 2**15].astype(np.int64)
    return Events(where, t, address >> 1 & 127, address >> 8 & 127, address & 1 == 1)


def _aedat3(where: str, data: bytes) -> Events:
    """Packets of events; those of polarity events hold pairs of bits 0 valid, 1 polarity, 2 to 16 y, 17 to 31 x, and of time."""
    start = data.find(b"#!END-HEADER", 0, MAX_HEADER)
    start = data.find(b"\n", start, MAX_HEADER) + 1 if start >= 0 else 0
    if not start:
        raise ValueError(f"a header without an end in {MAX_HEADER} bytes")
    kind = re.search(rb"^#Format: (.*?)\s*$", data[:start], re.MULTILINE)
    if not kind or kind[1] != b"RAW":
        raise ValueError(f"format {brief(kind[1].decode(errors='replace')) if kind else 'none'}; needs RAW")
    words, times = [], []
    for events, high in _packets(where, data, start):
        words.append(events[:, 0])
        times.append(events[:, 1].astype(np.int64) | high << 31)
    if not words:
        raise InputError(f"{where}: holds no polarity events")
    word, t = np.concatenate(words), np.concatenate(times)
    valid = word & 1 == 1
    word = word[valid]
    return Events(where, t[valid], word >> 17, word >> 2 & 0x7FFF, word >> 1 & 1 == 1)


def _packets(where: str, data: bytes, start: int) -> Iterator[tuple[np.ndarray, int]]:
    """Of each packet of polarity events: uint32 [events, 2], and the high bits of their times."""
    events = 0
    for _ in range(MAX_PACKETS):
        if start == len(data):
            return
        if start + PACKET.size > len(data):
            raise ValueError("cut in the head of a packet")
        kind, _source, size, _offset, high, capacity, number, _valid = PACKET.unpack_from(data, start)
        start += PACKET.size
        if size < 1 or not 0 <= number <= capacity or start + size * capacity > len(data) or high < 0:
            left = f"capacity {capacity}, {len(data) - start} bytes are left"
            raise ValueError(f"a packet of {number} events of {size} bytes, {left}")
        if kind == POLARITY:
            if size != POLARITY_BYTES:
                raise ValueError(f"polarity events of {size} bytes; needs {POLARITY_BYTES}")
            events += number
            _check_count(where, events)
            yield np.frombuffer(data, "<u4", 2 * number, start).reshape(-1, 2), high
        start += size * capacity
    if start != len(data):
        raise ValueError(f"more than {MAX_PACKETS} packets")


def read_event_npy(path: Path) -> Events:
    """An .npy file of a recording: integers [events, 4] in the order t, x, y, p, or records with fields of FIELDS' names.

    InputError: other contents, or a polarity that is none of 0, 1 and -1.
    """
    header = npy.read_header(path)
    names = header.dtype.names
    if names is None:
        if header.dtype.kind not in "iu" or len(header.shape) != 2 or header.shape[1] != 4:
            raise InputError(f"{path}: holds {header.dtype} {header.shape}; needs integers [events, 4] in the order t, x, y, p")
        _check_count(path, header.shape[0])
        columns = list(npy.read_values(path, header, "events").T)
    else:
        chosen = [next((name for name in FIELDS[key] if name in names), None) for key in FIELDS]
        kinds = [None if name is None else header.dtype[name] for name in chosen]
        if len(header.shape) != 1 or any(kind is None or kind.kind not in "iub" or kind.shape for kind in kinds):
            raise InputError(
                f"{path}: holds {brief(header.dtype)} {header.shape}; needs records [events] with integers t, x, y and p"
            )
        _check_count(path, header.shape[0])
        values = npy.read_values(path, header, "events")
        columns = [values[name] for name in chosen]
    return events_of(str(path), *columns)


def events_of(where: str, t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray) -> Events:
    """Events of arrays of whole numbers. InputError: a polarity that is none of 0, 1 and -1, or what Events refuses."""
    if p.size and p.dtype.kind != "b" and not np.isin(p, (-1, 0, 1)).all():
        raise InputError(f"{where}: polarities from {p.min()} to {p.max()}; allowed: 0 or -1 for darker, 1 for brighter")
    return Events(where, t, x, y, p > 0)


def _check_count(where: object, count: int) -> None:
    if count > MAX_EVENTS:
        raise InputError(f"{where}: more than {MAX_EVENTS} events")


def read_by_library(function: str, path: Path, package: str, limit: int | None = None):
    """What a function of event_libraries reads in a child."""
    code = CHILD.format(function, limit)
    return read_in_child(code, path, f"the package {package}", max_seconds=MAX_SECONDS, max_memory=MAX_MEMORY)


def read_aedat4(path: Path) -> Events:
    """An .aedat4 file, of its one stream of events. InputError: the package aedat is not there, or cannot read it."""
    return read_by_library("aedat4", path, "aedat")


ONE: dict[str, Callable[[Path], Events]] = {
    ".bin": read_nmnist,
    ".aedat": read_aedat,
    ".aedat4": read_aedat4,
    ".npy": read_event_npy,
}
"""Readers of files of one recording each, by the ending of the name."""
HDF5 = (".h5", ".hdf5")
MAX_RECORDINGS = 2**17


def read_hdf5(path: Path, limit: int | None) -> tuple[list[Events], np.ndarray | None, int]:
    """The first `limit` recordings of an HDF5 file, their labels int64, None where it holds none, and how many it holds.

    Two layouts: that of SHD and SSC (Cramer et al. 2020), `spikes/times` in seconds and `spikes/units` of each recording, and
    `labels`; or one recording, `events/t`, `events/x`, `events/y` and `events/p`, as DSEC has it (Gehrig et al. 2021).
    """
    return read_by_library("hdf5", path, "h5py", limit)
