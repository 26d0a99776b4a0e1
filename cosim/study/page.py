"""One HTML page of a study, in the style of the runs' page: means and spreads, plots, each point's settings, versions, hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duospike.cosim.pages.run_files import RunFile
from duospike.cosim.pages.run_page import Block, Cell, Fact, Heading, Line, Rows, Section, Table, draw, naming, render, section_of
from duospike.reference.files import digest_of

from .measure import MODEL
from .pairs import PAIRED, Difference, pair_rows
from .report import (
    ENERGY_TITLE,
    PAIRS_TITLE,
    SHOWN_PAIRS,
    columns,
    drawings,
    energy_rows,
    energy_text,
    groups_of,
    label_of,
    measure_text,
    measures,
    pair_text,
    summary,
)


def make_study_page(study: RunFile) -> str:
    """The page of the results of a study as HTML. InputError: the file is not what `duospike study` writes."""
    with naming(study):
        results = study.content
        rows = summary(results.values())
        sections = [
            section_of(
                "summary",
                "Means and spreads",
                [summary_table(rows), *pairs_tables(list(results.values())), energy_table(list(results.values()))],
            ),
            _plots(list(results.values())),
            section_of("points", "Points and settings", point_blocks(results)),
            section_of("origin", "Versions and hashes", origin_blocks(study)),
        ]
        return render([str(study.folder)], heading(results), [], facts(results, rows), sections)


def heading(results: dict[str, dict[str, Any]]) -> Heading:
    """How many networks on which data sets, and what varies."""
    settings = [result["settings"] for result in results.values()]
    data = ", ".join(dict.fromkeys(str(one["dataset"]) for one in settings if "dataset" in one))
    keys = dict.fromkeys(key for one in settings for key in one)
    varied = [key.replace("_", " ") for key in keys if len({str(one.get(key)) for one in settings}) > 1]
    title = f"Study of {len(results)} networks" + (f" on {data}" if data else "")
    return Heading(title, (f"What varies: {', '.join(varied)}",) if varied else ())


def summary_table(rows: list[dict[str, Any]]) -> Table:
    """summary() with a cell for mean and spread of each measure; its value is the mean."""
    settings, measured = columns(rows)
    cells: Rows = [
        [
            *(_text(row[key]) for key in settings),
            *(Cell(measure_text(key, row[key], row[f"{key}_spread"]), row[key]) for key in measured),
        ]
        for row in rows
    ]
    title = "Mean ± standard deviation over the seeds; of an image, interval and latency in cycles, energies in nJ, modelled"
    return Table(title, [key.replace("_", " ") for key in (*settings, *measured)], cells)


def pairs_tables(results: list[dict[str, Any]]) -> list[Block]:
    """pair_rows() as a table, each cell with its mean; none where no seed has a baseline."""
    rows = pair_rows(groups_of(results))
    if not rows:
        return []
    keys = [key for key in SHOWN_PAIRS if key in rows[0]]
    settings = [key for key in rows[0] if key not in PAIRED]
    cells: Rows = [[*(_text(row[key]) for key in settings), *(_difference(key, row[key]) for key in keys)] for row in rows]
    return [Table(PAIRS_TITLE, [key.replace("_", " ") for key in settings] + [PAIRED[key] for key in keys], cells)]


def _difference(key: str, found: Difference | None) -> Cell:
    """Pages have no bold cells: what is found has a star."""
    text = pair_text(key, found)
    return Cell(f"{text.strip('*')} *" if text.startswith("*") else text, found.mean if found else None)


def energy_table(results: list[dict[str, Any]]) -> Table:
    """energy_rows(), each number with its value."""
    rows = energy_rows(results)
    cells: Rows = [
        [Cell(energy_text(key, value), value) if isinstance(value, float) else _text(value) for key, value in row.items()]
        for row in rows
    ]
    return Table(ENERGY_TITLE, [key.replace("_", " ") for key in rows[0]], cells)


def _text(value: object) -> str | int | None:
    return value if isinstance(value, int | None) and not isinstance(value, bool) else str(value)


def _plots(results: list[dict[str, Any]]) -> Section:
    return section_of("plots", "Plots", [draw(title, plot, count=len(results)) for title, plot in drawings(results).values()])


def point_blocks(results: dict[str, dict[str, Any]]) -> list[Block]:
    """What each point has by itself, and the settings that all of them share."""
    measured = {name: measures(result) for name, result in results.items()}
    keys = list(dict.fromkeys(key for one in measured.values() for key in one))
    rows: Rows = [
        [name, *(Cell(measure_text(key, found.get(key), None), found.get(key)) for key in keys)]
        for name, found in measured.items()
    ]
    first, *others = results.values()
    about = {key: first[key] for key in ("lanes", "cycle_images", "clock_mhz", "images")}
    about |= {key: value for key, value in first["settings"].items() if all(one["settings"].get(key) == value for one in others)}
    shared: Rows = [[key.replace("_", " "), _text(value)] for key, value in about.items()]
    return [
        Table("Each point", ["point", *(key.replace("_", " ") for key in keys)], rows),
        Table("What all points share", [], shared),
    ]


def origin_blocks(study: RunFile) -> list[Block]:
    """Versions with which the points were measured, and hashes of the results and of the points' model files."""
    rows: Rows = [["command", "duospike study"], [f"SHA-256 of {study.name}", study.sha256]]
    by_program: dict[str, list[str]] = {}
    for result in study.content.values():
        for program, number in result.get("generator", {}).items():
            by_program.setdefault(program, []).append(str(number))
    rows += [[f"version of {program}", ", ".join(dict.fromkeys(numbers))] for program, numbers in by_program.items()]
    blocks: list[Block] = [Table("Where it is from", [], rows)]
    silent = sum("generator" not in result for result in study.content.values())
    if silent:
        blocks.append(Line(f"{silent} points do not say with which versions; they were measured by an earlier one.", "missing"))
    models: Rows = [[name, _model_hash(study.folder / "points", name)] for name in study.content]
    return [*blocks, Table("Model files of the points; float twins have none", ["point", "SHA-256"], models)]


def _model_hash(points: Path, name: str) -> str | None:
    """None: there is no such file, or the name leads out of the folder."""
    path = points / name / MODEL
    is_within = path.parent.resolve().parent == points.resolve()
    return digest_of(path) if is_within and path.is_file() else None


def facts(results: dict[str, dict[str, Any]], rows: list[dict[str, Any]]) -> list[Fact]:
    """How many points, and which of the summary's rows has the highest accuracy and which the lowest of each cost."""
    found = [Fact("Points", Cell(str(len(results)), len(results)), f"{len(rows)} settings, over their seeds")]
    best = max(rows, key=lambda row: row["accuracy"])
    accuracy = Cell(measure_text("accuracy", best["accuracy"], None), best["accuracy"])
    found.append(Fact("Highest accuracy", accuracy, label_of(best)))
    for key, title in (("interval", "Shortest interval, cycles"), ("energy", "Least energy, nJ an image")):
        least = min(rows, key=lambda row: row[key])
        found.append(Fact(title, Cell(measure_text(key, least[key], None), least[key]), label_of(least)))
    return found
