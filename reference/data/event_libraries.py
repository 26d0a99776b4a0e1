"""Recordings that the packages aedat and h5py read: run in a child process (child.py), which either may crash or hang."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, brief, name_text
from duospike.reference.files import MAX_BYTES, check_plain
from duospike.reference.installation import install_hint

from .child import give_back
from .event_files import MAX_EVENTS, MAX_RECORDINGS, events_of
from .event_frames import Events
from .npy import check_label_size

EXTRA = "events"
MAX_SPIKES = 2**25
"""Of all recordings in an HDF5 file that are read; the test set of SHD has some 18 million."""
MAX_UNIT = 2**16
SECOND = 1_000_000
"""In microseconds."""


def aedat4(_limit: None) -> None:
    """The child for an .aedat4 file."""
    give_back(_careful(parse_aedat4, "aedat", "an AEDAT 4 file"), "aedat")


def hdf5(limit: int | None) -> None:
    """The child for an HDF5 file."""
    give_back(_careful(lambda path: parse_hdf5(path, limit), "h5py", "an HDF5 file of events"), "h5py")


def _careful(parse: Callable[[str], Any], package: str, what: str) -> Callable[[str], Any]:
    """`parse` with its errors as refusals: the packages have no common exception, and aedat's panics are no Exception."""

    def read(path: str) -> Any:
        check_plain(path, MAX_BYTES)
        try:
            return parse(path)
        except ModuleNotFoundError:
            raise InputError(f"{path}: the package {package} is not installed: {install_hint(EXTRA)}") from None
        except (InputError, MemoryError):
            raise
        except BaseException as error:
            raise InputError(f"{path}: not {what}, or damaged ({brief(error)})") from None

    return read


def parse_aedat4(path: str) -> Events:
    """The events of the one stream of events of a file."""
    import aedat

    decoder = aedat.Decoder(path)
    streams = [number for number, about in decoder.id_to_stream().items() if about["type"] == "events"]
    if len(streams) != 1:
        raise InputError(f"{path}: {len(streams)} streams of events; needs one")
    packets, count = [], 0
    for packet in decoder:
        if packet["stream_id"] == streams[0]:
            packets.append(packet["events"])
            count += len(packets[-1])
            if count > MAX_EVENTS:
                raise InputError(f"{path}: more than {MAX_EVENTS} events")
    if not packets:
        raise InputError(f"{path}: holds no events")
    return events_of(path, *(np.concatenate([one[name] for one in packets]) for name in ("t", "x", "y", "on")))


def parse_hdf5(path: str, limit: int | None) -> tuple[list[Events], np.ndarray | None, int]:
    """As event_files.read_hdf5."""
    import h5py

    with h5py.File(path, "r") as file:
        for name in ("spikes", "events"):
            if name in file and not isinstance(file.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"{path}: {name} is a link; needs a group in the file itself")
        if "spikes" in file:
            return _spikes(path, h5py, file, limit)
        if "events" in file:
            return [events_of(path, *(_column(path, h5py, file["events"], key) for key in "txyp"))], None, 1
    raise InputError(f"{path}: holds neither spikes/times and spikes/units nor events/t, x, y and p")


def _array(path: str, h5py: Any, group: Any, name: str) -> Any:
    """A one-dimensional array in the file itself; InputError if there is none."""
    if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise InputError(f"{path}: {name_text(name)} is missing")
    found = group[name]
    if not isinstance(found, h5py.Dataset) or len(found.shape or ()) != 1 or found.external or found.is_virtual:
        raise InputError(f"{path}: {name_text(name)} is no array of one dimension in the file itself")
    return found


def _column(path: str, h5py: Any, group: Any, name: str) -> np.ndarray:
    """The whole numbers of an array of events."""
    found = _array(path, h5py, group, name)
    if found.dtype.kind not in "iub" or found.shape[0] > MAX_EVENTS:
        raise InputError(f"{path}: {name} is {found.dtype} {found.shape}; needs integers, up to {MAX_EVENTS}")
    return found[:]


def _spikes(path: str, h5py: Any, file: Any, limit: int | None) -> tuple[list[Events], np.ndarray | None, int]:
    times, units = (_array(path, h5py, file["spikes"], name) for name in ("times", "units"))
    count = min(times.shape[0], limit or times.shape[0])
    if times.shape != units.shape or not 1 <= count <= MAX_RECORDINGS:
        raise InputError(f"{path}: times of {times.shape[0]} and units of {units.shape[0]} recordings; needs as many, 1 or more")
    found, numbers = [], 0
    for index in range(count):
        seconds, unit = np.asarray(times[index]), np.asarray(units[index])
        numbers += seconds.size
        if numbers > MAX_SPIKES:
            raise InputError(f"{path}: more than {MAX_SPIKES} spikes; take fewer recordings")
        found.append(_recording(f"{path}, recording {index}", seconds, unit))
    if "labels" not in file:
        return found, None, times.shape[0]
    labels = _column(path, h5py, file, "labels")
    if labels.size != times.shape[0]:
        raise InputError(f"{path}: {labels.size} labels of {times.shape[0]} recordings; needs one for each")
    check_label_size(path, labels)
    return found, labels[:count].astype(np.int64), times.shape[0]


def _recording(where: str, seconds: np.ndarray, unit: np.ndarray) -> Events:
    """Spikes of numbered units: their number is x, in one row."""
    if seconds.dtype.kind != "f" or unit.dtype.kind not in "iu" or seconds.ndim != 1 or seconds.shape != unit.shape:
        raise InputError(
            f"{where}: times {seconds.dtype} {seconds.shape}, units {unit.dtype} {unit.shape}; needs as many floats and integers"
        )
    if not np.isfinite(seconds).all() or (np.abs(seconds) > 1e9).any():
        raise InputError(f"{where}: a time is not finite, or beyond 10^9 s")
    if unit.size and not 0 <= unit.min() <= unit.max() < MAX_UNIT:
        raise InputError(f"{where}: units from {unit.min()} to {unit.max()}; allowed: 0 to {MAX_UNIT - 1}")
    t = np.rint(seconds.astype(np.float64) * SECOND).astype(np.int64)
    return Events(where, t, unit.astype(np.uint16), np.zeros(len(unit), np.uint8), np.ones(len(unit), bool))
