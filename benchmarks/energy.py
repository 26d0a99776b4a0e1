"""Ratios of energies with their uncertainty, the share of memory, and a bound of the clock; --write: into docs/.

python -m benchmarks.energy [--write]
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.folder import temporary_folder

NAME = "energy"
MODELS = ("fashion-small", "fashion-vgg9-eighth")
IMAGES, CLOCK = 50, 100


def main() -> int:
    measurement = begin(NAME)
    text = with_comment(measurement, page({name: measured(name) for name in MODELS}))
    print(text)
    if "--write" in sys.argv[1:]:
        write_section(NAME, text)
    return 0


def measured(name: str) -> dict[str, Any]:
    """The content of energy.json of a shipped network."""
    with temporary_folder() as folder:
        model, out = ROOT / "models" / f"{name}.safetensors", folder / "energy"
        command: list[str | Path] = ["energy", model, "--images", str(IMAGES), "--clock", str(CLOCK), "--out", out]
        subprocess.run([sys.executable, "-m", "duospike", *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return json.loads((out / "energy.json").read_text())


def page(reports: dict[str, dict[str, Any]]) -> str:
    """The section: ratios of the model of 45 nm, and what an FPGA's figures make of the same operations."""
    head = f"`duospike energy models/NAME.safetensors --images {IMAGES} --clock {CLOCK}`, int4, T=2, on {machine()}."
    title = "Energy of the float twin over this network's, same spikes (45 nm, modelled)"
    ratios = table(title, list(RATIOS), rows(reports, RATIOS))
    fabric = table(
        "The same operations by an FPGA's published figures (ProASIC PLUS); clock and registers are upper bounds",
        list(FABRIC),
        rows(reports, FABRIC),
    )
    return f"{head}\n\n{ratios}\n\n{fabric}"


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
    "with clock and registers in both": lambda report: f"{report['fabric']['clocked_ratio']:.1f}",
}
FABRIC: dict[str, Column] = {
    "network": None,
    "registers": lambda report: f"{report['fabric']['registers']:,.0f}",
    "cycles an image": lambda report: f"{report['fabric']['cycles']:,.0f}",
    "memory": lambda report: part(report, "memory"),
    "arithmetic": lambda report: part(report, "arithmetic"),
    "clock": lambda report: part(report, "clock"),
    "registers' changes": lambda report: part(report, "registers"),
    "memory, of the twin's": lambda report: part(report, "memory", "float_energies"),
    "ratio, twin of as many registers": lambda report: f"{report['fabric']['ratio']:.1f}",
    "95 %, all parts drawn": lambda report: span(report["fabric"]["ratio_drawn"][1:]),
}
"""Columns of both tables."""

if __name__ == "__main__":
    sys.exit(main())
