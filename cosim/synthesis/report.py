"""The areas of a synthesised design, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from rich import box
from rich.table import Table

from .families import AREA, Family
from .synthesize import Area, Synthesis

Rows = list[tuple[list[str], Area]]


def make_report(synthesis: Synthesis) -> dict:
    """The content of areas.json, with the numbers of families.AREA wherever an area is given.

    yosys: its version; family; multipliers; top; units: what each number counts; total: area of the design; stages: name,
    module, area with all below it; modules: name, block (of rtl/), instances, stages (that hold it), area of one instance
    without other modules in it, cells (Yosys' own count of them). The total is the sum over modules of instances x area.
    """
    counts = synthesis.instances(synthesis.top)
    return {
        "yosys": synthesis.yosys,
        "family": synthesis.family.name,
        "multipliers": synthesis.multipliers,
        "top": synthesis.top,
        "units": synthesis.family.units,
        "total": asdict(synthesis.total),
        "stages": [
            {"name": name, "module": synthesis.stages[name], **asdict(area)} for name, area in synthesis.stage_areas.items()
        ],
        "modules": [
            {
                "name": name,
                "block": block_of(name),
                "instances": counts[name],
                "stages": stages_with(synthesis, name),
                **asdict(area),
                "cells": dict(sorted(synthesis.cells[name].items())),
            }
            for name, area in synthesis.own.items()
        ],
    }


def block_of(module: str) -> str:
    """The block of rtl/ that a module was made from: its name without the digest."""
    return module.rpartition("_")[0] or module


def stages_with(synthesis: Synthesis, module: str) -> list[str]:
    """The stages that hold an instance of a module."""
    return [name for name, stage in synthesis.stages.items() if module in synthesis.instances(stage)]


def stage_rows(synthesis: Synthesis) -> Rows:
    """A row for each stage with all that is in it, and the total."""
    rows = [([name, block_of(synthesis.stages[name])], area) for name, area in synthesis.stage_areas.items()]
    return [*rows, (["total", ""], synthesis.total)]


def module_rows(synthesis: Synthesis) -> Rows:
    """A row for each module that holds cells: its name, where it is, how many instances there are, the area of one."""
    counts = synthesis.instances(synthesis.top)
    return [
        ([name, _place(stages_with(synthesis, name)), str(counts[name])], area)
        for name, area in synthesis.own.items()
        if synthesis.cells[name]
    ]


def _place(stages: list[str]) -> str:
    """The first stage, and how many more there are."""
    return " ".join([*stages[:1], *([f"+{len(stages) - 1}"] if stages[1:] else [])])


def units_line(family: Family) -> str:
    """What each column counts."""
    return ", ".join(f"{TITLES[kind]} {unit}".replace("\n", " ") for kind, unit in family.units.items())


TITLES = dict(zip(AREA, ("LUT", "FF", "carry", "wide\nmux", "DSP", "LUT\nRAM", "block\nRAM"), strict=True))


def area_table(titles: Iterable[str], rows: Rows) -> Table:
    """Rows as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title == "times" else "left", no_wrap=True)
    for kind in AREA:
        table.add_column(TITLES[kind], justify="right", no_wrap=True)
    for texts, area in rows:
        table.add_row(*texts, *area_cells(area))
    return table


def area_cells(area: Area) -> list[str]:
    """The numbers of an area as texts; an empty text for zero."""
    return [f"{number:g}" if number else "" for number in asdict(area).values()]
