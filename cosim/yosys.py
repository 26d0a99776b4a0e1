"""Yosys: runs of its scripts."""

from __future__ import annotations

from pathlib import Path

from .system import require, run_tool


def run_yosys(commands: list[str], folder: Path) -> str:
    """Run Yosys' commands in `folder`, which must exist; returns the log, raises CosimError with its last line if one fails."""
    script = folder / "script.ys"
    script.write_text("".join(f"{command}\n" for command in commands))
    return run_tool([require("yosys", "yosys"), "-s", script.name], folder)
