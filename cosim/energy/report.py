"""What the energy model says, as tables and as JSON."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from duospike.cosim.synthesis.stage_areas import luts
from duospike.cosim.synthesis.synthesize import Area

from .fabric import clock_bound, fabric_energy
from .model import (
    Coefficients,
    Operations,
    as_float,
    by_coefficient,
    drawn_ratio,
    energy_by_stage,
    memory_share,
    sensitivity,
    static_energy,
    total_energy,
)

NANOJOULE = 1e3
"""In picojoules."""


def make_report(operations: Operations, images: int, coefficients: Coefficients) -> dict[str, Any]:
    """The content of energy.json; energies are modelled, in nanojoules an image.

    images; stages: by name and by what is done; total; memory_share: of it, access to memory; float_total: of the float twin with
    the same spikes; float_ratio; float_ratio_drawn: with all coefficients drawn at once, median and ends of 95 %; sensitivity: by
    coefficient, float_ratio with that coefficient halved and doubled.
    """
    energies = energy_by_stage(operations, coefficients)
    stages = {name: {what: one / NANOJOULE / images for what, one in parts.items()} for name, parts in energies.items()}
    costs, twin_costs = by_coefficient(operations, coefficients), by_coefficient(as_float(operations), coefficients)
    ours, twin = (sum(of.values()) / NANOJOULE / images for of in (costs, twin_costs))
    return {
        "images": images,
        "stages": stages,
        "total": ours,
        "memory_share": memory_share(costs),
        "float_memory_share": memory_share(twin_costs),
        "float_total": twin,
        "float_ratio": twin / ours,
        "float_ratio_drawn": list(drawn_ratio(twin_costs, costs)),
        "sensitivity": {name: list(ratios) for name, ratios in sensitivity(twin_costs, costs).items()},
    }


def static_report(areas: dict[str, Area], cycles: float, clock_mhz: float) -> dict[str, Any]:
    """What energy.json holds under `static`: nanojoules that leak in an image, modelled, by stage and in all.

    areas: by stage name. cycles: of an image, the interval, or all of a single image. clock_mhz, luts: what they follow from.
    """
    stages = {name: static_energy(luts(area), cycles, clock_mhz) / NANOJOULE for name, area in areas.items()}
    count = sum(luts(area) for area in areas.values())
    return {"clock_mhz": clock_mhz, "cycles": cycles, "luts": count, "stages": stages, "total": sum(stages.values())}


def fabric_report(operations: Operations, areas: dict[str, Area], cycles: float, images: int) -> dict[str, Any]:
    """What energy.json keeps of an FPGA's published figures, in nanojoules an image; see fabric.py.

    registers, cycles: flip-flops, and cycles of an image. energies, float_energies: by fabric.PARTS, of this network and of the
    twin, which has the same registers here. ratio, ratio_drawn: of both, and with all parts drawn at once. In the process of
    make_report(): clock, of clock and registers at most; clock_share, of the sum with it; clocked_ratio, with it in both.
    """
    registers = sum(area.ff for area in areas.values())
    ours, twin = (
        {part: one / NANOJOULE / images for part, one in fabric_energy(of, registers, cycles * images).items()}
        for of in (operations, as_float(operations))
    )
    total, twin_total = (total_energy(of, Coefficients()) / NANOJOULE / images for of in (operations, as_float(operations)))
    clock = clock_bound(registers, cycles, Coefficients()) / NANOJOULE
    return {
        "registers": registers,
        "cycles": cycles,
        "energies": ours,
        "float_energies": twin,
        "ratio": sum(twin.values()) / sum(ours.values()),
        "ratio_drawn": list(drawn_ratio(twin, ours)),
        "clock": clock,
        "clock_share": clock / (total + clock),
        "clocked_ratio": (twin_total + clock) / (total + clock),
    }


COLUMNS = {
    "weights": ("weights",),
    "arithmetic": ("products", "additions", "pool of currents", "neurons"),
    "partial\nsums, state": ("partial sums", "rows of currents", "state memory"),
    "bias,\nthresholds": ("bias", "thresholds"),
    "buffers,\nqueues": ("image rows", "row buffer", "queue", "rows of windows"),
}
"""What each column of the table sums up."""


def energy_table(report: dict[str, Any]) -> Table:
    """The stages as a table for the terminal: where an image's energy goes."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, caption="nJ an image, modelled")
    for title in ("stage", *COLUMNS, "all"):
        table.add_column(title, justify="left" if title == "stage" else "right", no_wrap=True)
    rows = {
        name: [sum(parts.get(one, 0.0) for one in kinds) for kinds in COLUMNS.values()]
        for name, parts in report["stages"].items()
    }
    for name, cells in [*rows.items(), ("all", [sum(column) for column in zip(*rows.values(), strict=True)])]:
        table.add_row(name, *(f"{cell:.1f}" if cell else "-" for cell in cells), f"{sum(cells):.1f}")
    return table


def energy_lines(report: dict[str, Any]) -> list[str]:
    """The comparison with the float twin, and what it depends on."""
    ratios = [ratio for pair in report["sensitivity"].values() for ratio in pair]
    _, low, high = report["float_ratio_drawn"]
    static = report.get("static")
    leaks = []
    if static:
        amount = static["total"]
        leaks = [
            f"static: {amount:.0f} nJ an image, modelled, from {static['luts']:.0f} LUTs at {static['clock_mhz']} MHz and "
            f"{static['cycles']:.0f} cycles an image; {amount / 2:.0f} to {amount * 2:.0f} nJ with half and twice a LUT's power"
        ]
    if fabric := report.get("fabric"):
        _, least, most = fabric["ratio_drawn"]
        share = fabric["energies"]["memory"] / sum(fabric["energies"].values())
        leaks.append(
            f"clock and {fabric['registers']:.0f} registers, not counted: at most {fabric['clock']:.0f} nJ an image, "
            f"{fabric['clock_share']:.0%} of all, with which the ratio below is {fabric['clocked_ratio']:.1f}"
        )
        leaks.append(
            f"by an FPGA's published figures (ProASIC PLUS): {share:.0%} access to memory, and the float twin takes "
            f"{fabric['ratio']:.1f} times as much, {least:.1f} to {most:.1f} (95 %)"
        )
    return [
        f"{report['total']:.0f} nJ an image, modelled (45 nm, dynamic; see docs/explanation/energy.md), "
        f"{report['memory_share']:.0%} of it access to memory",
        *leaks,
        f"the float twin with the same spikes: {report['float_total']:.0f} nJ, {report['float_ratio']:.1f} times as much; "
        f"{low:.1f} to {high:.1f} times (95 %) with all coefficients drawn at once between half and twice their values, "
        f"{min(ratios):.1f} to {max(ratios):.1f} with any one halved or doubled",
    ]
