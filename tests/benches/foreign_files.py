"""Damaged files of every format that is read, passed to their readers, in processes of their own.

    python -m tests.benches.foreign_files --files 50000

prints a table by format. A file may be read, or be refused by one of the project's own errors; any other exception, a process
that ends, more than MAX_MEMORY or more than MAX_SECONDS is a fault.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import math
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import process_time
from unittest import mock

import nir
import numpy as np
import torch
from scipy.io import loadmat, savemat

from duospike.cosim.axi.loadable import core_hash, load_file, read_core
from duospike.cosim.axi.pynq_driver import Accelerator
from duospike.cosim.board.boards import board_named
from duospike.cosim.board.core import serial_line
from duospike.cosim.board.folder import REGISTERS, REPORT, BuiltBoard
from duospike.cosim.board.top import constraints, top_module
from duospike.cosim.design.hdl_folder import MANIFEST
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.design.sizing_file import sizing_from, write_sizing
from duospike.cosim.errors import CosimError
from duospike.cosim.pages import plots
from duospike.cosim.pages.run_files import WRITTEN, read_runs, write_into_folder
from duospike.cosim.pages.run_files import read_study as read_results
from duospike.cosim.pages.run_page import make_page
from duospike.cosim.study.measure import measure_point
from duospike.cosim.study.page import make_study_page
from duospike.cosim.study.study_file import Study, read_study
from duospike.reference import golden
from duospike.reference.data import npy
from duospike.reference.data.datasets import PUBLISHED, load, random_images
from duospike.reference.data.event_files import read_aedat, read_aedat4, read_event_npy, read_hdf5, read_nmnist
from duospike.reference.data.event_frames import BINS, Binning, FrameFormat, frame_format, to_frames
from duospike.reference.data.event_sets import dvs128_gesture
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.nir.nir_import import from_nir
from duospike.reference.exchange.nir.nir_process import read_graph
from duospike.reference.exchange.source import Interface
from duospike.reference.files import GZIP, MAX_JSON, ZLIB, digest_of, read_bytes
from duospike.reference.modelfile import KEY, load_model, save_model
from duospike.reference.training import train
from duospike.reference.training.quantize import blank_of
from duospike.reference.training.settings import read_settings
from duospike.rtl.errors import DesignError
from duospike.rtl.registers import CONSTANTS_FILE, FIRST_HASH, hash_words
from tests.benches.board_bench import write_built
from tests.benches.damage import (
    bomb,
    damaged_bytes,
    damaged_gzip,
    damaged_json,
    damaged_matlab,
    damaged_npy,
    damaged_pickle,
    damaged_safetensors,
    damaged_stream,
    damaged_toml,
    drawn_hdf5,
    edited_safetensors,
)
from tests.benches.event_files import AEDAT4, aedat2_bytes, aedat3_bytes, nmnist_bytes, random_events, write_gesture, write_shd
from tests.benches.fashion_files import write_fashion
from tests.benches.published_files import write_cifar, write_svhn
from tests.benches.small_networks import small_network
from tests.benches.small_runs import write_all
from tests.benches.small_training import SHAPE, bright_quarters, small_settings
from tests.cosim.axi.test_loadable import folder_of
from tests.cosim.axi.test_pynq_driver import Registers
from tests.cosim.board.test_boards import OWN
from tests.cosim.study.test_measure import BASE, GRIDS
from tests.cosim.study.test_report import RESULTS
from tests.reference.exchange.nir.test_nir_files import DT, good_graph
from tests.reference.exchange.nir.test_nir_files import SHAPE as GRAPH_SHAPE

MAX_MEMORY = 2**30
"""Bytes beyond those of the process before it reads anything."""
MAX_SECONDS = 10
"""Of processor time."""
TIMEOUT_SECONDS = 600
"""Seconds of a clock after which a process that gives nothing is ended; on a busy machine 10 s of processor time take minutes."""
SPARSE = 2**33
"""Bytes of a file that is made longer without taking room."""
MAX_RUN = 2**20
"""Values of all maps at all timesteps of a network that is run once it is read."""
DRAWN = 1 / 64
"""Share of pages that are made with their plots, which take most of the time."""
FAULTS = {**{-number: signal.Signals(number).name for number in signal.valid_signals() if number <= 31}}

Draw = np.random.Generator


@dataclass(frozen=True)
class Format:
    """files: by name, whole. damaged: by name, those to damage, and how. read: what reads the folder that holds them."""

    files: dict[str, bytes]
    damaged: dict[str, Callable[[Draw, bytes], bytes]]
    read: Callable[[Path, Draw], object]


@dataclass
class Tally:
    """Of a format: how many files were read, refused; the most seconds and bytes; faults with the number of the file."""

    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    memory: int = 0
    faults: dict[int, str] = field(default_factory=dict)

    def row(self, name: str) -> str:
        files = self.read + self.refused + len(self.faults)
        return f"{name:24}{files:8}{self.read:8}{self.refused:9}{self.seconds:9.2f}{self.memory / 2**20:9.0f}{len(self.faults):8}"


HEAD = f"{'format':24}{'files':>8}{'read':>8}{'refused':>9}{'most s':>9}{'most MB':>9}{'faults':>8}"


def formats(folder: Path, runs: dict[str, Path]) -> dict[str, Format]:
    """Every format by its name. folder: an empty one, for what is made to be damaged. runs: folders as of write_all."""
    network = small_network()
    # Made once, and not by each process.
    for kind in (GZIP, ZLIB):
        bomb(kind)
    made = {**_of_models(folder, network), **_of_texts(folder, network), **_of_images(folder), **_of_runs(runs)}
    made |= _of_events(folder)
    return made | {"core": _of_core(folder, network), "nir": _of_graph(folder)} | _of_boards(folder, network)


def contents(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """The files of a folder by their names."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob(pattern)) if path.is_file()}


