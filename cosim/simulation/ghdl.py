"""GHDL: analysis of VHDL, and native runs of the file-driven bench."""

from __future__ import annotations

from pathlib import Path

from duospike.cosim.conversion.convert import write_modules
from duospike.cosim.system import require, run_tool
from duospike.reference.files import write_file

from .bench import Bench, Outcome, read_outcome, write_beats
from .vhdl_bench import vhdl_bench

OPTIONS = ["--std=08"]


def analyse(files: list[str], folder: Path) -> None:
    """Analyse VHDL files into a library in `folder`; CosimError at the first that GHDL does not take."""
    # Without carets the last line of the output, which an error shows, is a message.
    run_tool([require("ghdl", "ghdl"), "-a", "-fno-caret-diagnostics", *OPTIONS, *files], folder)


def run_ghdl(bench: Bench, folder: Path) -> Outcome:
    """Analyse and run a bench of VHDL modules in `folder`, which must exist and is filled with the files of the run."""
    ghdl = require("ghdl", "ghdl")
    files = [file.name for file in write_modules(list(bench.modules), folder)]
    write_beats(bench, folder)
    write_file(folder / "bench.vhd", vhdl_bench(bench))
    analyse([*files, "bench.vhd"], folder)
    # Before reset all is unknown, and numeric_std would say so once a signal.
    dump = ["--fst=waves.fst"] if bench.waves else []
    log = run_tool([ghdl, "--elab-run", *OPTIONS, "bench", "--ieee-asserts=disable", *dump], folder)
    return read_outcome(bench, folder, log)
