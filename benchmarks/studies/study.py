"""Puts the finished points of the study of models/fashion-study.toml beside the paper's findings; --write: into docs/.

python -m benchmarks.studies.study [--run] [--again POINT] [--results runs/fashion-study] [--write]

--run goes on with the study first; --again measures one point again, and if it gives what it gave, the other points count as
measured from the sources of today. --write also keeps the results in benchmarks/results/, which --results takes, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import Measurement, begin, comment
from duospike.cosim.folder import temporary_folder
from duospike.cosim.study.measure import RESULT
from duospike.cosim.study.pairs import difference_text, paired
from duospike.cosim.study.report import energy_ratio, plot_all, summary, with_spread
from duospike.cosim.study.study_file import Point, read_study
from duospike.reference.files import write_atomically
from duospike.scripts.study import measure

NAME = "study"
"""Of the figures, and of their section in docs/."""
STUDY = ROOT / "models" / "fashion-study.toml"
PLOTS = {"pareto.svg": "study-pareto.svg", "layers.svg": "study-layers.svg"}
"""Those of the study that the page shows, and their names beside it."""
KEPT, MEASURED = ROOT / "benchmarks" / "results", "measured.json"

SETTINGS = ("weight_bits", "timesteps", "coding", "epochs")

Row = dict[str, Any]


def main() -> int:
    args, results, points = finished_results(__doc__, STUDY, NAME)
    text = f"{comment(NAME, read_record(args.results))}\n\n{page(results, len(points))}"
    print(text)
    if args.write:
        docs = write_section(NAME, text).parent
        with temporary_folder() as drawn:
            for name in PLOTS.keys() & set(plot_all(results, drawn)):
                shutil.copy(drawn / name, docs / PLOTS[name])
        keep(args.results, KEPT / STUDY.stem)
    return 0


def finished_results(usage: str | None, study: Path, name: str) -> tuple[argparse.Namespace, list[Row], list[Point]]:
    """The command line of a page of a study, the results of its finished points, in the study's order, and all its points.

    name: of its figures.
    """
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "runs" / study.stem, help="folder of the study")
    parser.add_argument("--run", action="store_true", help="train and measure what is not finished, which takes hours")
    parser.add_argument("--again", metavar="POINT", help="measure a finished point again, and compare")
    parser.add_argument("--write", action="store_true", help="put the figures and plots into docs/")
    args, points = parser.parse_args(), read_study(study).points
    if args.again and not (args.results / "points" / args.again / RESULT).exists():
        parser.error(f"{args.again!r} is no finished point of {args.results}")
    if args.run:
        go_on(study, args.results, begin(name))
    if args.again:
        measure_again(args.again, study, args.results, begin(name))
    paths = [args.results / "points" / point / RESULT for point in points]
    results = [json.loads(path.read_text()) for path in paths if path.exists()]
    if not results:
        parser.error(f"{args.results}: no point is finished")
    return args, results, list(points.values())


def go_on(study: Path, folder: Path, measurement: Measurement) -> None:
    """Run `duospike study`; SystemExit if it fails, or if finished points were measured from other sources."""
    if (folder / "points").exists() and (read_record(folder) or {}).get("sources") != measurement.sources:
        raise SystemExit(
            f"{folder}: its points were measured from other sources than those of today; remove it to measure all of them, "
            "or measure one with --again"
        )
    write_record(folder, measurement)
    done = subprocess.run([sys.executable, "-m", "duospike", "study", study, "--out", folder], cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{folder}: the study is not finished")


def measure_again(point: str, study: Path, folder: Path, measurement: Measurement) -> None:
    """Train and measure a point from nothing; SystemExit unless all that its result holds is the same, versions left out."""
    before = json.loads((folder / "points" / point / RESULT).read_text())
    with temporary_folder() as place:
        after = measure(lambda step: print(step, file=sys.stderr, flush=True), point, read_study(study), None, place)
    after = json.loads(json.dumps(after))
    different = [key for key in before if key != "generator" and after.get(key) != before[key]]
    if different:
        raise SystemExit(f"{point}: {', '.join(different)} is not what it was; remove {folder} and measure all points")
    write_record(folder, measurement)


def write_record(folder: Path, measurement: Measurement) -> None:
    """Say in the folder from which sources its points are; the seconds of runs that were stopped are not known."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {**measurement.record(), "seconds": None}
    write_atomically(folder / MEASURED, (json.dumps(record, indent=2) + "\n").encode())


