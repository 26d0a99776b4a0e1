"""The small programs of nextpnr's wheel: the PLL's settings, packing and unpacking of bitstreams."""

from __future__ import annotations

from pathlib import Path

from duospike.cosim.errors import CosimError
from duospike.cosim.system import run_program
from duospike.cosim.timing.place_route import command


def run(tool: str, folder: Path, *words: object) -> str:
    """Run a tool in a folder; returns what it printed. CosimError with its last line if it fails."""
    done = run_program(command(tool, *words), folder)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise CosimError(f"{tool} failed: {(output.strip().splitlines() or ['no output'])[-1]}")
    return output
