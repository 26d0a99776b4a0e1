"""Ratios of energies with their uncertainty, the share of memory, and an FPGA's published figures; --write: into docs/.

python -m benchmarks.energy ratios [--write]
python -m benchmarks.energy fabric [--write]

fabric synthesises the accelerators, for the registers of the clock's bound.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.folder import temporary_folder

NAMES = {"ratios": "energy", "fabric": "energy-fabric"}
"""Of the figures, by what is measured."""
MODELS = {"ratios": ("fashion-small", "fashion-sparse", "fashion-vgg9-eighth", "fashion-vgg9"),
          "fabric": ("fashion-small", "fashion-vgg9-eighth")}  # fmt: skip
IMAGES, CLOCK = 50, ("--clock", "100")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=NAMES)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/")
    args = parser.parse_args()
    name = NAMES[args.what]
    measurement = begin(name)
    options = CLOCK if args.what == "fabric" else ()
    reports = {model: measured(model, options) for model in MODELS[args.what]}
    text = with_comment(measurement, page(reports, *options))
    print(text)
    if args.write:
        write_section(name, text)
    return 0


def measured(name: str, options: tuple[str, ...]) -> dict[str, Any]:
    """The content of energy.json of a shipped network."""
    with temporary_folder() as folder:
        model, out = ROOT / "models" / f"{name}.safetensors", folder / "energy"
        command: list[str | Path] = ["energy", model, "--images", str(IMAGES), "--out", out, *options]
        subprocess.run([sys.executable, "-m", "duospike", *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return json.loads((out / "energy.json").read_text())


def page(reports: dict[str, dict[str, Any]], *options: str) -> str:
    """The section: ratios of the model of 45 nm, or with a clock what an FPGA's figures make of the same operations."""
    command = " ".join(["duospike energy models/NAME.safetensors --images", str(IMAGES), *options])
    title, columns = FABRIC_TITLE if options else RATIOS_TITLE, FABRIC if options else RATIOS
    return f"`{command}`, int4, T=2, on {machine()}.\n\n{table(title, list(columns), rows(reports, columns))}"


def rows(reports: dict[str, dict[str, Any]], columns: dict[str, Column]) -> list[list[str]]:
    return [[name if text is None else text(report) for text in columns.values()] for name, report in reports.items()]


def span(ends: list[float]) -> str:
    return f"{ends[0]:.1f} to {ends[1]:.1f}"


def single(report: dict[str, Any]) -> str:
    """The range of the ratio with any one coefficient halved or doubled."""
    ratios = [ratio for pair in report["sensitivity"].values() for ratio in pair]
    return span([min(ratios), max(ratios)])


def part(report: dict[str, Any], name: str, of: str = "energies") -> str:
    """A part's share of the energy by an FPGA's figures."""
    energies = report["fabric"][of]
    return f"{energies[name] / sum(energies.values()):.0%}"


RATIOS_TITLE = "Energy of the float twin over this network's, same spikes (45 nm, modelled)"
FABRIC_TITLE = "The same by an FPGA's published figures (ProASIC PLUS); clock and registers are upper bounds"
Column = Callable[[dict[str, Any]], str] | None
"""The text of a cell, None for the network's name."""
RATIOS: dict[str, Column] = {
    "network": None,
    "nJ an image": lambda report: f"{report['total']:,.0f}",
    "of it memory": lambda report: f"{report['memory_share']:.0%}",
    "of the twin's": lambda report: f"{report['float_memory_share']:.0%}",
    "ratio": lambda report: f"{report['float_ratio']:.1f}",
    "95 %, all coefficients drawn": lambda report: span(report["float_ratio_drawn"][1:]),
    "any one halved or doubled": single,
}
FABRIC: dict[str, Column] = {
    "network": None,
    "flip-flops": lambda report: f"{report['fabric']['registers']:,.0f}",
    "cycles an image": lambda report: f"{report['fabric']['cycles']:,.0f}",
    "memory": lambda report: part(report, "memory"),
    "arithmetic": lambda report: part(report, "arithmetic"),
    "clock": lambda report: part(report, "clock"),
    "registers' changes": lambda report: part(report, "registers"),
    "memory, of the twin's": lambda report: part(report, "memory", "float_energies"),
    "ratio, twin of as many registers": lambda report: f"{report['fabric']['ratio']:.1f}",
    "95 %, all parts drawn": lambda report: span(report["fabric"]["ratio_drawn"][1:]),
    "45 nm: clock and registers, at most": lambda report: f"{report['fabric']['clock_share']:.0%}",
    "ratio without": lambda report: f"{report['float_ratio']:.1f}",
    "with them in both": lambda report: f"{report['fabric']['clocked_ratio']:.1f}",
}
"""Columns of both tables."""

if __name__ == "__main__":
    sys.exit(main())
