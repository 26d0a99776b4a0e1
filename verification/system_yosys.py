"""The Yosys of the system, for proofs and mutants: yosys-smtbmc and yosys-abc belong to it, and the wheel has neither."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from duospike.cosim.synthesis.yosys import run_script
from duospike.cosim.system import require, run_tool


def run_yosys(commands: Sequence[str], folder: Path) -> str:
    """Run commands in `folder`, which must exist; see run_script()."""
    return run_script([require("yosys", "yosys")], commands, folder)


def yosys_version() -> str:
    """Its version, such as 0.23; CosimError if it is not installed."""
    return run_tool([require("yosys", "yosys"), "-V"], Path.cwd()).split()[1]