def read_record(folder: Path) -> Row | None:
    """The record of the sources of a folder's points; None if there is none."""
    path = folder / MEASURED
    return json.loads(path.read_text()) if path.exists() else None


def keep(folder: Path, place: Path) -> None:
    """Copy the results of points, and what they were measured from, without models and checkpoints."""
    for path in [*folder.glob(f"points/*/{RESULT}"), *folder.glob(MEASURED)]:
        copy = place / path.relative_to(folder)
        if copy.resolve() != path.resolve():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)


def page(results: list[Row], planned: int) -> str:
    """The section: how much is finished, what was found by question, and the paper's findings beside it."""
    first = results[0]
    # A row holds only what varies among the results; the tables also list settings that need not vary.
    rows = [{**{key: first["settings"][key] for key in SETTINGS}, **row} for row in summary(results)]
    head = (
        f"{len(results)} of the {planned} points of `models/fashion-study.toml`, on {machine()}: "
        f"{first['settings']['architecture']}, {first['lanes']} lanes, accuracy and spikes of {first['images']:,} test images, "
        f"cycles and energy of the first {first['cycle_images']}. Means over the seeds, ± the standard deviation. What is "
        "saved is a mean over pairs of equal seed, ± its standard error (95 % interval), bold where the interval excludes 0."
    )
    tables = [precision(rows, results), layers(results), timesteps(rows, results), coding(rows), paper(rows, results)]
    return "\n\n".join([head, *(one for one in tables if one)])


COLUMNS: dict[str, Callable[[Row], str]] = {
    "seeds": lambda row: str(row["seeds"]),
    "epochs": lambda row: str(row["epochs"]),
    "accuracy": lambda row: measure_text(row, "accuracy", 100, 2, " %"),
    "sparsity": lambda row: measure_text(row, "sparsity", 100, 2, " %"),
    "spikes an image": lambda row: measure_text(row, "spikes"),
    "synaptic operations": lambda row: measure_text(row, "synaptic_operations"),
    "interval, cycles": lambda row: measure_text(row, "interval"),
    "latency, cycles": lambda row: measure_text(row, "latency"),
    "nJ, modelled": lambda row: measure_text(row, "energy"),
}


def measure_text(row: Row, key: str, scale: float = 1, digits: int = 0, unit: str = "") -> str:
    """Mean and spread of a measure."""
    spread = row[f"{key}_spread"]
    ending = "" if spread is None else f" ± {spread * scale:,.{digits}f}"
    return f"{row[key] * scale:,.{digits}f}{ending}{unit}"


def chosen(rows: list[Row], **wanted: object) -> list[Row]:
    """Rows whose settings are those wanted."""
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def of(results: list[Row], **wanted: object) -> list[Row]:
    """Results whose settings are those wanted."""
    return [one for one in results if chosen([one["settings"]], **wanted)]


def precision(rows: list[Row], results: list[Row]) -> str:
    """Weight bits, direct coding, T=2."""
    found = chosen(rows, coding="direct", timesteps=2, epochs=longest(rows))
    twins = chosen(found, weight_bits="float")
    if not twins or len(found) < 2:
        return ""
    twin = twins[0]
    found.sort(key=lambda row: -33 if row["weight_bits"] == "float" else -row["weight_bits"])
    lines = [
        [
            str(row["weight_bits"]),
            *cells(row),
            *(saved(results, row, twin, key) for key in ("spikes", "spikes_in")),
            f"{twin['energy'] / row['energy']:.2f}",
        ]
        for row in found
    ]
    columns = ["bits", *COLUMNS, "spikes saved", "saved by the paper's counting", "energy of float over this"]
    return table("Precision: direct coding, T=2", columns, lines)