def _fresh(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def _network_of_all_fields():
    """With each field that a model file leaves out where a network is plain."""
    architecture = "3C2x5s2x1p0+MP2-MP3s2p1-4C3+AP2-AP2-FC3"
    network = small_network(architecture, (2, 30, 26), leaks=True, coding="frames", image_signed=True)
    metadata = {"bins": BINS[0], "bin_time": "7", "downscale": "2"}
    return replace(network, readout="max_membrane", metadata=metadata)


def _read_model(where: Path, draw: Draw):
    """Load a model file; one that is right must compute, and say how events become frames."""
    network = load_model(where / "m.safetensors")
    frame_format(network, {})
    if network.timesteps * sum(map(math.prod, network.shapes)) < MAX_RUN:
        golden.run(network, random_images(1, network.image_shape, network.pixel_range, 1))


def _of_models(folder: Path, network) -> dict[str, Format]:
    models, more, runs = _fresh(folder, "models"), _fresh(folder, "fields"), _fresh(folder, "training")
    save_model(network, models / "m.safetensors")
    save_model(_network_of_all_fields(), more / "m.safetensors")
    run = train.start(small_settings(), SHAPE)
    train.train_epoch(run, bright_quarters(40))
    train.save_checkpoint(run, runs)
    return {
        "model": Format(
            contents(models),
            {"m.safetensors": lambda draw, data: damaged_safetensors(draw, data, KEY)},
            lambda where, draw: load_model(where / "m.safetensors"),
        ),
        "model of all fields": Format(
            contents(more), {"m.safetensors": lambda draw, data: damaged_safetensors(draw, data, KEY)}, _read_model
        ),
        "model, edited": Format(
            contents(more), {"m.safetensors": lambda draw, data: edited_safetensors(draw, data, KEY)}, _read_model
        ),
        "checkpoint": Format(
            contents(runs),
            {train.CHECKPOINT: lambda draw, data: damaged_safetensors(draw, data, train.KEY)},
            lambda where, draw: train.resume(small_settings(), SHAPE, where),
        ),
    }


def _read_settings(where: Path, draw: Draw):
    settings = read_settings(where / "train.toml")
    return blank_of(settings, settings.input_shape)


def _of_texts(folder: Path, network) -> dict[str, Format]:
    texts, more = _fresh(folder, "texts"), _fresh(folder, "multipliers")
    write_sizing(choose_sizing(network), texts / "sizing.toml", "a comment")
    dense = small_network("FC5-FC6", (3, 4, 4))
    write_sizing(choose_sizing(dense), more / "sizing.toml", "a comment")
    settings = BASE.split("[base]\n")[1].encode()
    study = (BASE + GRIDS).encode()
    return {
        "settings": Format({"train.toml": settings}, {"train.toml": damaged_toml}, _read_settings),
        "study": Format({"s.toml": study}, {"s.toml": damaged_toml}, lambda where, draw: read_study(where / "s.toml")),
        "sizing": Format(
            contents(texts), {"sizing.toml": damaged_toml}, lambda where, draw: sizing_from(network, where / "sizing.toml", {})
        ),
        "sizing of multipliers": Format(
            contents(more), {"sizing.toml": damaged_toml}, lambda where, draw: sizing_from(dense, where / "sizing.toml", {})
        ),
    }


def _published(name: str) -> Callable[[Path, Draw], object]:
    return lambda where, draw: PUBLISHED[name].read("test", where)


def _of_images(folder: Path) -> dict[str, Format]:
    idx, matlab, packed, arrays = (_fresh(folder, name) for name in ("idx", "matlab", "packed", "arrays"))
    write_fashion(idx)
    write_svhn(matlab)
    savemat(packed / "test_32x32.mat", {key: loadmat(matlab / "test_32x32.mat")[key] for key in "Xy"}, do_compression=True)
    images = np.random.default_rng(1).integers(0, 256, (3, 1, 28, 28), dtype=np.uint8)
    np.save(arrays / "a.npy", images)
    timed = _fresh(folder, "timed")
    np.save(timed / "a.npy", (images.reshape(2, 3, 2, 14, 14).astype(np.int64) - 128).astype(np.int8))
    network = small_network("2C3-FC10", (1, 28, 28), classes=10)
    of_frames = small_network("2C3-FC10", (2, 14, 14), classes=10, coding="frames", image_signed=True, timesteps=3)
    found = {
        "idx": Format(contents(idx), dict.fromkeys(contents(idx), damaged_gzip), _published("fashion-mnist")),
        "svhn": Format(contents(matlab, "test*"), {"test_32x32.mat": damaged_matlab}, _published("svhn")),
        "svhn, compressed": Format(contents(packed), {"test_32x32.mat": damaged_matlab}, _published("svhn")),
        "npy of frames": Format(
            contents(timed), {"a.npy": damaged_npy}, lambda where, draw: load(str(where / "a.npy"), of_frames)
        ),
        "npy": Format(contents(arrays), {"a.npy": damaged_npy}, lambda where, draw: load(str(where / "a.npy"), network)),
    }
    for name, version in (("cifar-10", "python"), ("cifar-100", "python"), ("cifar-10", "binary")):
        where = _fresh(folder, f"{name}-{version}")
        write_cifar(where, name, version, count=2)
        files = contents(where, "test*")
        damage = damaged_pickle if version == "python" else damaged_bytes
        found[f"{name}, {version}"] = Format(files, dict.fromkeys(files, damage), _published(name))
    return found


SENSOR = FrameFormat(4, (2, 128, 128), False, 255, Binning())
COCHLEA = FrameFormat(4, (1, 1, 700), False, 255, Binning())
"""Of SHD's 700 channels."""
"""What recordings become."""


def _recordings_of_hdf5(where: Path, draw: Draw):
    found, _, _ = read_hdf5(where / "a.h5", None)
    to_frames(found, len(found), COCHLEA)


def _of_events(folder: Path) -> dict[str, Format]:
    """Recordings of events as frames, and labels."""
    arrays, gestures = _fresh(folder, "events"), _fresh(folder, "gestures")
    events = random_events(40, 34, 3, span=250)
    np.save(arrays / "a.npy", events.T)
    np.save(arrays / "r.npy", np.array(list(zip(*events, strict=True)), [("t", "u1"), ("x", "<u2"), ("y", "<i8"), ("p", "?")]))
    np.save(arrays / "l.npy", np.arange(9))
    write_shd(arrays / "a.h5")
    write_gesture(gestures)

    def frames(name, read):
        return lambda where, draw: to_frames([read(where / name)], 1, SENSOR)

    def gestures_of(where, draw):
        found = dvs128_gesture("test", where, None)
        return to_frames(found.events, found.count, SENSOR)

    lists = {"user24_lab_labels.csv": damaged_bytes, "trials_to_test.txt": damaged_bytes}
    made = contents(arrays)
    return {
        "events, N-MNIST": Format({"a.bin": nmnist_bytes(events)}, {"a.bin": damaged_bytes}, frames("a.bin", read_nmnist)),
        "events, AEDAT 2.0": Format({"a.aedat": aedat2_bytes(events)}, {"a.aedat": damaged_bytes}, frames("a.aedat", read_aedat)),
        "events, AEDAT 3.1": Format({"a.aedat": aedat3_bytes(events)}, {"a.aedat": damaged_bytes}, frames("a.aedat", read_aedat)),
        "events, AEDAT 4": Format({"a.aedat4": AEDAT4}, {"a.aedat4": damaged_bytes}, frames("a.aedat4", read_aedat4)),
        "events, npy": Format({"a.npy": made["a.npy"]}, {"a.npy": damaged_npy}, frames("a.npy", read_event_npy)),
        "events, npy of records": Format({"r.npy": made["r.npy"]}, {"r.npy": damaged_npy}, frames("r.npy", read_event_npy)),
        "events, HDF5": Format({"a.h5": made["a.h5"]}, {"a.h5": damaged_bytes}, _recordings_of_hdf5),
        "events, HDF5 drawn": Format({"a.h5": made["a.h5"]}, {"a.h5": drawn_hdf5}, _recordings_of_hdf5),
        "lists of gestures": Format(contents(gestures, "*test.txt") | contents(gestures, "user24*"), lists, gestures_of),
        "labels": Format(
            {"l.npy": made["l.npy"]}, {"l.npy": damaged_npy}, lambda where, draw: npy.read_labels(where / "l.npy", 9, 9)
        ),
    }


def _of_core(folder: Path, network) -> Format:
    """The description of a core; in half of the files the hardware's hash is made to match it, as an attacker might."""
    core = _fresh(folder, "core")
    folder_of(network, core)

    def read(where: Path, draw: Draw):
        if draw.random() < 0.5:
            _renew_hash(where)
        load_file(network, read_core(where))

    return Format(contents(core), {"registers.json": damaged_json, "identity.hex": damaged_bytes}, read)


def _renew_hash(where: Path):
    """Make the hardware's hash that of its description, if the damage has not made it no JSON at all."""
    with suppress(InputError, ValueError, LookupError, TypeError, RecursionError):
        words = hash_words(core_hash(json.loads(read_bytes(where / REGISTERS, MAX_JSON))["load"]))
        lines = read_bytes(where / CONSTANTS_FILE, MAX_JSON).split()
        lines[FIRST_HASH : FIRST_HASH + len(words)] = (f"{word:08x}".encode() for word in words)
        (where / CONSTANTS_FILE).write_bytes(b"\n".join(lines))


def _of_boards(folder: Path, network) -> dict[str, Format]:
    """Folders of built boards, in half of which the hashes are made to match what was damaged; and tables of boards."""
    read_files = {REGISTERS: damaged_json, REPORT: damaged_json, MANIFEST: damaged_json, CONSTANTS_FILE: damaged_bytes}

    def read_built(where: Path, draw: Draw):
        if draw.random() < 0.5:
            _renew_hash(where)
            _renew_manifest(where)
        board = BuiltBoard(where, network)
        core = Accelerator(board.description, Registers(board.description["registers"]), None)
        core.encode(random_images(1, network.image_shape, network.pixel_range, 1))
        if core.counters().keys() != board.stages.keys():
            raise AssertionError("other stages than the network's")

    def read_table(where: Path, draw: Draw):
        board = board_named("mine", where / "own.toml")
        serial_line(board.default_mhz, board.baud)
        constraints(board)
        top_module(board, has_pll=True)

    found = {}
    for name, headroom in {"board": None, "loadable board": 2}.items():
        written = contents(write_built(network, folder / name, headroom))
        found[name] = Format({key: written[key] for key in read_files}, read_files, read_built)
    return found | {"table of boards": Format({"own.toml": OWN.encode()}, {"own.toml": damaged_toml}, read_table)}


def _renew_manifest(where: Path):
    """Make the hashes in a manifest those of the files, if the damage has not made it no JSON at all."""
    with suppress(InputError, ValueError, LookupError, TypeError, RecursionError):
        manifest = json.loads(read_bytes(where / MANIFEST, 2**20))
        manifest["files"] |= {name: digest_of(where / name) for name in (REGISTERS, REPORT, CONSTANTS_FILE)}
        (where / MANIFEST).write_text(json.dumps(manifest))


def _of_graph(folder: Path) -> Format:
    graphs = _fresh(folder, "graphs")
    nir.write(graphs / "g.nir", good_graph())

    def read(where: Path, draw: Draw):
        exact_network(from_nir(read_graph(where / "g.nir"), Interface(GRAPH_SHAPE, 2, 2), dt=DT))

    return Format(contents(graphs), {"g.nir": damaged_bytes}, read)


def _plots_drawn(draw: Draw):
    """Pages with plots, for a share of the draws, as long as the context lasts."""
    return mock.patch.object(plots, "available", return_value=draw.random() < DRAWN)


def _make_page(where: Path, draw: Draw):
    with _plots_drawn(draw):
        page = make_page(read_runs([where]), 0).encode(errors="backslashreplace")
    write_into_folder(where / "report.html", page)


def _make_study_page(where: Path, draw: Draw):
    with _plots_drawn(draw):
        return make_study_page(read_results(where)).encode(errors="backslashreplace")


def _of_runs(runs: dict[str, Path]) -> dict[str, Format]:
    found = {}
    for command, where in runs.items():
        for name in sorted(WRITTEN.keys() & contents(where).keys()):
            kept = contents(where, "*.txt") | contents(where, ".duospike") | contents(where, name)
            kept |= contents(where, "accelerator.*") if command == "convert" else {}
            found[name] = Format(kept, {name: damaged_json}, _make_page)
            if command == "cosim":
                streams = dict.fromkeys(contents(where, "*.txt"), damaged_stream) | {".duospike": damaged_bytes}
                found["recorded streams"] = Format(kept, streams, _make_page)
    more = {"lanes": 12, "cycle_images": 5, "clock_mhz": None, "images": 700, "generator": {"python": "3"}}
    results = {f"seed={i}": {**RESULTS[i], **more} for i in range(3)}
    settings = small_settings()
    measured = {"settings": vars(settings), "lanes": 12, "cycle_images": 5, "clock_mhz": None, "accuracy": 0.5}
    study = Study({"only": settings}, 12, 5)
    found["results.json"] = Format(
        {"results.json": json.dumps(results).encode()}, {"results.json": damaged_json}, _make_study_page
    )
    found["result.json"] = Format(
        {"result.json": json.dumps(measured).encode()},
        {"result.json": damaged_json},
        lambda where, draw: measure_point(settings, study, (None, None), where, print),
    )
    return found


def damaged_files(about: Format, draw: Draw) -> tuple[dict[str, bytes], str | None]:
    """The files of a format, one of them damaged, and the name of one that is to be made longer."""
    name = sorted(about.damaged)[int(draw.integers(len(about.damaged)))]
    files = about.files | {name: about.damaged[name](draw, about.files[name])}
    return files, name if draw.random() < 0.01 else None


def read_damaged(about: Format, seed: tuple[int, ...], folder: Path) -> bool:
    """Write a damaged file and read it; whether it was read. Raises what is no refusal."""
    draw = np.random.default_rng(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    files, longer = damaged_files(about, draw)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if longer is not None:
        os.truncate(folder / longer, SPARSE)
    try:
        about.read(folder, draw)
    except (InputError, DesignError, CosimError) as error:
        text = str(error)
        if "\n" in text or "fit into memory" in text:
            raise AssertionError(f"a refusal of several lines or for lack of memory: {text[:300]!r}") from error
        return False
    return True


def _memory(what: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at most since _forget_peak()."""
    lines = Path("/proc/self/status").read_text().split("\n")
    return 1024 * int(next(line for line in lines if line.startswith(what)).split()[1])


def _work(connection, about: Format, seed: int, number: int, numbers: list[int], folder: Path):
    """Read the files of `numbers`; sends of each its number, outcome, seconds and bytes. Ends with SIGPROF if one takes long."""
    faulthandler.disable()
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    torch.set_num_threads(1)
    before = _memory("VmRSS")
    for index in numbers:
        Path("/proc/self/clear_refs").write_text("5")
        signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
        start = process_time()
        try:
            outcome = "read" if read_damaged(about, (seed, number, index), folder) else "refused"
        except BaseException as error:  # whatever it is, it is a fault
            last = traceback.extract_tb(error.__traceback__)[-1]
            outcome = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}: {str(error)[:200]}"
        signal.setitimer(signal.ITIMER_PROF, 0)
        memory = _memory("VmHWM") - before
        if memory > MAX_MEMORY:
            outcome = f"{memory / 2**20:.0f} MB"
        connection.send((index, outcome, process_time() - start, memory))


def campaign(about: Format, seed: int, number: int, count: int, folder: Path) -> Tally:
    """Read `count` damaged files of a format, numbered `number`, in a process that is begun again where it ends."""
    tally, left = Tally(), list(range(count))
    context = multiprocessing.get_context("fork")
    while left:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, about, seed, number, left, folder), daemon=True)
        process.start()
        theirs.close()
        with suppress(EOFError):
            while left and ours.poll(TIMEOUT_SECONDS):
                index, outcome, seconds, memory = ours.recv()
                left.remove(index)
                tally.seconds, tally.memory = max(tally.seconds, seconds), max(tally.memory, memory)
                if outcome in ("read", "refused"):
                    setattr(tally, outcome, getattr(tally, outcome) + 1)
                else:
                    tally.faults[index] = outcome
        if left:
            process.join(1)
            process.kill()
            process.join()
            tally.faults[left.pop(0)] = f"the process ended: {FAULTS.get(process.exitcode, process.exitcode)}"
        process.join()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=50_000, help="of all formats together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", metavar="FORMAT", help="these formats alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        every = formats(Path(folder), write_all(_fresh(Path(folder), "runs"), small_network()))
        chosen = options.only or list(every)
        print(HEAD, flush=True)
        total = Counter()
        for name in chosen:
            tally = campaign(
                every[name], options.seed, list(every).index(name), -(-options.files // len(every)), Path(folder) / "x"
            )
            print(tally.row(name), flush=True)
            for index, fault in tally.faults.items():
                print(f"    {index}: {fault}", flush=True)
            total += Counter(read=tally.read, refused=tally.refused, faults=len(tally.faults))
        print(dict(total))
    return 1 if total["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
