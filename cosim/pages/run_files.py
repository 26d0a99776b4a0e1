"""The folders that commands write, read back: which command wrote what, and the recorded spikes of an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duospike.cosim.design.beats import beat_spikes
from duospike.cosim.design.plan import READOUT
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import LIST_FILE, claimed, read_list, write_list
from duospike.cosim.simulation.batches import batch_folder
from duospike.cosim.simulation.bench import read_beats
from duospike.reference.coding import ENCODER
from duospike.reference.errors import InputError, brief
from duospike.reference.files import digest_of, read_json, write_atomically
from duospike.reference.network import MAX_NEURONS, TIMESTEPS
from duospike.rtl.stream import groups_of

WRITTEN = {
    "report.json": "cosim",
    "cycles.json": "cycles",
    "energy.json": "energy",
    "areas.json": "synth",
    "timing.json": "synth --family ecp5 --pnr",
    "explore.json": "explore",
    "evaluation.json": "evaluate",
    "manifest.json": "convert",
}
"""The file by which each command's run is known. With --pnr synth writes two."""
MAX_TEXT = 4096
"""Characters of a text in a file of a run, as many as a path may have."""
MAX_SPIKES = 2**24
"""Neurons times timesteps of a stage whose spikes are read back."""
STUDY = "results.json"
"""The file by which the folder of a study is known, of which a page of its own is made."""


@dataclass(frozen=True)
class RunFile:
    """A JSON file of a run. command: that wrote it. sha256: of the file."""

    folder: Path
    name: str
    command: str
    sha256: str
    content: dict[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / self.name


def read_runs(folders: list[Path]) -> list[RunFile]:
    """All files of WRITTEN in the folders; of a folder without one, those of the folders in it.

    InputError: a folder is missing or holds none, or a file cannot be read as JSON.
    """
    return [run for folder in dict.fromkeys(folders) for run in _read_folder(folder)]


def read_study(folder: Path) -> RunFile:
    """The results of a study's folder. InputError: the file cannot be read as JSON."""
    return _read_file(folder, STUDY, "study")


def _read_folder(folder: Path) -> list[RunFile]:
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'not found'}")
    found = _files_of(folder) or [run for inner in sorted(folder.iterdir()) if inner.is_dir() for run in _files_of(inner)]
    if not found:
        raise InputError(f"{folder}: holds no run; a run has one of {', '.join(WRITTEN)}, a finished study {STUDY}")
    return found


def _files_of(folder: Path) -> list[RunFile]:
    return [_read_file(folder, name, command) for name, command in WRITTEN.items() if (folder / name).is_file()]


def _read_file(folder: Path, name: str, command: str) -> RunFile:
    path = folder / name
    content = read_json(path)
    try:
        _check_texts(content)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return RunFile(folder, name, command, digest_of(path), content)


def _check_texts(content: Any) -> None:
    """ValueError: a name or text over MAX_TEXT characters, which a page or a plot would have to show."""
    for one in [*content, *content.values()] if isinstance(content, dict) else content:
        if isinstance(one, str) and len(one) > MAX_TEXT:
            raise ValueError(f"a text of {len(one)} characters; allowed: up to {MAX_TEXT}")
        if isinstance(one, dict | list):
            _check_texts(one)


def write_into_folder(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all. In a folder that a command wrote it counts among the command's, and goes with them.

    CosimError: the folder is being written. InputError: as write_atomically().
    """
    if not (path.parent / LIST_FILE).is_file():
        write_atomically(path, data)
        return
    with claimed(path.parent):
        # The list first: a file that is on no list would be somebody else's.
        write_list(path.parent, read_list(path.parent) | {path.name})
        write_atomically(path, data)


def recorded_spikes(run: RunFile, image: int) -> dict[str, np.ndarray]:
    """The spikes of one image that the hardware gave, by stage name: uint8 [timesteps, channels, height, width].

    Of the stages whose spikes the report counts: none leave a last layer whose potentials are read.

    run: of cosim. CosimError: a stream is missing, ends before the image does, or holds unknown bits, or there are more than
    MAX_SPIKES. Others of run_page.naming:
    the file is not what cosim writes.
    """
    network, timesteps = run.content["network"], run.content["sizing"]["timesteps"]
    passes = _whole(network["timesteps"], TIMESTEPS) // _whole(timesteps, TIMESTEPS)
    shapes = {layer["name"]: layer["shape"] for layer in network["layers"]} | {ENCODER: network["input_shape"]}
    folder, found = run.folder, {}
    for number, images in enumerate(run.content.get("parts", [])):
        if image < images:
            folder = batch_folder(run.folder, number)
            break
        image -= images
    for stage in run.content["stages"]:
        name = stage["name"]
        if name == READOUT or stage["spikes"] is None:
            continue
        channels, height, width = (_whole(size, range(1, MAX_NEURONS + 1)) for size in shapes[name])
        if channels * height * width * passes * timesteps > MAX_SPIKES:
            raise CosimError(f"{name} of {channels}x{height}x{width} has more than {MAX_SPIKES} neurons times timesteps")
        groups = groups_of(channels, _whole(stage["lanes"], range(1, channels + 1)))
        count, path = passes * height * groups * width, folder / f"{name}.txt"
        if path.parent != folder or not path.is_file():
            raise CosimError(f"{path}: not there")
        beats = read_beats(path, image * count, count)
        if len(beats) < count:
            raise CosimError(f"{path}: holds {len(beats)} beats of image {image}, which has {count}")
        words = [beat.value(name) for beat in beats]
        found[name] = beat_spikes(words, (channels, height, width), stage["lanes"], timesteps)
    return found


def _whole(value: Any, allowed: range) -> int:
    if type(value) is not int or value not in allowed:
        raise ValueError(f"{brief(value)} in the place of a whole number from {allowed.start} to {allowed.stop - 1}")
    return value
