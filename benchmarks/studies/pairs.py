"""Quantized networks against their float twins in pairs of equal seed, of all studies that are kept; --write: into docs/.

python -m benchmarks.studies.pairs [--take FOLDER] [--write]

--take first copies the results of finished points to benchmarks/results/, from a folder in which `duospike study` works or
worked; its study is the file of that name in models/. So a further pair needs this command alone.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.figures.page import ROOT, table, write_section
from benchmarks.figures.record import begin, with_comment
from benchmarks.studies.study import KEPT, Row, keep
from duospike.cosim.pages import plots
from duospike.cosim.study.measure import RESULT, is_old
from duospike.cosim.study.pairs import Difference, counted, difference_text, late, spike_counts
from duospike.cosim.study.report import groups_of, shown_sources
from duospike.cosim.study.study_file import Point, read_study
from duospike.reference.training.settings import FLOAT, Settings

NAME = "pairs"
PLOT = "study-pairs.svg"
FINDINGS = "pairs-findings"
"""The section of the study's own page."""
PAPER = (6.1, 10.1, 15.2)
"""Spikes fewer by int4 in the paper, %."""
COUNTING = "spikes_in"
"""The paper's way of counting."""
POWER = 1.96 + 0.84
"""Standard errors that an effect must be away from 0 to be found in four of five experiments, by a 95 % interval."""
SHOWN = {"cifar-10": "CIFAR-10 (JPEG-coded copy)", "fashion-mnist": "Fashion-MNIST"}
"""Data sets, and what may be said of the copies."""

Measure = Callable[[Row], float]


