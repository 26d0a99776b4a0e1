"""Icarus Verilog: native runs of the file-driven bench."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .bench import Bench, Outcome, read_outcome, write_inputs
from .convert import write
from .errors import CosimError


def require(program: str, package: str) -> str:
    """Path of a system program, or CosimError that says which package brings it."""
    path = shutil.which(program)
    if path is None:
        raise CosimError(f"{program} is not installed; on Debian: apt-get install {package}")
    return path


def run_tool(command: list[str], folder: Path) -> str:
    """Run a program in `folder`; returns its output, raises CosimError with its last line if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise CosimError(f"{Path(command[0]).name} failed: {(output.strip().splitlines() or ['no output'])[-1]}")
    return output


def run_icarus(bench: Bench, folder: Path) -> Outcome:
    """Compile and run a bench in `folder`, which must exist and is filled with the files of the run."""
    compiler, simulator = require("iverilog", "iverilog"), require("vvp", "iverilog")
    files = write(list(bench.modules), folder)
    write_inputs(bench, folder)
    run_tool([compiler, "-g2005", "-o", "bench.vvp", "-s", "bench", *(f.name for f in files), "bench.v"], folder)
    log = run_tool([simulator, "-n", "bench.vvp", *(["-fst"] if bench.waves else [])], folder)
    return read_outcome(bench, folder, log)
