"""What an exploration found, as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from duospike.cosim.cycles.report import stage_rows

from .explore import Choice, Exploration

UNITS = {"lanes": "lanes", "fps": "lanes", "luts": "LUTs (modelled)"}
"""What a choice costs, by the kind of the budget."""


def make_report(found: Exploration) -> dict[str, Any]:
    """The content of explore.json.

    budget: kind and amount; unit: of every cost; clock: in Hz; chosen and each of front: sizing; cost; luts, synthesised, or
    null; interval and latency: cycles; images_per_second; stages: rows of cycles.report.stage_rows.
    """
    return {
        "budget": asdict(found.budget),
        "unit": UNITS[found.budget.kind],
        "clock": found.clock,
        "chosen": _choice(found.chosen, found.clock),
        "front": [_choice(choice, found.clock) for choice in found.front],
    }


def _choice(choice: Choice, clock: float) -> dict[str, Any]:
    return {
        "sizing": choice.sizing.as_json(),
        "cost": choice.cost,
        "luts": choice.luts,
        "interval": choice.interval,
        "latency": choice.latency,
        "images_per_second": clock / choice.interval,
        "stages": stage_rows(choice.run, choice.stages, choice.sizing, choice.interval),
    }


def choice_line(found: Exploration) -> str:
    """The choice in one sentence."""
    choice, (slowest, share) = found.chosen, found.chosen.slowest
    luts = "" if choice.luts is None else f", {choice.luts:.0f} LUTs (synthesised)"
    rate = f"{found.clock / choice.interval:.0f} a second at {found.clock / 1e6:g} MHz"
    return (
        f"{choice.lanes} lanes{luts}: an image each {choice.interval:.0f} cycles, {rate}; "
        f"latency {choice.latency} cycles, {choice.latency / choice.interval:.2f} intervals; "
        f"{slowest} is busy {share:.1%} of the time"
    )


def front_table(found: Exploration) -> Table:
    """The Pareto front as a table for the terminal; the choice is marked."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, title="Pareto front")
    rate = f"images/s at\n{found.clock / 1e6:g} MHz"
    for title in (UNITS[found.budget.kind], "cycles\nan image", rate, "latency,\ncycles", "in\nintervals", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for choice in found.front:
        cells = (choice.cost, choice.interval, found.clock / choice.interval, choice.latency)
        mark = "chosen" if choice is found.chosen else ""
        table.add_row(*(f"{cell:.0f}" for cell in cells), f"{choice.latency / choice.interval:.2f}", mark)
    return table