@dataclass(frozen=True)
class Comparison:
    """Quantized networks of a study and their float twins, equal in all settings except the weight bits, by seed.

    pairs: by seed, the quantized network and its twin. planned: how many pairs the study asks for.
    """

    study: str
    pairs: dict[int, tuple[Row, Row]]
    planned: int

    @property
    def settings(self) -> dict[str, Any]:
        return next(iter(self.pairs.values()))[0]["settings"]

    @property
    def bits(self) -> int:
        return self.settings["weight_bits"]

    @property
    def title(self) -> str:
        one = self.settings
        recipe = "the paper's" if one.get("recipe") == "paper" else "ours"
        return f"{SHOWN[one['dataset']]}, {recipe}"

    @property
    def has_epochs(self) -> bool:
        return all(len(one.get("per_epoch", [])) > 1 for pair in self.pairs.values() for one in pair)

    def saved(self, measure: Measure) -> Difference:
        """The share of the twin's measure that the quantized network saves, %."""
        return Difference({seed: 100 * (1 - measure(ours) / measure(twin)) for seed, (ours, twin) in self.pairs.items()})

    def won(self) -> Difference:
        """Accuracy, in points."""
        return Difference({seed: 100 * (ours["accuracy"] - twin["accuracy"]) for seed, (ours, twin) in self.pairs.items()})

    def mean(self, measure: Measure, twin: bool) -> float:
        return mean(measure(pair[twin]) for pair in self.pairs.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--take", type=Path, action="append", default=[], metavar="FOLDER", help="folder of a study")
    parser.add_argument("--write", action="store_true", help="put tables and plot into docs/")
    args = parser.parse_args()
    for folder in args.take:
        keep(folder, KEPT / folder.name)
    measurement, found = begin(NAME), sorted(comparisons(), key=lambda one: (one.study, -one.bits))
    text = with_comment(measurement, page(found))
    print(text)
    if args.write:
        plot(found, write_section(NAME, text).parent / PLOT)
        write_section(FINDINGS, findings(found))
    return 0


def comparisons(kept: Path = KEPT) -> Iterator[Comparison]:
    """Of each study whose results are kept, those that have float twins; results of other sources are never paired."""
    for folder in sorted(kept.glob("*-study")):
        points = read_study(ROOT / "models" / f"{folder.name}.toml").points
        paths = [folder / "points" / name / RESULT for name in points]
        groups = groups_of(json.loads(path.read_text()) for path in paths if path.exists())
        for shown, group in groups:
            twins = [other for settings, other in groups if settings == shown | {"weight_bits": FLOAT}]
            if shown.get("weight_bits", FLOAT) == FLOAT or not twins:
                continue
            of_seed = {one["settings"]["seed"]: one for one in twins[0]}
            seeds = sorted(seed for one in group if (seed := one["settings"]["seed"]) in of_seed)
            ours = {one["settings"]["seed"]: one for one in group}
            if seeds:
                planned = sum(is_alike(point, group[0]["settings"]) for point in points.values())
                yield Comparison(folder.name, {seed: (ours[seed], of_seed[seed]) for seed in seeds}, planned)


def is_alike(point: Point, settings: dict[str, Any]) -> bool:
    """Whether a point of a study has these settings, with any seed."""
    if not isinstance(point, Settings):
        return False
    wanted = {key: value for key, value in settings.items() if key != "sources"}
    return point.are(wanted | {"seed": point.seed})


def page(found: list[Comparison]) -> str:
    """The section: all comparisons, then those at 4 bits by seed, epoch and layer."""
    fours = [one for one in found if one.bits == 4]
    head = (
        "A pair is a quantized network and its float twin of the same seed: the same initial weights, order and augmentation. "
        "Differences are means over the pairs ± their standard error (95 % interval by Student's t), bold where the interval "
        "excludes 0: only there a difference is found."
    )
    tables = [
        accuracies(found),
        spikes(found),
        by_seed(fours),
        *map(by_epoch, fours),
        choices(fours),
        single_images(fours),
        by_layer(fours),
    ]
    return "\n\n".join([head, *(one for one in tables if one)])


def findings(found: list[Comparison]) -> str:
    """A line for each comparison: what was found, and what cannot be told yet."""
    return "\n".join(f"* {finding(one)}" for one in found)


def finding(one: Comparison) -> str:
    saved = one.saved(total(COUNTING))
    about = f"**{one.title}, {one.bits} bits** ({one.settings['epochs']} epochs, {len(one.pairs)} of {one.planned} pairs)"
    accuracy = (
        f"accuracy {100 * one.mean(accuracy_of, True):.2f} % in float, {100 * one.mean(accuracy_of, False):.2f} % quantized"
    )
    if saved.interval is None:
        return f"{about}: {accuracy}; spikes saved {difference_text(saved)}. One pair says nothing."
    change = "saves" if saved.mean > 0 else "costs"
    verdict = f"**quantization {change} spikes**" if saved.is_found else "no difference is found"
    inside = held(saved)
    open_still = f"; the interval holds {inside}{' %' if inside[-1].isdigit() else ''}"
    return f"{about}: {accuracy}; spikes saved {difference_text(saved).strip('*')}: {verdict}{open_still}."


def accuracies(found: list[Comparison]) -> str:
    lines = [
        [
            one.title,
            one.settings["architecture"],
            str(one.bits),
            str(one.settings["epochs"]),
            f"{len(one.pairs)} of {one.planned}",
            f"{100 * one.mean(accuracy_of, True):.2f} %",
            f"{100 * one.mean(accuracy_of, False):.2f} %",
            difference_text(one.won(), ""),
            origin(one),
        ]
        for one in found
    ]
    columns = ["data, recipe", "network", "bits", "epochs", "pairs", "accuracy, float", "quantized", "points won", "sources"]
    return table("Accuracy, all test images, T=2", columns, lines)


def origin(one: Comparison) -> str:
    """Digests of training and measuring that made the results, and whether they are today's."""
    results = [result for pair in one.pairs.values() for result in pair]
    digests = ", ".join(dict.fromkeys(map(shown_sources, results)))
    return digests + ("" if "not" in digests or not any(map(is_old, results)) else ", not today's")


def spikes(found: list[Comparison]) -> str:
    lines = []
    for one in found:
        saved = one.saved(total(COUNTING))
        lines.append(
            [
                one.title,
                str(one.bits),
                f"{one.mean(total('spikes'), True):,.0f}",
                f"{one.mean(total('spikes'), False):,.0f}",
                difference_text(one.saved(total("spikes"))),
                difference_text(saved),
                difference_text(one.saved(late_total(COUNTING))) if one.has_epochs else "-",
                "-" if len(one.pairs) < 2 else f"{deviation(saved):.1f}",
                held(saved),
                needed(saved),
            ]
        )
    columns = ["data, recipe", "bits", "spikes an image, float", "quantized", "saved", "saved, the paper's counting",
               "the same, mean of the last epochs", "deviation of one pair", "its interval holds", "pairs for 6.1 %"]  # fmt: skip
    return table("Spikes saved by quantization", columns, lines)


def held(saved: Difference) -> str:
    """Which of 0 and the paper's figures an interval holds."""
    if saved.interval is None:
        return "-"
    low, high = saved.interval
    return ", ".join(f"{value:g}" for value in (0, *PAPER) if low <= value <= high) or "none of 0 and the paper's"


def needed(saved: Difference) -> str:
    """Pairs that would find the smallest of the paper's figures in four of five experiments, at this deviation."""
    return "-" if saved.pairs < 2 else str(max(2, math.ceil((POWER * deviation(saved) / PAPER[0]) ** 2)))


def by_seed(found: list[Comparison]) -> str:
    lines = []
    for one in found:
        whole, counting, lately = (one.saved(of).values for of in (total("spikes"), total(COUNTING), late_total(COUNTING)))
        for seed, pair in one.pairs.items():
            figures = [f"{100 * result['accuracy']:.2f} %" for result in reversed(pair)]
            figures += [f"{total('spikes')(result):,.0f}" for result in reversed(pair)]
            last = f"{lately[seed]:+.1f} %" if one.has_epochs else "-"
            lines.append([one.title, str(seed), *figures, f"{whole[seed]:+.1f} %", f"{counting[seed]:+.1f} %", last])
    columns = ["data, recipe", "seed", "accuracy, float", "int4", "spikes, float", "int4", "saved", "the paper's counting",
               "the same, last epochs"]  # fmt: skip
    return table("Each pair of float and int4", columns, lines) if lines else ""


def by_epoch(one: Comparison) -> str:
    if not one.has_epochs:
        return ""
    lines = []
    for number in range(one.settings["epochs"]):
        right = [f"{100 * one.mean(accuracy_at(number), twin):.2f} %" for twin in (True, False)]
        saved = [difference_text(one.saved(at(number, key))) for key in ("spikes", COUNTING)]
        lines.append([str(number + 1), *right, *saved])
    title = f"After each epoch: {one.title}, {len(one.pairs)} of {one.planned} pairs"
    return table(title, ["epoch", "accuracy, float", "int4", "spikes saved", "the paper's counting"], lines)


def choices(found: list[Comparison]) -> str:
    """What is saved by the epoch that is kept, and how far the saving of a pair goes between its later epochs."""
    lines = []
    for one in found:
        if not one.has_epochs:
            continue
        swings = []
        for ours, twin in one.pairs.values():
            first = len(ours["per_epoch"]) // 2
            swings.append(stdev(1 - at(n, COUNTING)(ours) / at(n, COUNTING)(twin) for n in range(first, len(ours["per_epoch"]))))
        kept = [at(-1, COUNTING), best, late_total(COUNTING)]
        lines.append([one.title, *(difference_text(one.saved(choice)) for choice in kept), f"{100 * mean(swings):.1f} points"])
    columns = ["data, recipe", "the last epoch", "the best on the test images, each network its own", "mean of the last epochs",
               "deviation within a pair, later half of the epochs"]  # fmt: skip
    return table("Spikes saved by int4 (the paper's counting), by the epoch that is kept", columns, lines) if lines else ""


def single_images(found: list[Comparison]) -> str:
    """How far what one image says of a pair is from what another one says; none where images were not counted one by one."""
    lines = []
    for one in found:
        pairs = [[result.get("image_spikes", {}).get(COUNTING) for result in pair] for pair in one.pairs.values()]
        if all(ours and twin for ours, twin in pairs):
            saved = [[100 * (1 - a / b) for a, b in zip(ours, twin, strict=True)] for ours, twin in pairs]
            within = f"{mean(map(stdev, saved)):.1f} points"
            ends = f"{min(map(min, saved)):+.0f} to {max(map(max, saved)):+.0f} %"
            lines.append([one.title, str(len(saved[0])), within, ends])
    title = "Spikes saved by int4 (the paper's counting), counted on a single image"
    columns = ["data, recipe", "images", "deviation over the images of a pair", "from the least to the most"]
    return table(title, columns, lines) if lines else ""


def by_layer(found: list[Comparison]) -> str:
    names = list(dict.fromkeys(name for one in found for name in next(iter(one.pairs.values()))[0]["layers"]))
    lines = [[name, *(difference_text(one.saved(of_layer(name))) for one in found)] for name in names]
    return table("Spikes saved by int4, each layer (twelve intervals a column: one in twenty excludes 0 by chance)",
                 ["layer", *(one.title for one in found)], lines) if found else ""  # fmt: skip


def accuracy_of(result: Row) -> float:
    return result["accuracy"]


def accuracy_at(number: int) -> Measure:
    return lambda result: result["per_epoch"][number]["test_accuracy"]


def total(key: str) -> Measure:
    """Spikes an image of all layers: spikes, or spikes_in."""
    return lambda result: counted(result["layers"])[key]


def late_total(key: str) -> Measure:
    """The same, the mean of the last epochs; of a result without epochs that of the network that was kept."""
    return lambda result: late(result, key) or total(key)(result)


def at(number: int, key: str) -> Measure:
    """The same after an epoch."""
    return lambda result: spike_counts(result["per_epoch"][number]["spikes"])[key]


def best(result: Row) -> float:
    """The same by the paper's counting after the epoch of the best accuracy on the test images."""
    return spike_counts(max(result["per_epoch"], key=lambda one: one["test_accuracy"])["spikes"])[COUNTING]


def of_layer(name: str) -> Measure:
    return lambda result: sum(result["layers"][name]["spikes"])


def deviation(found: Difference) -> float:
    return stdev(found.values.values())


def plot(found: list[Comparison], path: Path) -> None:
    """Means and intervals of all comparisons that have one."""
    saved = {f"{one.title}, {one.bits} bits": one.saved(total(COUNTING)) for one in found}
    intervals = {name: (one.mean, *one.interval) for name, one in saved.items() if one.interval}
    if intervals and plots.available():
        plots.plot_intervals(intervals, "% of float's spikes, 95 % interval", "Spikes saved, the paper's counting", path)


if __name__ == "__main__":
    sys.exit(main())
