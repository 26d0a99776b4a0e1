"""What the cycle model says of an accelerator, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from duospike.cosim.design.sizing import Sizing
from duospike.rtl.stage import Stage

from .model import CycleRun

COLUMNS = ("stage", "kind", "lanes", "parts", "events", "busy\ncycles", "busy\nshare", "stall\nin", "stall\nout")


def stage_rows(run: CycleRun, stages: dict[str, Stage], sizing: Sizing, period: float) -> list[dict[str, Any]]:
    """A row for each stage; its counters are means over the images.

    period: the cycles of an image that busy_share is a share of. name, kind, lanes; parts: of a row, None where the stage has
    none; events, busy, stall_in, stall_out: an image, see rtl/activity.py; busy_share: busy cycles of an image over the period.
    """
    images, rows = len(run.ends), []
    for name, counts in run.activity.items():
        mean = {key: counts[key] / images for key in ("events", "busy", "stall_in", "stall_out")}
        stage = stages[name]
        about = {"name": name, "kind": stage.kind, "lanes": stage.lanes, "parts": sizing.row_parts.get(name)}
        rows.append({**about, **mean, "busy_share": mean["busy"] / period})
    return rows


def stage_table(rows: list[dict[str, Any]]) -> Table:
    """The rows as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, caption="events and cycles are those of an image, on average")
    for title in COLUMNS:
        table.add_column(title, justify="left" if title in ("stage", "kind") else "right", no_wrap=True)
    for row in rows:
        numbers = (row["lanes"], row["parts"], round(row["events"]) or None)
        cells = [row["name"], row["kind"], *("-" if number is None else str(number) for number in numbers)]
        stalls = (f"{row[key]:.0f}" for key in ("stall_in", "stall_out"))
        table.add_row(*cells, f"{row['busy']:.0f}", f"{row['busy_share']:.1%}", *stalls)
    return table


def make_report(run: CycleRun, stages: dict[str, Stage], sizing: Sizing) -> dict[str, Any]:
    """The content of cycles.json.

    images; cycles: of the whole run; latency: of the first image; interval: see interval.py, None for one image; stages:
    stage_rows(), busy_share being that of all cycles of the run; firsts, lasts: by stage, the cycles of its first and last
    beat of each image.
    """
    images = len(run.ends)
    return {
        "images": images,
        "cycles": run.cycles,
        "latency": run.latency,
        "interval": run.interval(),
        "stages": stage_rows(run, stages, sizing, run.cycles / images),
        "firsts": {name: times.tolist() for name, times in run.firsts.items()},
        "lasts": {name: times.tolist() for name, times in run.lasts.items()},
    }


def run_line(report: dict[str, Any]) -> str:
    """The run in one sentence."""
    interval = "" if report["interval"] is None else f", an image each {report['interval']:.0f} cycles"
    images = f"{report['images']} image" + ("s" if report["images"] > 1 else "")
    return f"{images} in {report['cycles']} cycles; latency of the first {report['latency']} cycles{interval}"
