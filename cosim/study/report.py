"""The results of a study: means and spreads over seeds, as a table in Markdown, as CSV, and as plots."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from duospike.cosim.energy.model import drawn_ratio, memory_share, sensitivity
from duospike.cosim.markdown import markdown_table
from duospike.cosim.pages import plots
from duospike.cosim.synthesis.stage_areas import luts
from duospike.cosim.synthesis.synthesize import Area
from duospike.reference.errors import InputError, brief

from .pairs import PAIRED, Difference, counted, difference_text, is_pool, pair_rows, spike_counts, value_of

MEASURES = ("accuracy", "sparsity", "spikes", "spikes_in", "events", "synaptic_operations", "interval", "latency", "energy")
"""What the table lists of a point: per image, over all layers except pools. spikes_in: of all layers' inputs, as the paper
counts. interval and latency in cycles; energy in nJ, modelled."""
LATE_MEASURES = ("late_accuracy", "late_spikes")
"""Listed as well where epochs were examined: means over the last ones, see pairs.late()."""
AREA_MEASURES = ("luts", "block_ram", "static")
"""Listed as well where the accelerators were synthesised: areas on an UltraScale+, and static energy in nJ, modelled."""
ALL_MEASURES = (*MEASURES, *LATE_MEASURES, *AREA_MEASURES)
STAGE_MEASURES = ("lanes", "events", "busy", "stall_in", "stall_out", "busy_share")
"""Of a stage, an image: its cycles at work and waiting, see cycles.report.stage_rows()."""
PERCENT = ("accuracy", "sparsity", "late_accuracy")
RATIOS = ("ratio", "low", "high", "lowest", "highest")
"""What energy_ratio() gives."""


def measures(result: dict[str, Any]) -> dict[str, float]:
    """MEASURES of a point's result, and of LATE_MEASURES and AREA_MEASURES what it has."""
    counts = counted(result["layers"])
    slots = sum(one["slots"] for name, one in result["layers"].items() if not is_pool(name))
    found = {
        "accuracy": result["accuracy"],
        "sparsity": 1 - counts["spikes"] / slots,
        **counts,
        **{key: result[key] for key in ("interval", "latency", "energy")},
    }
    found |= {key: late for key in LATE_MEASURES if (late := value_of(result, key)) is not None}
    if "area" in result:
        area = Area(**result["area"])
        found |= {"luts": luts(area), "block_ram": area.block_ram, "static": result["static"]}
    return found


