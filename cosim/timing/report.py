"""The timing of a placed accelerator by stage and block, and what follows for images, as a table, lines and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from re import compile
from typing import Any

from rich import box
from rich.table import Table

from duospike.cosim.conversion.convert import Module
from duospike.cosim.energy.image_costs import ImageCosts
from duospike.cosim.energy.model import static_energy
from duospike.cosim.energy.report import NANOJOULE
from duospike.cosim.synthesis.report import block_of
from duospike.cosim.synthesis.synthesize import instances_in

from .place_route import DEVICE, PACKAGE, Placement

CLOCK = "clk"
TOP = "top"
"""Stage and instance of what the top itself holds."""
CELL = compile(r"(_(TRELLIS_FF|LUT4|CCU2C|PFUMX|L6MUX21|DP16KD|MULT18X18D|TRELLIS_DPR16X4)_|\$).*$")
"""What Yosys and nextpnr put behind the name of a signal to name a cell."""


@dataclass(frozen=True)
class Location:
    """Where a cell is. stage: its name in the top. block: of rtl/. instance: path of its module. signal: that names the cell."""

    stage: str
    block: str
    instance: str
    signal: str

    def __str__(self) -> str:
        return f"{self.instance}.{self.signal}"


class Locator:
    """Finds the Location of a cell of a flat netlist by its name. modules: those that were flattened, the top last."""

    def __init__(self, modules: Sequence[Module]):
        self._top = modules[-1].name
        self._instances: Mapping[str, Mapping[str, str]] = {one.name: instances_in(one, modules) for one in modules}

    def locate(self, cell: str) -> Location:
        names, module, path = cell.split("."), self._top, list[str]()
        while names and names[0] in self._instances[module]:
            module = self._instances[module][names[0]]
            path.append(names.pop(0))
        return Location(path[0] if path else TOP, block_of(module), ".".join(path) or TOP, CELL.sub("", ".".join(names)))


def make_report(placement: Placement, modules: Sequence[Module], costs: ImageCosts) -> dict[str, Any]:
    """The content of timing.json for a placement; delays are in nanoseconds. costs: of the same accelerator.

    device, package, speed, seed, target_mhz, nextpnr; utilization: for each kind of cell that is used, used and available;
    fmax_mhz; critical_path; slowest_ends: for each instance the slowest path that ends in it, the slowest first;
    images: see images_report().
    """
    report, target, locator = placement.report, placement.target, Locator(modules)
    fmax, use = report["fmax"][CLOCK]["achieved"], report["utilization"]
    return {
        "device": DEVICE,
        "package": PACKAGE,
        "speed": target.speed,
        "seed": target.seed,
        "target_mhz": target.clock_mhz,
        "nextpnr": placement.nextpnr,
        "utilization": {kind: counts for kind, counts in sorted(use.items()) if counts["used"]},
        "fmax_mhz": fmax,
        "critical_path": critical_path(report, locator),
        "slowest_ends": slowest_ends(report, locator),
        "images": images_report(costs, fmax, use["TRELLIS_COMB"]["used"]),
    }


def critical_path(report: dict[str, Any], locator: Locator, clock: str = CLOCK) -> dict[str, Any]:
    """The slowest path from register to register in nextpnr's report. clock: the name of their clock there.

    delay, and logic and routing in it; start, end: a Location; through: the instances that it passes, in order, each with the
    delay up to and in its cells and the number of nets on the way.
    """
    edge = f"posedge {clock}"
    [segments] = [path["path"] for path in report["critical_paths"] if path["from"] == path["to"] == edge]
    through: list[dict[str, Any]] = []
    for segment in segments:
        location = locator.locate(segment["to"]["cell"])
        if not through or through[-1]["instance"] != location.instance:
            named = {"stage": location.stage, "block": location.block, "instance": location.instance}
            through.append({**named, "delay": 0.0, "nets": 0})
        through[-1]["delay"] += segment["delay"]
        through[-1]["nets"] += segment["type"] == "routing"
    delay = sum(segment["delay"] for segment in segments)
    routing = sum(segment["delay"] for segment in segments if segment["type"] == "routing")
    return {
        "delay": delay,
        "logic": delay - routing,
        "routing": routing,
        "start": asdict(locator.locate(segments[0]["from"]["cell"])),
        "end": asdict(locator.locate(segments[-1]["to"]["cell"])),
        "through": through,
    }


def slowest_ends(report: dict[str, Any], locator: Locator) -> list[dict[str, Any]]:
    """For each instance, the slowest path that ends in its registers, memories and multipliers: a Location and the delay."""
    slowest: dict[str, tuple[float, Location]] = {}
    for net in report["detailed_net_timings"]:
        for end in net["endpoints"]:
            location, delay = locator.locate(end["cell"]), end["delay"][1]
            if location.instance not in slowest or delay > slowest[location.instance][0]:
                slowest[location.instance] = delay, location
    ends = sorted(slowest.values(), key=lambda one: -one[0])
    return [{**asdict(location), "delay": delay} for delay, location in ends]


def images_report(costs: ImageCosts, fmax_mhz: float, luts: int) -> dict[str, Any]:
    """The content of timing.json under `images`: fields of ImageCosts and what follows from them at a clock.

    images_per_second; static: nanojoules that leak in an interval, modelled, from `luts` TRELLIS_COMBs; each is a LUT of 4
    inputs, as those of energy.model.LUT_WATTS are.
    """
    return {
        **asdict(costs),
        "images_per_second": fmax_mhz * 1e6 / costs.interval,
        "static": static_energy(luts, costs.interval, fmax_mhz) / NANOJOULE,
    }


def timing_lines(timing: dict[str, Any]) -> list[str]:
    """Use, clock, critical path and images in words. timing: of make_report()."""
    path, images = timing["critical_path"], timing["images"]
    use = ", ".join(
        f"{kind} {counts['used']} of {counts['available']} ({counts['used'] / counts['available']:.0%})"
        for kind, counts in timing["utilization"].items()
    )
    start, end = (str(Location(**path[key])) for key in ("start", "end"))
    through = ", ".join(f"{one['instance']} ({one['block']}) {one['delay']:.2f} ns" for one in path["through"])
    return [
        f"placed: {use}",
        f"clock: {timing['fmax_mhz']:.1f} MHz on {timing['device']}-{timing['speed']} with seed {timing['seed']}, "
        f"{timing['target_mhz']} MHz aimed at",
        f"critical path: {path['delay']:.2f} ns, {path['logic']:.2f} of logic and {path['routing']:.2f} of routing, "
        f"from {start} to {end} through {through}",
        f"images: one each {images['interval']:.0f} cycles, {images['images_per_second']:.0f} a second at that clock; "
        f"{images['dynamic']:.0f} nJ each and {images['static']:.0f} that leak, modelled (docs/explanation/energy.md)",
    ]


def ends_table(timing: dict[str, Any]) -> Table:
    """The slowest path that ends in each stage, the slowest stage first."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, caption="slowest path that ends in a stage")
    for title in ("stage", "ns", "MHz", "block", "ends in"):
        table.add_column(title, justify="right" if title in ("ns", "MHz") else "left", no_wrap=True)
    of_stage: dict[str, dict[str, Any]] = {}
    for end in timing["slowest_ends"]:
        of_stage.setdefault(end["stage"], end)
    for stage, end in of_stage.items():
        numbers = f"{end['delay']:.2f}", f"{1000 / end['delay']:.1f}"
        table.add_row(stage, *numbers, end["block"], f"{end['instance']}.{end['signal']}")
    return table