def layers(results: list[Row]) -> str:
    """Sparsity of each layer by weight bits, direct coding, T=2."""
    epochs = max(one["settings"]["epochs"] for one in results)
    found = {
        bits: of(results, coding="direct", timesteps=2, epochs=epochs, weight_bits=bits) for bits in ("float", 8, 6, 4, 3, 2)
    }
    found = {bits: points for bits, points in found.items() if points}
    if len(found) < 2:
        return ""
    lines = []
    for name in results[0]["layers"]:
        silent = [with_spread([one["layers"][name]["sparsity"] for one in points]) for points in found.values()]
        rows = [{"sparsity": middle, "sparsity_spread": spread} for middle, spread in silent]
        lines.append([name, *(measure_text(row, "sparsity", 100, 1, " %") for row in rows)])
    return table(
        "Sparsity of each layer: direct coding, T=2",
        ["layer", *("float" if bits == "float" else f"{bits} bits" for bits in found)],
        lines,
    )


def timesteps(rows: list[Row], results: list[Row]) -> str:
    """Timesteps, direct coding, 4 bits."""
    found = sorted(chosen(rows, coding="direct", weight_bits=4, epochs=longest(rows)), key=lambda row: row["timesteps"])
    twos = chosen(found, timesteps=2)
    lines = [[str(row["timesteps"]), *cells(row), saved(results, row, twos[0], "accuracy") if twos else "-"] for row in found]
    title = "Timesteps: direct coding, 4 bits"
    return table(title, ["T", *COLUMNS, "points won over T=2"], lines) if len(found) > 1 else ""


def coding(rows: list[Row]) -> str:
    """Direct coding, T=2, against rate coding, after as many epochs."""
    lines = [[row["coding"], str(row["timesteps"]), *cells(row)] for row in codings(rows)]
    return table("Coding: 4 bits, as many epochs each", ["coding", "T", *COLUMNS], lines) if lines else ""


def codings(rows: list[Row]) -> list[Row]:
    """Direct coding with T=2 and rate coding after as many epochs, 4 bits; nothing while one of them is not finished."""
    for other in chosen(rows, coding="rate", weight_bits=4):
        for ours in chosen(rows, coding="direct", weight_bits=4, timesteps=2, epochs=other["epochs"]):
            return [ours, other]
    return []


def saved(results: list[Row], row: Row, twin: Row, key: str) -> str:
    """What a row saves of a measure in pairs with another, or wins of accuracy; - for that one itself."""
    ours, theirs = (of(results, **{name: one[name] for name in SETTINGS}) for one in (row, twin))
    return "-" if row is twin else difference_text(paired(ours, theirs, key), "" if key == "accuracy" else " %")


def modelled(results: list[Row], more: Row, less: Row) -> str:
    """The energy of a row over that of another, and its range, where the points give their energy by coefficient."""
    found = energy_ratio(*(of(results, **{key: row[key] for key in SETTINGS}) for row in (more, less)))
    if found["lowest"] is None:
        return f"{found['ratio']:.2f} (modelled)"
    drawn, single = (f"{found[low]:.2f} to {found[high]:.2f}" for low, high in (("low", "high"), ("lowest", "highest")))
    return (
        f"{found['ratio']:.2f} (modelled), {drawn} with all coefficients drawn at once, {single} with any one halved or doubled"
    )


def longest(rows: list[Row]) -> int:
    return max(row["epochs"] for row in rows)


def cells(row: Row) -> list[str]:
    return [text(row) for text in COLUMNS.values()]


def paper(rows: list[Row], results: list[Row]) -> str:
    """The findings of the paper and ours; results: of the points, for what the energies depend on."""
    lines = []
    direct = chosen(rows, coding="direct", timesteps=2, epochs=longest(rows))
    for ours, twin in zip(chosen(direct, weight_bits=4), chosen(direct, weight_bits="float"), strict=False):
        lines += [
            ["spikes fewer by int4 than by float", "6.1, 10.1, 15.2 %", saved(results, ours, twin, "spikes")],
            ["the same by the paper's counting", "6.1, 10.1, 15.2 %", saved(results, ours, twin, "spikes_in")],
            ["energy of float over int4", "up to 3.4", modelled(results, twin, ours)],
        ]
    if pair := codings(rows):
        ours, other = pair
        lines += [
            ["accuracy of direct T=2 above rate T=25, points", "10", saved(results, ours, other, "accuracy")],
            ["energy of rate T=25 over direct T=2", "26.4", modelled(results, other, ours)],
        ]
    return table("Beside the paper (SVHN, CIFAR-10, CIFAR-100)", ["finding", "paper", "here"], lines) if lines else ""


if __name__ == "__main__":
    sys.exit(main())
