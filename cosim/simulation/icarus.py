"""Icarus Verilog: native runs of the file-driven bench."""

from __future__ import annotations

from pathlib import Path

from duospike.cosim.conversion.convert import write_modules
from duospike.cosim.system import require, run_tool
from duospike.reference.files import write_file

from .bench import Bench, Outcome, read_outcome, write_beats
from .verilog_bench import plusargs, verilog_bench


def run_icarus(bench: Bench, folder: Path) -> Outcome:
    """Compile and run a bench in `folder`, which must exist and is filled with the files of the run."""
    compiler, simulator = require("iverilog", "iverilog"), require("vvp", "iverilog")
    files = write_modules(list(bench.modules), folder)
    write_beats(bench, folder)
    write_file(folder / "bench.v", verilog_bench(bench))
    run_tool([compiler, "-g2005", "-o", "bench.vvp", "-s", "bench", *(f.name for f in files), "bench.v"], folder)
    log = run_tool([simulator, "-n", "bench.vvp", *plusargs(bench), *(["-fst"] if bench.waves else [])], folder)
    return read_outcome(bench, folder, log)
