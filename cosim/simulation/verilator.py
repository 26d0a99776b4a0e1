"""Verilator: compiled runs of the file-driven bench, far faster than Icarus once compiled.

A compiled simulation is kept by the content of its Verilog, so that other weights, images and stalls do not compile again.
Verilator knows no unknown bits: that none comes out is for Icarus and GHDL to show.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from duospike.cosim.conversion.convert import write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import temporary_folder
from duospike.cosim.system import require, run_tool
from duospike.reference.files import write_file
from duospike.reference.locks import lock_existing, remove_if_free

from .bench import Bench, Outcome, read_outcome, write_beats
from .verilog_bench import plusargs, verilog_bench

# With its optimisation "localize" Verilator 5.006 gives other spikes than the reference, Icarus and GHDL.
OPTIONS = ["--binary", "--timing", "-O3", "-fno-localize", "--unroll-count", "4096", "--unroll-stmts", "1000000"]
QUIET = ["-Wno-fatal", "-Wno-lint"]
PROGRAM = re.compile("[0-9a-f]{32}")
"""Names of programs in the cache: digests of what they were compiled from."""
CACHE_BYTES = 2**30
"""Programs in the cache; those that were not used for longest go first."""


def cache_folder() -> Path:
    """Where compiled simulations are kept: XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duospike" / "verilator"


def run_verilator(bench: Bench, folder: Path) -> Outcome:
    """Run a bench in `folder`, which must exist and is filled with the files of the run; compile it if that is not done yet."""
    files = write_modules(list(bench.modules), folder)
    write_beats(bench, folder)
    write_file(folder / "bench.v", verilog_bench(bench))
    with compiled([*files, folder / "bench.v"], bench.waves) as program:
        return read_outcome(bench, folder, run_tool([str(program), *plusargs(bench)], folder))


@contextmanager
def compiled(files: list[Path], waves: bool) -> Iterator[Path]:
    """The simulation program of these Verilog files, from the cache or compiled into it; it stays there while the block runs."""
    command = [require("verilator", "verilator"), *OPTIONS, *QUIET, *(["--trace-fst"] if waves else [])]
    parts = [run_tool([command[0], "--version"], files[0].parent), *command[1:], *(file.read_text() for file in files)]
    target = cache_folder() / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    target.parent.mkdir(parents=True, exist_ok=True)
    while (held := lock_existing(target, shared=True)) is None:
        _compile(command, files, target)
    with held:
        # The time of its last use, by which the cache is kept small.
        os.utime(target)
        _remove_oldest(target.parent)
        yield target


def _compile(command: list[str], files: list[Path], target: Path) -> None:
    # Not in the cache, whose path may have a space: GNU make does not work in such a folder.
    with temporary_folder() as work, temporary_folder(target.parent) as beside:
        if re.search(r"\s", str(work)):
            raise CosimError(f"Verilator cannot compile in {work.parent.parent}, which has a space; set TMPDIR to another")
        for file in files:
            shutil.copy(file, work)
        build = ["-j", str(os.cpu_count() or 1), "--top-module", "bench", "--Mdir", "obj", "-o", "simulation"]
        run_tool([*command, *build, *(file.name for file in files)], work)
        shutil.copy(work / "obj" / "simulation", beside)
        # In one step, so that another run never meets half a program.
        (beside / "simulation").replace(target)


def _remove_oldest(cache: Path) -> None:
    """Remove the programs that were not used for longest until the others take CACHE_BYTES or less; none that is in use,
    and no file of others."""
    used, total = [], 0
    for program in cache.iterdir():
        with suppress(FileNotFoundError):
            if PROGRAM.fullmatch(program.name) and program.is_file():
                used.append((program.stat().st_mtime, program.stat().st_size, program))
    for _, size, program in sorted(used, reverse=True):
        total += size
        if total > CACHE_BYTES:
            remove_if_free(program)
