"""Plots as SVG: the Pareto front of an exploration, cycles of each stage, and a Gantt chart of one image.

They need matplotlib, the extra `plots`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .cycle_model import SOURCE, CycleRun
from .explore import Exploration
from .explore_report import UNITS

MISSING = "no plot, since matplotlib is missing (pip install -e '.[plots]')"
BUSY, STALL_IN, STALL_OUT = "#2a6f97", "#d9d9d9", "#e07a5f"
COUNTED = (("busy", "busy", BUSY), ("stall_in", "no input", STALL_IN), ("stall_out", "held back", STALL_OUT))
"""Counters of a stage in the plot of cycles, each with its label and its colour."""


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def _figure(width: float, height: float) -> tuple[Any, Any]:
    import matplotlib
    from matplotlib.figure import Figure

    # The same figure gives the same bytes, and its texts stay texts.
    matplotlib.rcParams.update({"svg.hashsalt": "duospike", "svg.fonttype": "none", "font.size": 9})
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None})


def plot_front(found: Exploration, path: Path) -> None:
    """Images a second against what they cost, with the latency beside each point."""
    figure, axes = _figure(6, 3.5)
    clock, unit = found.clock, UNITS[found.budget.kind]
    axes.plot([one.cost for one in found.front], [clock / one.interval for one in found.front], "o-", color=BUSY)
    axes.plot([found.chosen.cost], [clock / found.chosen.interval], "o", color=STALL_OUT, label="chosen")
    for one in found.front:
        where = (one.cost, clock / one.interval)
        axes.annotate(f"{one.latency / clock * 1e3:.3g} ms", where, (4, -10), textcoords="offset points", fontsize=7)
    axes.set(xlabel=unit, ylabel=f"images a second at {clock / 1e6:g} MHz", title="Pareto front, with the latency of one image")
    axes.legend(loc="upper left", frameon=False)
    _save(figure, path)


def plot_cycles(run: CycleRun, path: Path) -> None:
    """Cycles an image of each stage: busy, waiting for input, waiting for the next stage, on average over the images."""
    figure, axes = _figure(7, 3.5)
    images, names = len(run.ends), list(run.activity)
    left = [0.0] * len(names)
    for counter, label, colour in COUNTED:
        cycles = [counts[counter] / images for counts in run.activity.values()]
        axes.barh(names, cycles, left=left, color=colour, label=label)
        left = [a + b for a, b in zip(left, cycles, strict=True)]
    axes.invert_yaxis()
    axes.set(xlabel="cycles an image", title=f"What each stage does, {images} images back to back")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=3)
    _save(figure, path)


def plot_gantt(run: CycleRun, image: int, path: Path) -> None:
    """When each stage takes and gives what is of one image, in cycles since the image's first beat.

    Light: from the first beat that comes to the stage to its last beat out; dark: from its first beat out.
    """
    figure, axes = _figure(7, 3.5)
    start, before = run.starts[image], SOURCE
    for name in run.activity:
        takes, gives, ends = (int(times[image] - start) for times in (run.firsts[before], run.firsts[name], run.lasts[name]))
        axes.barh([name], [ends - takes + 1], left=[takes], color=STALL_IN, label="takes" if before == SOURCE else None)
        # The outline shows stages that give a single beat, too.
        axes.barh(
            [name], [ends - gives + 1], left=[gives], color=BUSY, edgecolor=BUSY, label="gives" if before == SOURCE else None
        )
        before = name
    axes.invert_yaxis()
    axes.set(xlabel="cycles since the image's first beat", title=f"Image {image} on its way through the stages")
    axes.legend(frameon=False, loc="lower left")
    _save(figure, path)


def plot_points(
    points: list[tuple[str, float, float, float | None, float | None]], labels: tuple[str, str], title: str, path: Path
) -> None:
    """Points with a name, x, y and the spread of each (None for none)."""
    figure, axes = _figure(7, 4)
    for name, x, y, x_spread, y_spread in points:
        axes.errorbar([x], [y], xerr=x_spread, yerr=y_spread, fmt="o", label=name)
    axes.set(xlabel=labels[0], ylabel=labels[1], title=title)
    axes.legend(frameon=False, fontsize=7)
    _save(figure, path)


def plot_lines(lines: dict[str, dict[str, float]], label: str, title: str, path: Path) -> None:
    """Lines over the same named places: values by line and place."""
    figure, axes = _figure(7, 4)
    for name, values in lines.items():
        axes.plot(list(values), list(values.values()), "o-", label=name)
    axes.tick_params(axis="x", rotation=45)
    axes.set(ylabel=label, title=title)
    axes.legend(frameon=False, fontsize=7)
    _save(figure, path)