def summary(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for all points that differ in nothing but their seed: what they share of the settings that vary, seeds, and
    for each of MEASURES (and of the others, if any point has it) the mean, and under NAME_spread the standard deviation.

    None: the spread of a single seed, and what was not measured.
    """
    rows: list[dict[str, Any]] = []
    measured: set[str] = set()
    for shown, group in groups_of(results):
        found = [measures(result) for result in group]
        measured.update(*found)
        row = {**shown, "seeds": len(group)}
        for key in ALL_MEASURES:
            row |= _mean(key, [one[key] for one in found if key in one])
        rows.append(row)
    left_out = {name for key in ALL_MEASURES if key not in measured for name in (key, f"{key}_spread")}
    return [{key: value for key, value in row.items() if key not in left_out} for row in rows]


Group = tuple[dict[str, Any], list[dict[str, Any]]]
"""Settings that vary, and the results of all seeds."""


def groups_of(results: Iterable[dict[str, Any]]) -> list[Group]:
    """The results that differ in nothing but their seed, together, with the settings that vary from group to group.

    A trained network has other settings than one that was loaded: None for those that it has not. Results that other sources
    made are never in one group: where there are such, `sources` is among the settings.
    """
    results = [{**one, "settings": {**one["settings"], "sources": shown_sources(one)}} for one in results]
    keys = dict.fromkeys(key for one in results for key in one["settings"])
    shown = [key for key in keys if key != "seed" and len({str(one["settings"].get(key)) for one in results}) > 1]
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(str({key: value for key, value in result["settings"].items() if key != "seed"}), []).append(result)
    return [({key: group[0]["settings"].get(key) for key in shown}, group) for group in groups.values()]


def shown_sources(result: dict[str, Any]) -> str:
    """Which sources made a result, as digests of training and of measuring."""
    found = result.get("sources")
    return f"{found['training']}/{found['measuring']}" if found else "not recorded"


def _mean(key: str, values: list[float]) -> dict[str, float | None]:
    middle, spread = with_spread(values) if values else (None, None)
    return {key: middle, f"{key}_spread": spread}


def with_spread(values: list[float]) -> tuple[float, float | None]:
    """Mean and standard deviation, None for that of a single value."""
    return mean(values), stdev(values) if len(values) > 1 else None


def layer_rows(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each group of summary(), layer and timestep a row: the settings, seeds, layer, timestep, sparsity and its spread."""
    rows = []
    for shown, group in groups_of(results):
        for name, layer in group[0]["layers"].items():
            timesteps = len(layer["spikes"])
            for t in range(timesteps):
                silent = [1 - one["layers"][name]["spikes"][t] * timesteps / layer["slots"] for one in group]
                rows.append({**shown, "seeds": len(group), "layer": name, "timestep": t, **_mean("sparsity", silent)})
    return rows


def stage_rows(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each group of summary() and stage a row: the settings, seeds, stage, and for each of STAGE_MEASURES mean and spread."""
    rows = []
    for shown, group in groups_of(results):
        stages = [{stage["name"]: stage for stage in one["stages"]} for one in group]
        for name in stages[0]:
            row = {**shown, "seeds": len(group), "stage": name}
            for key in STAGE_MEASURES:
                row |= _mean(key, [one[name][key] for one in stages])
            rows.append(row)
    return rows


def energy_rows(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each group of summary() a row: the settings, seeds, energy, memory, the share of it that is access to memory, and what
    energy_ratio() gives of it and the first group."""
    groups = groups_of(results)
    return [
        {
            **shown,
            "seeds": len(group),
            "energy": mean(one["energy"] for one in group),
            "memory": mean(memory_share(one["energy_by"]) for one in group) if all("energy_by" in one for one in group) else None,
            **energy_ratio(group, groups[0][1]),
        }
        for shown, group in groups
    ]


def energy_ratio(group: list[dict[str, Any]], baseline: list[dict[str, Any]]) -> dict[str, float | None]:
    """ratio: the mean energy of the points of a group over that of the baseline's. low, high: ends of 95 % of its values with all
    coefficients of the energy model drawn at once. lowest, highest: its range with any one halved or doubled. None where the
    energy of a point is not known by coefficient."""
    ours, theirs = (mean(one["energy"] for one in points) for points in (group, baseline))
    found: dict[str, float | None] = {"ratio": ours / theirs}
    if not all("energy_by" in one for one in (*group, *baseline)):
        return {**found, **dict.fromkeys(RATIOS[1:])}
    names = group[0]["energy_by"]
    costs, others = ({name: mean(one["energy_by"][name] for one in points) for name in names} for points in (group, baseline))
    ratios = [ratio for pair in sensitivity(costs, others).values() for ratio in pair]
    _, low, high = drawn_ratio(costs, others)
    return {**found, "low": low, "high": high, "lowest": min(ratios), "highest": max(ratios)}


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The summary as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """The summary as a table, mean ± standard deviation over the seeds."""
    settings, measured = columns(rows)
    cells = [
        [*(setting_text(row[key]) for key in settings), *(measure_text(key, row[key], row[f"{key}_spread"]) for key in measured)]
        for row in rows
    ]
    return _markdown([*settings, *measured], cells)


def check_result(result: dict[str, Any], where: Path) -> None:
    """InputError: a result that was read again is not what a study writes. where: its file."""
    try:
        files_of({"": result})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError) as error:
        what = f"{type(error).__name__}: {error}"
        raise InputError(f"{where}: not a result; delete it to measure the point again ({brief(what)})") from None


def files_of(results: dict[str, dict[str, Any]], old: Collection[str] = ()) -> dict[str, str]:
    """The files of a study's results, by name, in the order in which they are to be written: results.json comes last, so that a
    study that is ended while it writes its first results has none without the tables made from them. Those without a row are left
    out. old: points that other sources made."""
    points = list(results.values())
    rows, energies = summary(points), energy_rows(points)
    mark = f"{len(old)} of {len(points)} points were made by other sources than today's: {'; '.join(old)}\n" if old else ""
    tables = {
        "summary.csv": rows,
        "layers.csv": layer_rows(points),
        "stages.csv": stage_rows(points),
        "energy.csv": energies,
        "pairs.csv": pairs_csv_rows(points),
        "epochs.csv": epoch_rows(points),
    }
    text = "\n".join(filter(None, [as_markdown(rows), pairs_markdown(points), energy_markdown(energies), mark]))
    return {
        **{name: as_csv(found) for name, found in tables.items() if found},
        "summary.md": text,
        "results.json": json.dumps(results, indent=2) + "\n",
    }


PAIRS_TITLE = (
    "Differences from the baseline in pairs of equal seed: mean ± standard error (95 % interval), bold or with a star where the "
    "interval excludes 0; a difference is found only there"
)


def pairs_markdown(results: Iterable[dict[str, Any]]) -> str:
    """pair_rows() as a table under its title; empty where no seed has a baseline."""
    rows = pair_rows(groups_of(results))
    if not rows:
        return ""
    keys = [key for key in SHOWN_PAIRS if key in rows[0]]
    settings = [key for key in rows[0] if key not in PAIRED]
    cells = [[*(setting_text(row[key]) for key in settings), *(pair_text(key, row[key]) for key in keys)] for row in rows]
    return f"{PAIRS_TITLE}:\n\n{_markdown([*settings, *(PAIRED[key] for key in keys)], cells)}"


def pair_text(key: str, found: Difference | None) -> str:
    return difference_text(found, "" if key == "accuracy" else " %")


SHOWN_PAIRS = ("accuracy", "spikes", "spikes_in", "late_spikes", "energy")
"""Of PAIRED what the table lists; the CSV has all."""


def pairs_csv_rows(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each of pair_rows() and measure a row: settings, against, measure, pairs, mean, error, low, high, by_seed."""
    rows = []
    for row in pair_rows(groups_of(results)):
        about = {key: value for key, value in row.items() if key not in PAIRED and key != "pairs"}
        for key in PAIRED:
            if found := row.get(key):
                low, high = found.interval or (None, None)
                seeds = " ".join(f"{seed}:{value:.4f}" for seed, value in found.values.items())
                ends = {
                    "pairs": found.pairs,
                    "mean": found.mean,
                    "error": found.error,
                    "low": low,
                    "high": high,
                    "by_seed": seeds,
                }
                rows.append({**about, "measure": key, **ends})
    return rows


def epoch_rows(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each group of summary() and epoch a row: settings, seeds, epoch, mean and spread of accuracy, spikes and spikes_in."""
    rows = []
    for shown, group in groups_of(results):
        for number in range(min(len(one.get("per_epoch", [])) for one in group)):
            found = [one["per_epoch"][number] for one in group]
            counts = [spike_counts(one["spikes"]) for one in found]
            row = {**shown, "seeds": len(group), "epoch": found[0]["epoch"]}
            row |= _mean("accuracy", [one["test_accuracy"] for one in found])
            for key in ("spikes", "spikes_in"):
                row |= _mean(key, [one[key] for one in counts])
            rows.append(row)
    return rows


ENERGY_TITLE = (
    "Energy over that of the first row; low and high hold 95 % of the ratios with all coefficients drawn at once between half "
    "and twice their values, lowest and highest all with any one halved or doubled; memory is its share of the energy"
)


def energy_markdown(rows: list[dict[str, Any]]) -> str:
    """energy_rows() as a table under its title."""
    cells = [[energy_text(key, value) for key, value in row.items()] for row in rows]
    return f"{ENERGY_TITLE}:\n\n{_markdown(list(rows[0]), cells)}"


def energy_text(key: str, value: Any) -> str:
    """A cell of energy_rows(): energy in whole nJ, ratios with two digits, - for none."""
    if key == "energy":
        return measure_text(key, value, None)
    if key == "memory":
        return "-" if value is None else f"{value:.0%}"
    if key in RATIOS:
        return "-" if value is None else f"{value:.2f}"
    return setting_text(value)


def _markdown(head: list[str], cells: list[list[str]]) -> str:
    return markdown_table([name.replace("_", " ") for name in head], cells) + "\n"


def setting_text(value: Any) -> str:
    """A setting, - for none."""
    return "-" if value is None else str(value)


def columns(rows: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Of a summary, what is no measure (settings that vary, and seeds) and what is one."""
    measured = [key for key in ALL_MEASURES if key in rows[0]]
    return [key for key in rows[0] if key not in measured and not key.endswith("_spread")], measured


def measure_text(key: str, value: float | None, spread: float | None) -> str:
    """A measure as text: mean ± standard deviation, in percent or whole numbers; - for none."""
    if value is None:
        return "-"
    scale, digits, unit = (100, 2, " %") if key in PERCENT else (1, 1 if key == "block_ram" else 0, "")
    ending = "" if spread is None else f" ± {spread * scale:.{digits}f}"
    return f"{value * scale:.{digits}f}{ending}{unit}"


def plot_all(results: list[dict[str, Any]], folder: Path) -> list[str]:
    """Write the plots of a study to a folder; returns their names."""
    found = drawings(results)
    for name, (_, plot) in found.items():
        plot(folder / name)
    return list(found)


def drawings(results: list[dict[str, Any]]) -> dict[str, tuple[str, Callable[[plots.Target], None]]]:
    """The plots of a study by the names of their files: of each its title, and what draws it to a path or an open file."""
    rows, groups = summary(results), groups_of(results)
    found: dict[str, tuple[str, Callable[[plots.Target], None]]] = {}
    for key, title, name in (("energy", "nJ an image, modelled", "pareto.svg"), ("sparsity", "sparsity", "accuracy.svg")):
        points = [(label_of(row), row[key], row["accuracy"], row[f"{key}_spread"], row["accuracy_spread"]) for row in rows]
        heading, front = f"Accuracy against {key}", _front(rows) if key == "energy" else []
        found[name] = heading, partial(plots.plot_points, points, front, (title, "accuracy"), heading)
    if lines := _by_bits(groups):
        bits = sorted({place for places in lines.values() for place in places}, key=_float_last)
        accuracy: dict[str, plots.Line] = {
            label: {place: with_spread([one["accuracy"] for one in group]) for place, group in places.items()}
            for label, places in lines.items()
        }
        found["bits.svg"] = _lines(accuracy, bits, "accuracy", "Accuracy against weight bits")
        label, places = next(iter(lines.items()))
        of_layers: dict[str, plots.Line] = {
            name: {place: _layer_sparsity(group, name) for place, group in places.items()}
            for name in next(iter(places.values()))[0]["layers"]
        }
        title = "Sparsity of each layer against weight bits"
        found["layers.svg"] = _lines(of_layers, bits, "sparsity", f"{title}, {label}" if label else title)
    sparsity: dict[str, plots.Line] = {
        label_of(shown): {name: _layer_sparsity(group, name) for name in group[0]["layers"]} for shown, group in groups
    }
    found["sparsity.svg"] = _lines(
        sparsity, list(dict.fromkeys(name for one in results for name in one["layers"])), "sparsity", "Sparsity of each layer"
    )
    if saved := _intervals(groups):
        title = "Spikes saved, in pairs of equal seed"
        found["pairs.svg"] = title, partial(plots.plot_intervals, saved, "% of the baseline's spikes, 95 % interval", title)
    found |= _epoch_plots(groups)
    labels = [label_of(row) for row in rows]
    for name, unit, keys, title in COSTS:
        costs: dict[str, plots.Line] = {
            key: {label: (row[key], row[f"{key}_spread"]) for label, row in zip(labels, rows, strict=True)} for key in keys
        }
        found[name] = title, partial(plots.plot_bars, costs, unit, title)
    return found


def _intervals(groups: list[Group]) -> dict[str, tuple[float, float, float]]:
    """By row, the spikes that it saves with the interval's ends; without rows of a single pair."""
    found = {}
    for row in pair_rows(groups):
        difference = row["spikes"]
        if difference and difference.interval:
            settings = {key: value for key, value in row.items() if key not in (*PAIRED, "against", "pairs")}
            found[f"{label_of(settings)} against {row['against']}"] = (difference.mean, *difference.interval)
    return found


def _epoch_plots(groups: list[Group]) -> dict[str, tuple[str, Callable[[plots.Target], None]]]:
    """Spikes and accuracy after each epoch, with their spread over the seeds; none where epochs were not examined."""
    lines: dict[str, dict[str, plots.Line]] = {"accuracy": {}, "spikes": {}}
    for shown, group in groups:
        for row in epoch_rows(group):
            for key, of_groups in lines.items():
                place = of_groups.setdefault(label_of(shown), {})
                of_groups[label_of(shown)] = {**place, str(row["epoch"]): (row[key], row[f"{key}_spread"])}
    epochs = list(dict.fromkeys(place for line in lines["spikes"].values() for place in line))
    return {
        f"epochs-{key}.svg": _lines(of_groups, epochs, label, f"{key.capitalize()} after each epoch")
        for (key, of_groups), label in zip(lines.items(), ("accuracy", "spikes an image"), strict=True)
        if len(epochs) > 1
    }


COSTS = (
    ("latency.svg", "cycles", ("latency", "interval"), "Latency of an image, and interval between images"),
    ("energy.svg", "nJ an image, modelled", ("energy",), "Energy of an image"),
)
"""Plots of what each group costs: file, unit, measures, title."""


def _float_last(bits: str) -> float:
    """Sorts weight bits, given as text."""
    return float("inf") if bits == "float" else int(bits)


def _lines(lines: dict[str, plots.Line], places: list[str], label: str, title: str) -> tuple[str, Callable[[plots.Target], None]]:
    return title, partial(plots.plot_lines, lines, places, label, title)


def _front(rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """Energy and accuracy of the rows that no other one equals in both and betters in one, by energy."""
    found: list[tuple[float, float]] = []
    for energy, accuracy in sorted(((row["energy"], row["accuracy"]) for row in rows), key=lambda one: (one[0], -one[1])):
        if not found or accuracy > found[-1][1]:
            found.append((energy, accuracy))
    return found


def _by_bits(groups: list[Group]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Groups that differ in nothing but their weight bits: by what else is varied, and by bits."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for shown, group in groups:
        others = {key: value for key, value in shown.items() if key != "weight_bits"}
        found.setdefault(label_of(others), {})[str(shown.get("weight_bits"))] = group
    return {label: places for label, places in found.items() if len(places) > 1}


def _layer_sparsity(group: list[dict[str, Any]], name: str) -> tuple[float, float | None]:
    return with_spread([one["layers"][name]["sparsity"] for one in group])


def label_of(row: dict[str, Any]) -> str:
    """What a row's settings are, in few words."""
    skip = {name for key in ("seeds", *ALL_MEASURES) for name in (key, f"{key}_spread")}
    return ", ".join(
        str(value) if key == "coding" else f"{key} {value}" for key, value in row.items() if key not in skip and value is not None
    )
