"""What a penalty on spikes, the threshold and the leak do to cycles and accuracy; --write: into docs/.

python -m benchmarks.studies.sparsity [--run] [--again POINT] [--results runs/fashion-sparsity-study] [--write]

The options are those of benchmarks.studies.study.
"""

from __future__ import annotations

import sys
from dataclasses import asdict

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import comment
from benchmarks.studies.study import KEPT, Row, finished_results, keep, measure_text, of, read_record
from duospike.cosim.study.pairs import difference_text, paired
from duospike.cosim.study.report import summary
from duospike.cosim.study.study_file import Point

NAME = "sparsity"
STUDY = ROOT / "models" / "fashion-sparsity-study.toml"
KNOBS = {"spike_penalty": "Penalty on spikes", "threshold": "Threshold", "beta": "Leak, beta"}


def main() -> int:
    args, results, points = finished_results(__doc__, STUDY, NAME)
    text = f"{comment(NAME, read_record(args.results))}\n\n{page(results, points)}"
    print(text)
    if args.write:
        write_section(NAME, text)
        keep(args.results, KEPT / STUDY.stem)
    return 0


def page(results: list[Row], points: list[Point]) -> str:
    """The section: how much is finished, and a table for each knob, of the points that differ from the first in it alone."""
    base = asdict(points[0])
    rows = [{**{key: results[0]["settings"][key] for key in KNOBS}, **row} for row in summary(results)]
    head = (
        f"{len(results)} of the {len(points)} points of `models/{STUDY.name}`, on {machine()}: {base['architecture']}, int4, "
        f"T={base['timesteps']}, {base['epochs']} epochs, {results[0]['lanes']} lanes, accuracy and spikes of "
        f"{results[0]['images']:,} test images, cycles of the first {results[0]['cycle_images']}. Means over the seeds, ± the "
        "standard deviation. Points won and cycles saved are means over pairs of equal seed, ± their standard error "
        "(95 % interval), bold where the interval excludes 0."
    )
    tables = []
    for knob, title in KNOBS.items():
        others = [key for key in KNOBS if key != knob]
        found = [row for row in rows if all(row[key] == base[key] for key in others)]
        found.sort(key=lambda row: value(row[knob]))
        first = [row for row in found if row[knob] == base[knob]]
        if first and len(found) > 1:
            shown = [[str(row[knob]), *cells(row, first[0], results)] for row in found]
            tables.append(table(title, [f"`{knob}`", *COLUMNS], shown))
    return "\n\n".join([head, *tables])


COLUMNS = ("seeds", "accuracy", "points won", "sparsity", "interval, cycles", "cycles saved", "latency, cycles")


def cells(row: Row, first: Row, results: list[Row]) -> list[str]:
    """COLUMNS of a row, beside the row of the base's value; differences are of pairs of equal seed among the results."""
    ours, base = (of(results, **{knob: one[knob] for knob in KNOBS}) for one in (row, first))

    def difference(key: str, unit: str) -> str:
        return "-" if row is first else difference_text(paired(ours, base, key), unit)

    return [
        str(row["seeds"]),
        measure_text(row, "accuracy", 100, 2, " %"),
        difference("accuracy", ""),
        measure_text(row, "sparsity", 100, 2, " %"),
        measure_text(row, "interval"),
        difference("interval", " %"),
        measure_text(row, "latency"),
    ]


def value(setting: float | str) -> float:
    """A setting as a number, 5/32 too."""
    numerator, _, denominator = str(setting).partition("/")
    return float(numerator) / float(denominator or 1)


if __name__ == "__main__":
    sys.exit(main())
