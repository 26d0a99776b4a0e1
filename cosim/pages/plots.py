"""Plots as SVG: the Pareto front of an exploration, cycles of each stage, and a Gantt chart of one image.

They need matplotlib, the extra `plots`.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np

from duospike.cosim.cycles.model import SOURCE
from duospike.reference.files import write_atomically
from duospike.reference.installation import install_hint

MISSING = f"no plot, since matplotlib is missing ({install_hint('plots')})"
BUSY, STALL_IN, STALL_OUT = "#2a6f97", "#d9d9d9", "#e07a5f"
COUNTED = (("busy", "busy", BUSY), ("stall_in", "no input", STALL_IN), ("stall_out", "held back", STALL_OUT))
"""Counters of a stage in the plot of cycles, each with its label and its colour."""
WIDTH = 4.7
"""Inches of every plot: on a phone of 390 pixels its text is then as large as it was drawn."""
LETTERS = 46
"""Of a title in a line, as many as a plot is wide."""
LABEL_LETTERS = 20
"""Of a line of a label at the side of a plot."""
SHARES = ("accuracy", "sparsity")
"""Labels of axes that show shares, in per cent."""
RASTER_ROWS, RASTER_COLUMNS = 700, 3000
"""Values of a panel of the raster at least: more than it has dots at DPI."""
RASTER_VALUES = 2**24
"""Of a panel at most, unless there are more spikes and silences."""
DPI = 300
"""Of what is drawn in dots within a plot."""
Counters = Mapping[str, Mapping[str, float]]
Times = Mapping[str, Sequence[int] | np.ndarray]
"""By stage name, of each image."""
Line = Mapping[str, tuple[float, float | None]]
"""By place, a value and its spread, None for none."""
Target = Path | IO[str]
"""Where a plot is written to."""


def available() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def _figure(height: float, title: str) -> tuple[Any, Any]:
    figure = _empty(height, title)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _empty(height: float, title: str) -> Any:
    import matplotlib
    from matplotlib.figure import Figure

    # The same figure gives the same bytes, and its texts stay texts, also one with two dollars.
    matplotlib.rcParams.update({"svg.hashsalt": "duospike", "svg.fonttype": "none", "font.size": 10, "text.parse_math": False})
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(textwrap.fill(title, LETTERS), fontsize=10)
    return figure


def _label(axis: Any, label: str) -> None:
    """Name an axis; shares are shown in per cent, and large numbers are few enough to have room."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axis.set_label_text(label)
    axis.set_major_locator(MaxNLocator(5))
    if label in SHARES:
        axis.set_major_formatter(PercentFormatter(1.0))


