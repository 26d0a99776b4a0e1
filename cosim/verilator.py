"""Verilator: compiled runs of the file-driven bench, far faster than Icarus once compiled.

A compiled simulation is kept by the content of its Verilog, so that other weights, images and stalls do not compile again.
Verilator knows no unknown bits: that none comes out is for Icarus and GHDL to show.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from .bench import Bench, Outcome, read_outcome, write_beats
from .conversion.convert import write
from .system import require, run_tool
from .verilog_bench import plusargs, verilog_bench

# With its optimisation "localize" Verilator 5.006 gives other spikes than the reference, Icarus and GHDL.
OPTIONS = ["--binary", "--timing", "-O3", "-fno-localize", "--unroll-count", "4096", "--unroll-stmts", "1000000"]
QUIET = ["-Wno-fatal", "-Wno-lint"]


def cache_folder() -> Path:
    """Where compiled simulations are kept: XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "duospike" / "verilator"


def run_verilator(bench: Bench, folder: Path) -> Outcome:
    """Run a bench in `folder`, which must exist and is filled with the files of the run; compile it if that is not done yet."""
    files = write(list(bench.modules), folder)
    write_beats(bench, folder)
    (folder / "bench.v").write_text(verilog_bench(bench))
    program = _compiled([*files, folder / "bench.v"], bench.waves)
    return read_outcome(bench, folder, run_tool([str(program), *plusargs(bench)], folder))


def _compiled(files: list[Path], waves: bool) -> Path:
    """The simulation program of these Verilog files, from the cache or compiled into it."""
    command = [require("verilator", "verilator"), *OPTIONS, *QUIET, *(["--trace-fst"] if waves else [])]
    parts = [run_tool([command[0], "--version"], files[0].parent), *command[1:], *(file.read_text() for file in files)]
    target = cache_folder() / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent) as work:
            sources = [str(file.resolve()) for file in files]
            build = ["-j", str(os.cpu_count() or 1), "--top-module", "bench", "--Mdir", work, "-o", "simulation"]
            run_tool([*command, *build, *sources], Path(work))
            # In one step, so that another run never meets half a program.
            (Path(work) / "simulation").replace(target)
    return target
