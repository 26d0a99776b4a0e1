"""The results of a study: means and spreads over seeds, as a table in Markdown, as CSV, and as plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from . import plots

MEASURES = ("accuracy", "sparsity", "spikes", "events", "synaptic_operations", "interval", "latency", "energy")
"""What is told of a point: of an image, over all layers but pools. interval and latency in cycles; energy in nJ, modelled."""
PERCENT = ("accuracy", "sparsity")


def measures(result: dict[str, Any]) -> dict[str, float]:
    """MEASURES of a point's result."""
    layers = [one for name, one in result["layers"].items() if not name.startswith("pool")]
    spikes = sum(sum(one["spikes"]) for one in layers)
    return {
        "accuracy": result["accuracy"],
        "sparsity": 1 - spikes / sum(one["slots"] for one in layers),
        "spikes": spikes,
        **{key: sum(one[key] for one in layers) for key in ("events", "synaptic_operations")},
        **{key: result[key] for key in ("interval", "latency", "energy")},
    }


def summary(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for all points that differ in nothing but their seed: what they share of the settings that vary, seeds, and
    for each of MEASURES the mean, and under NAME_spread the standard deviation, None for a single seed."""
    results = list(results)
    shown = [key for key in results[0]["settings"] if key != "seed" and len({str(one["settings"][key]) for one in results}) > 1]
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(str({key: value for key, value in result["settings"].items() if key != "seed"}), []).append(result)
    rows = []
    for group in groups.values():
        found = [measures(result) for result in group]
        row: dict[str, Any] = {key: group[0]["settings"][key] for key in shown} | {"seeds": len(group)}
        for key in MEASURES:
            values = [one[key] for one in found]
            row |= {key: mean(values), f"{key}_spread": stdev(values) if len(values) > 1 else None}
        rows.append(row)
    return rows


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The summary as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The summary as a table, mean ± standard deviation over the seeds."""
    settings = [key for key in rows[0] if key not in MEASURES and not key.endswith("_spread")]
    lines = ["| " + " | ".join([*settings, *MEASURES]).replace("_", " ") + " |", "|" + "---|" * (len(settings) + len(MEASURES))]
    for row in rows:
        cells = [str(row[key]) for key in settings] + [_told(key, row[key], row[f"{key}_spread"]) for key in MEASURES]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _told(key: str, value: float, spread: float | None) -> str:
    scale, digits, unit = (100, 2, " %") if key in PERCENT else (1, 0, "")
    ending = "" if spread is None else f" ± {spread * scale:.{digits}f}"
    return f"{value * scale:.{digits}f}{ending}{unit}"


def plot_all(results: list[dict[str, Any]], folder: Path) -> list[str]:
    """Write the plots of a study to a folder; returns their names."""
    rows = summary(results)
    for key, title, name in (("energy", "nJ an image, modelled", "pareto.svg"), ("sparsity", "sparsity", "accuracy.svg")):
        points = [(_label(row), row[key], row["accuracy"], row[f"{key}_spread"], row["accuracy_spread"]) for row in rows]
        plots.plot_points(points, (title, "accuracy"), f"Accuracy against {key}", folder / name)
    by_layer: dict[str, dict[str, list[float]]] = {}
    for result in results:
        label = _label({key: value for key, value in result["settings"].items() if key in rows[0]})
        for name, one in result["layers"].items():
            by_layer.setdefault(label, {}).setdefault(name, []).append(one["sparsity"])
    sparsity = {label: {name: mean(values) for name, values in layers.items()} for label, layers in by_layer.items()}
    plots.plot_lines(sparsity, "sparsity", "Sparsity of each layer", folder / "sparsity.svg")
    cost = {key: {_label(row): row[key] for row in rows} for key in ("latency", "interval")}
    plots.plot_lines(cost, "cycles", "Latency of an image, and interval between images", folder / "latency.svg")
    return ["pareto.svg", "accuracy.svg", "sparsity.svg", "latency.svg"]


def _label(row: dict[str, Any]) -> str:
    """What a row's settings are, in few words."""
    skip = {"seeds", *MEASURES, *(f"{key}_spread" for key in MEASURES)}
    return ", ".join(str(value) if key == "coding" else f"{key} {value}" for key, value in row.items() if key not in skip)
