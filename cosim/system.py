"""Programs of the system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

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
