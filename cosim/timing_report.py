"""What nextpnr reports of a placed accelerator, by stage and block, as tables and as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich import box
from rich.table import Table

from .convert import Module
from .place_route import DEVICE, PACKAGE, Placement
from .synthesis import instances_in
from .synthesis_report import block_of

TOP = "top"
"""Stage of what the top itself holds."""
CELL = re.compile(r"(_[A-Z][A-Z0-9]*)?_(TRELLIS_FF|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D|TRELLIS_DPR16X4)_.*$|\$.*$")
"""What Yosys and nextpnr put behind the name of a signal to name a cell."""


@dataclass(frozen=True)
class Spot:
    """Where a cell is. stage: its name in the top. block: of rtl/. instance: path of the module. signal: that names the cell."""

    stage: str
    block: str
    instance: str
    signal: str


class Places:
    """Finds the Spot of a cell by its name."""

    def __init__(self, modules: Sequence[Module]):
        self._top = modules[-1].name
        self._tree: Mapping[str, Mapping[str, str]] = {module.name: instances_in(module, modules) for module in modules}

    def of(self, cell: str) -> Spot:
        names, module, path = cell.split("."), self._top, list[str]()
        while names and names[0] in self._tree[module]:
            module = self._tree[module][names[0]]
            path.append(names.pop(0))
        signal = CELL.sub("", ".".join(names))
        return Spot(path[0] if path else TOP, block_of(module), ".".join(path) or TOP, signal)


def make_report(placement: Placement, modules: Sequence[Module]) -> dict[str, Any]:
    """What timing.json tells of the placement; delays in ns.

    device, package, speed, seed, target_mhz, nextpnr; utilization: used and available of each kind of cell that is used;
    fmax_mhz; critical_path: delay, logic, routing, start and end, and through: instances in order, each with its share;
    ends: for each instance the slowest path that ends in it, slowest first.
    """
    report, target, places = placement.report, placement.target, Places(modules)
    return {
        "device": DEVICE,
        "package": PACKAGE,
        "speed": target.speed,
        "seed": target.seed,
        "target_mhz": target.clock_mhz,
        "nextpnr": placement.nextpnr,
        "utilization": {kind: counts for kind, counts in sorted(report["utilization"].items()) if counts["used"]},
        "fmax_mhz": report["fmax"]["clk"]["achieved"],
        "critical_path": critical_path(report, places),
        "ends": slowest_ends(report, places),
    }


def critical_path(report: dict[str, Any], places: Places) -> dict[str, Any]:
    """The slowest path from register to register."""
    [path] = [one["path"] for one in report["critical_paths"] if one["from"] == one["to"] == "posedge clk"]
    through: list[dict[str, Any]] = []
    for segment in path:
        spot = places.of(segment["to"]["cell"])
        if not through or through[-1]["instance"] != spot.instance:
            through.append({"stage": spot.stage, "block": spot.block, "instance": spot.instance, "delay": 0.0, "cells": 0})
        through[-1]["delay"] += segment["delay"]
        through[-1]["cells"] += segment["type"] == "routing"
    routing = sum(segment["delay"] for segment in path if segment["type"] == "routing")
    delay = sum(segment["delay"] for segment in path)
    return {
        "delay": delay,
        "logic": delay - routing,
        "routing": routing,
        "start": asdict(places.of(path[0]["from"]["cell"])),
        "end": asdict(places.of(path[-1]["to"]["cell"])),
        "through": through,
    }


def slowest_ends(report: dict[str, Any], places: Places) -> list[dict[str, Any]]:
    """For each instance the slowest path that ends in a register or memory of it: Spot of the end, delay."""
    slowest: dict[str, tuple[float, Spot]] = {}
    for net in report["detailed_net_timings"]:
        for end in net["endpoints"]:
            spot, delay = places.of(end["cell"]), end["delay"][1]
            if delay > slowest.get(spot.instance, (0.0, spot))[0]:
                slowest[spot.instance] = delay, spot
    return [{**asdict(spot), "delay": delay} for delay, spot in sorted(slowest.values(), key=lambda one: -one[0])]


def path_lines(report: dict[str, Any]) -> list[str]:
    """Clock and critical path in words."""
    path = report["critical_path"]
    start, end = (f"{path[key]['instance']}.{path[key]['signal']}" for key in ("start", "end"))
    through = ", ".join(f"{one['instance']} ({one['block']}) {one['delay']:.1f} ns" for one in path["through"])
    aim = f"aimed at {report['target_mhz']}, seed {report['seed']}"
    return [
        f"{report['fmax_mhz']:.1f} MHz on {report['device']}-{report['speed']}, {aim}",
        f"critical path: {path['delay']:.2f} ns, logic {path['logic']:.2f}, routing {path['routing']:.2f}",
        f"from {start} to {end} through {through}",
    ]


def ends_table(report: dict[str, Any]) -> Table:
    """The slowest path into each stage."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, caption="slowest path that ends in a stage")
    for title in ("stage", "ns", "MHz", "block", "ends in"):
        table.add_column(title, justify="right" if title in ("ns", "MHz") else "left", no_wrap=True)
    seen = set[str]()
    for end in report["ends"]:
        if end["stage"] not in seen:
            seen.add(end["stage"])
            numbers = f"{end['delay']:.2f}", f"{1000 / end['delay']:.1f}"
            table.add_row(end["stage"], *numbers, end["block"], f"{end['instance']}.{end['signal']}")
    return table


def utilization_line(report: dict[str, Any]) -> str:
    """Used and available cells of each kind."""
    return ", ".join(
        f"{kind} {counts['used']} of {counts['available']} ({counts['used'] / counts['available']:.0%})"
        for kind, counts in report["utilization"].items()
    )