def _legend(figure: Any, names: Sequence[str]) -> None:
    """A legend below the plot, in as many columns as the longest name leaves; its letters are smaller than a title's."""
    columns = max(1, min(len(names), int(1.2 * LETTERS) // (max(map(len, names)) + 6)))
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=columns)


def _save(figure: Any, path: Target) -> None:
    data = io.BytesIO()
    figure.savefig(data, format="svg", dpi=DPI, metadata={"Date": None})
    if isinstance(path, Path):
        write_atomically(path, data.getvalue())
    else:
        path.write(data.getvalue().decode())


def plot_front(report: Mapping[str, Any], path: Target) -> None:
    """Images a second against what they cost, with the latency beside each point. report: see exploration.report.make_report."""
    figure, axes = _figure(3.5, "Pareto front, with the latency of one image")
    clock, front, chosen = report["clock"], report["front"], report["chosen"]
    axes.plot([one["cost"] for one in front], [one["images_per_second"] for one in front], "o-", color=BUSY)
    axes.plot([chosen["cost"]], [chosen["images_per_second"]], "o", color=STALL_OUT, label="chosen")
    for one in front:
        where = (one["cost"], one["images_per_second"])
        axes.annotate(f"{one['latency'] / clock * 1e3:.3g} ms", where, (4, -10), textcoords="offset points", fontsize=7)
    _label(axes.xaxis, report["unit"])
    _label(axes.yaxis, f"images a second at {clock / 1e6:g} MHz")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.legend(loc="upper left", frameon=False)
    _save(figure, path)


def plot_cycles(activity: Counters, images: int, path: Target) -> None:
    """Cycles an image of each stage: busy, waiting for input, waiting for the next stage, on average over the images.

    activity: of all images, see CycleRun.
    """
    names = list(activity)
    figure, axes = _figure(1.6 + 0.24 * len(names), f"What each stage does, {images} images back to back")
    left = [0.0] * len(names)
    for counter, label, colour in COUNTED:
        cycles = [counts[counter] / images for counts in activity.values()]
        axes.barh(names, cycles, left=left, color=colour, label=label)
        left = [a + b for a, b in zip(left, cycles, strict=True)]
    axes.invert_yaxis()
    _label(axes.xaxis, "cycles an image")
    _legend(figure, [label for _, label, _ in COUNTED])
    _save(figure, path)


def plot_gantt(firsts: Times, lasts: Times, image: int, path: Target) -> None:
    """When each stage takes and gives what is of one image, in cycles since the image's first beat.

    firsts, lasts: see CycleRun.
    Light: from the first beat that comes to the stage to its last beat out; dark: from its first beat out.
    """
    figure, axes = _figure(1.6 + 0.24 * len(lasts), f"Image {image} on its way through the stages")
    start, before = firsts[SOURCE][image], SOURCE
    for name in (name for name in firsts if name != SOURCE):
        takes, gives, ends = (int(times[image] - start) for times in (firsts[before], firsts[name], lasts[name]))
        axes.barh([name], [ends - takes + 1], left=[takes], color=STALL_IN, label="takes" if before == SOURCE else None)
        # The outline shows stages that give a single beat, too.
        axes.barh(
            [name], [ends - gives + 1], left=[gives], color=BUSY, edgecolor=BUSY, label="gives" if before == SOURCE else None
        )
        before = name
    axes.invert_yaxis()
    _label(axes.xaxis, "cycles since the image's first beat")
    axes.set_xlim(left=0)
    _legend(figure, ["takes", "gives"])
    _save(figure, path)


def plot_raster(spikes: Mapping[str, np.ndarray], title: str, path: Target) -> None:
    """A panel for each stage: a row is a channel, a column a place of the map in a timestep, a mark a spike.

    spikes: by stage name, [timesteps, channels, height, width]. Places go row by row; where there are more of them than dots
    in the plot, the fewer spikes a mark has, the paler it is.
    """
    heights = [min(1.6, max(0.4, of_stage.shape[1] / 40)) for of_stage in spikes.values()]
    figure = _empty(sum(heights) + 0.35 * len(heights) + 0.4, title)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (name, of_stage) in zip(panels, spikes.items(), strict=True):
        timesteps, channels = of_stage.shape[:2]
        rows = of_stage.transpose(1, 0, 2, 3).reshape(channels, -1)
        # More values than dots: each dot is a mean, so no spike is left out, and none runs into its neighbour.
        rows = rows.repeat(_times(RASTER_ROWS, channels, rows.size), 0)
        rows = rows.repeat(_times(RASTER_COLUMNS, rows.shape[1], rows.size), 1)
        # Drawn as opacity alone, so that it can be read on any ground.
        axes.imshow(
            rows, cmap=_inks(), vmin=0, vmax=1, aspect="auto", extent=(0, timesteps, channels, 0), interpolation_stage="data"
        )  # fmt: skip
        for timestep in range(1, timesteps):
            axes.axvline(timestep, color=STALL_OUT, linewidth=0.6)
        shown = range(0, timesteps, -(-timesteps // 16))
        axes.set_xticks([timestep + 0.5 for timestep in shown], [str(timestep) for timestep in shown])
        axes.set_yticks([0, channels], ["0", str(channels)])
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        axes.tick_params(axis="x", length=0, labelbottom=axes is panels[-1])
    panels[-1].set_xlabel("timestep")
    _save(figure, path)


def _times(wanted: int, there: int, values: int) -> int:
    """How often to repeat each of the rows or columns that are there, so that there are as many as wanted and memory suffices."""
    return max(1, min(-(-wanted // there), RASTER_VALUES // values))


def _inks() -> Any:
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    return LinearSegmentedColormap.from_list("spikes", [(*to_rgba(BUSY)[:3], 0.0), to_rgba(BUSY)])


def plot_points(
    points: list[tuple[str, float, float, float | None, float | None]],
    front: list[tuple[float, float]],
    labels: tuple[str, str],
    title: str,
    path: Target,
) -> None:
    """Points with a name, x, y and the spread of each (None for none). front: x and y of those that a line goes through."""
    figure, axes = _figure(3.2 + 0.2 * len(points), title)
    axes.set_prop_cycle(color=_colours(len(points)))
    if front:
        axes.plot(*zip(*front, strict=True), "--", color=STALL_IN, label="Pareto front", zorder=0)
    for name, x, y, x_spread, y_spread in points:
        axes.errorbar([x], [y], xerr=x_spread, yerr=y_spread, fmt="o", label=name)
    for axis, label in zip((axes.xaxis, axes.yaxis), labels, strict=True):
        _label(axis, label)
    if labels[0] not in SHARES:
        axes.set_xlim(left=0)
    _legend(figure, [name for name, *_ in points])
    _save(figure, path)


def plot_lines(lines: Mapping[str, Line], places: Sequence[str], label: str, title: str, path: Target) -> None:
    """Lines over named places, which stand in their order: values by line and place. A line skips places that
    it lacks; one without a name has no legend."""
    figure, axes = _figure(3.2 + 0.2 * len(lines), title)
    axes.set_prop_cycle(color=_colours(len(lines)))
    for name, values in lines.items():
        where = [place for place in places if place in values]
        means, spreads = zip(*((values[place][0], values[place][1] or 0.0) for place in where), strict=True)
        axes.errorbar([places.index(place) for place in where], means, yerr=spreads, fmt="o-", label=name)
    axes.set_xticks(range(len(places)), places, rotation=45)
    _label(axes.yaxis, label)
    if any(lines):
        _legend(figure, list(lines))
    _save(figure, path)


def plot_bars(bars: Mapping[str, Line], label: str, title: str, path: Target) -> None:
    """At each place a bar for each name: values by name and place, all of the same places."""
    places = list(next(iter(bars.values())))
    labels = [textwrap.fill(place, LABEL_LETTERS) for place in places]
    tallest = 1 + max(text.count("\n") for text in labels)
    figure, axes = _figure(1.4 + max(0.35, 0.1 + 0.15 * tallest) * len(places), title)
    height = 0.8 / len(bars)
    for number, (name, values) in enumerate(bars.items()):
        where = [place + (number - (len(bars) - 1) / 2) * height for place in range(len(places))]
        spreads = [spread or 0.0 for _, spread in values.values()]
        axes.barh(where, [value for value, _ in values.values()], height, xerr=spreads, label=name)
    axes.set_yticks(range(len(places)), labels, fontsize=9)
    axes.invert_yaxis()
    _label(axes.xaxis, label)
    axes.set_xlim(left=0)
    if len(bars) > 1:
        _legend(figure, list(bars))
    _save(figure, path)


def plot_intervals(intervals: Mapping[str, tuple[float, float, float]], label: str, title: str, path: Target) -> None:
    """A mean and its interval for each name, over a line at 0."""
    places = [textwrap.fill(name, LABEL_LETTERS) for name in intervals]
    tallest = 1 + max(text.count("\n") for text in places)
    figure, axes = _figure(1.4 + max(0.35, 0.1 + 0.15 * tallest) * len(places), title)
    axes.axvline(0, color=STALL_IN, zorder=0)
    for place, (middle, low, high) in enumerate(intervals.values()):
        axes.errorbar([middle], [place], xerr=[[middle - low], [high - middle]], fmt="o", color=BUSY)
    axes.set_yticks(range(len(places)), places, fontsize=9)
    axes.invert_yaxis()
    _label(axes.xaxis, label)
    _save(figure, path)


def _colours(count: int) -> list[Any]:
    """One for each of as many lines."""
    import matplotlib

    colours = matplotlib.colormaps["tab10" if count <= 10 else "tab20"]
    return [colours(number % colours.N) for number in range(count)]
