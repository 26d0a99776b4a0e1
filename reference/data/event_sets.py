"""Sets of recordings: N-MNIST and DVS128 Gesture in the folders that their authors publish, and a user's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.files import read_bytes

from .event_files import HDF5, MAX_RECORDINGS, ONE, read_aedat, read_hdf5, read_nmnist
from .event_frames import Events

NMNIST_SENSOR, NMNIST_CLASSES = (2, 34, 34), 10
GESTURE_SENSOR, GESTURE_CLASSES = (2, 128, 128), 11
NMNIST_FOLDERS = {"train": "Train", "test": "Test"}
GESTURE_TRIALS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
MAX_TEXT = 2**16
"""Bytes of a list of trials, and of a trial's labels."""
_TRIAL = re.compile(r"[A-Za-z0-9_-]{1,100}\.aedat")
_GESTURE = re.compile(r"([0-9]{1,2}),([0-9]{1,10}),([0-9]{1,10})")


@dataclass(frozen=True, eq=False)
class Recordings:
    """total: how many there are. count: of those that are read, the first ones. events: theirs, each read in its turn.

    labels: int64 [count], or None.
    """

    total: int
    count: int
    events: Iterator[Events]
    labels: np.ndarray | None


def nmnist(split: str, folder: Path, limit: int | None) -> Recordings:
    """N-MNIST (Orchard et al. 2015): Train/0 to Train/9 and Test/0 to Test/9 with .bin files, in the order of their names.

    InputError: a folder of a class is missing or empty.
    """
    files = []
    for label in range(NMNIST_CLASSES):
        place = folder / NMNIST_FOLDERS[split] / str(label)
        found = sorted(place.glob("*.bin"))
        if not found:
            raise InputError(f"{place}: holds no .bin files; N-MNIST has a folder of them for each digit")
        files += [(path.name, label, path) for path in found]
    _check_count(folder, len(files))
    chosen = sorted(files)[:limit]
    labels = np.array([label for _, label, _ in chosen], np.int64)
    return Recordings(len(files), len(chosen), (read_nmnist(path) for _, _, path in chosen), labels)


def dvs128_gesture(split: str, folder: Path, limit: int | None) -> Recordings:
    """DVS128 Gesture (Amir et al. 2017): the gestures of the files that trials_to_train.txt or trials_to_test.txt lists.

    A recording is from the start to the end of a gesture, as NAME_labels.csv beside NAME.aedat says; class 1 is label 0.
    InputError: a file is missing, damaged or of another format, or has no events in a gesture.
    """
    listed = _lines(folder / GESTURE_TRIALS[split])
    for name in listed:
        if not _TRIAL.fullmatch(name):
            raise InputError(f"{folder / GESTURE_TRIALS[split]}: {brief(name)}; needs names of .aedat files")
    found = list(_gestures(folder, listed))
    _check_count(folder, len(found))
    chosen = found[:limit]
    return Recordings(len(found), len(chosen), _cut(chosen), np.array([label for _, label, _, _ in chosen], np.int64))


def _gestures(folder: Path, trials: list[str]) -> Iterator[tuple[Path, int, int, int]]:
    """File, label, start and end in microseconds of each gesture."""
    for name in trials:
        path = folder / name.replace(".aedat", "_labels.csv")
        for line in _lines(path)[1:]:
            match = _GESTURE.fullmatch(line)
            label, start, end = map(int, match.groups()) if match else (0, 0, 0)
            if not 1 <= label <= GESTURE_CLASSES or end <= start:
                raise InputError(f"{path}: {brief(line)}; needs class,start,end: a class of 1 to {GESTURE_CLASSES}, microseconds")
            yield folder / name, label - 1, start, end


def _cut(gestures: list[tuple[Path, int, int, int]]) -> Iterator[Events]:
    """The events of each gesture; each file is read once."""
    for path, of_file in itertools.groupby(gestures, key=lambda one: one[0]):
        events = read_aedat(path)
        for _, _, start, end in of_file:
            part = slice(*np.searchsorted(events.t, (start, end)))
            where = f"{path}, {start} to {end} us"
            yield Events(where, events.t[part], events.x[part], events.y[part], events.p[part])


def _lines(path: Path) -> list[str]:
    text = read_bytes(path, MAX_TEXT).decode(errors="replace")
    return [line.strip() for line in text.split("\n") if line.strip()]


def is_recording(path: Path) -> bool:
    """Whether a file's name ends as one of events does."""
    return path.suffix in (*ONE, *HDF5)


def recordings(path: Path, limit: int | None) -> Recordings:
    """Those of a file, or of all files of events in a folder, by their names. InputError: none, or several with HDF5."""
    files = sorted(one for one in path.iterdir() if is_recording(one)) if path.is_dir() else [path]
    if len(files) == 1 and files[0].suffix in HDF5:
        events, labels, total = read_hdf5(files[0], limit)
        return Recordings(total, len(events), iter(events), labels)
    if any(one.suffix in HDF5 for one in files):
        raise InputError(f"{path}: {len(files)} files, among them HDF5; name one HDF5 file, or a folder of other files of events")
    _check_count(path, len(files))
    chosen = files[:limit]
    return Recordings(len(files), len(chosen), (ONE[one.suffix](one) for one in chosen), None)


def _check_count(path: Path, count: int) -> None:
    if not 1 <= count <= MAX_RECORDINGS:
        raise InputError(f"{path}: {count} recordings; allowed: 1 to {MAX_RECORDINGS}")
