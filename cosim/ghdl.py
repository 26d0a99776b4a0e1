"""GHDL: native runs of the file-driven bench in VHDL."""

from __future__ import annotations

from pathlib import Path

from .bench import Bench, Outcome, read_outcome, write_beats
from .convert import write
from .system import require, run_tool
from .vhdl_bench import vhdl_bench


def run_ghdl(bench: Bench, folder: Path) -> Outcome:
    """Analyse and run a bench of VHDL modules in `folder`, which must exist and is filled with the files of the run."""
    ghdl = require("ghdl", "ghdl")
    files = [file.name for file in write(list(bench.modules), folder)]
    write_beats(bench, folder)
    (folder / "bench.vhd").write_text(vhdl_bench(bench))
    run_tool([ghdl, "-a", "--std=08", *files, "bench.vhd"], folder)
    run_tool([ghdl, "-e", "--std=08", "bench"], folder)
    # Before reset all is unknown, and numeric_std would say so once a signal.
    dump = ["--fst=waves.fst"] if bench.waves else []
    log = run_tool([ghdl, "-r", "--std=08", "bench", "--ieee-asserts=disable", *dump], folder)
    return read_outcome(bench, folder, log)
