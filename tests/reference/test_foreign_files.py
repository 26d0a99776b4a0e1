"""No damaged file of any format harms the process that reads it: it is read, or refused by an error of the project's."""

import dataclasses
import os
import re
import signal

import numpy as np
import pytest

from duospike.reference.errors import InputError
from tests.benches import foreign_files
from tests.benches.foreign_files import Format, campaign, formats, read_damaged

FILES = 50_000
"""Of all formats together, in the slow tests."""
NAMES = (
    "model", "model of all fields", "model, edited", "checkpoint", "settings", "study", "sizing", "sizing of multipliers", "idx",
    "svhn", "svhn, compressed", "npy", "npy of frames", "nir", "cifar-10, python", "cifar-100, python", "cifar-10, binary",
    "report.json", "recorded streams", "cycles.json", "energy.json", "evaluation.json", "explore.json", "timing.json",
    "areas.json", "manifest.json", "results.json", "result.json", "core", "events, N-MNIST", "events, AEDAT 2.0",
    "events, AEDAT 3.1", "events, AEDAT 4", "events, npy", "events, npy of records", "events, HDF5", "events, HDF5 drawn",
    "lists of gestures", "labels", "board", "loadable board", "table of boards",
)  # fmt: skip


@pytest.fixture(scope="session")
def every(tmp_path_factory, finished_runs):
    return formats(tmp_path_factory.mktemp("formats"), finished_runs)


def test_the_formats_are_those_that_are_tested(every):
    assert sorted(every) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_whole_files_are_read(name, every, tmp_path):
    """Else what is done to them would test nothing."""
    harmless = dict.fromkeys(every[name].damaged, lambda draw, data: data)
    assert read_damaged(dataclasses.replace(every[name], damaged=harmless), (0,), tmp_path / "whole")


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_do_no_harm(name, every, tmp_path):
    tally = campaign(every[name], 7, NAMES.index(name), 8, tmp_path / "damaged")
    assert not tally.faults and tally.read + tally.refused == 8


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_many_damaged_files_do_no_harm(name, every, tmp_path):
    tally = campaign(every[name], 1, NAMES.index(name), -(-FILES // len(NAMES)), tmp_path / "damaged")
    print(tally.row(name))
    assert not tally.faults


def _take_memory(where, draw):
    return np.ones(2**25).sum()


def _take_time(where, draw):
    while True:
        pass


def _die(where, draw):
    os.kill(os.getpid(), signal.SIGSEGV)


def _refuse_in_lines(where, draw):
    raise InputError("one\ntwo")


HARMS = {
    "traceback": (lambda where, draw: 1 // 0, "ZeroDivisionError in test_foreign_files.py"),
    "memory": (_take_memory, "MB$"),
    "time": (_take_time, "the process ended: SIGPROF"),
    "crash": (_die, "the process ended: SIGSEGV"),
    "exit": (lambda where, draw: os._exit(0), "the process ended: 0"),
    "several lines": (_refuse_in_lines, "a refusal of several lines"),
}


@pytest.mark.parametrize("harm", [pytest.param(harm, marks=pytest.mark.slow) if harm == "time" else harm for harm in HARMS])
def test_what_harms_is_seen(harm, tmp_path, monkeypatch):
    """About every second file does harm; all others are read."""
    monkeypatch.setattr(foreign_files, "MAX_MEMORY", 2**27)
    read, message = HARMS[harm]

    def read_harmful(where, draw):
        return read(where, draw) if (where / "a").read_bytes() == b"harmful" else None

    damage = {"a": lambda draw, data: b"harmful" if draw.random() < 0.5 else data}
    tally = campaign(Format({"a": b"harmless"}, damage, read_harmful), 1, 0, 6, tmp_path / "damaged")
    assert tally.faults and tally.read and len(tally.faults) + tally.read == 6
    assert all(re.search(message, fault) for fault in tally.faults.values())
