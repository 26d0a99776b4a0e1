"""Paired differences: points of equal seed side by side, with standard error and confidence interval.

Points of equal seed share initial weights, the order of the images and their augmentation, so that a difference scatters less
than the points do. Whether a difference is more than scatter says its interval: one that holds 0 shows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from scipy.stats import t as student

CONFIDENCE = 0.95
LATE = 5
"""Epochs whose mean is taken, or the later half of fewer."""
PAIRED = {
    "accuracy": "accuracy, points",
    "spikes": "spikes saved",
    "spikes_in": "saved by the paper's counting",
    "late_spikes": "saved, mean of the last epochs",
    "late_spikes_in": "the same, the paper's counting",
    "synaptic_operations": "synaptic operations saved",
    "interval": "cycles saved",
    "energy": "energy saved",
}
"""Measures that are compared, and what their differences are: of accuracy ours less the baseline's, in points, of all others the
share of the baseline's that is saved."""


@dataclass(frozen=True)
class Difference:
    """values: of each pair, by seed. error: the standard error of their mean. low, high: its interval. None of a single pair."""

    values: dict[int, float]

    @property
    def pairs(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return mean(self.values.values())

    @property
    def error(self) -> float | None:
        return stdev(self.values.values()) / self.pairs**0.5 if self.pairs > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of CONFIDENCE, by Student's t."""
        if self.error is None:
            return None
        reach = float(student.ppf((1 + CONFIDENCE) / 2, self.pairs - 1)) * self.error
        return self.mean - reach, self.mean + reach

    @property
    def is_found(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and (self.interval[0] > 0 or self.interval[1] < 0)


def paired(ours: Sequence[dict[str, Any]], baseline: Sequence[dict[str, Any]], key: str) -> Difference | None:
    """The difference of a measure between results of equal seed; None where no two have it."""
    ends = [
        {one["settings"].get("seed"): found for one in points if (found := value_of(one, key)) is not None}
        for points in (ours, baseline)
    ]
    pairs = [(seed, found, ends[1][seed]) for seed, found in ends[0].items() if seed is not None and ends[1].get(seed)]
    values = {seed: 100 * (here - there if key == "accuracy" else 1 - here / there) for seed, here, there in pairs}
    return Difference(values) if values else None


def value_of(result: dict[str, Any], key: str) -> float | None:
    """A measure of a result; None if it has none."""
    if key.startswith("late_"):
        return late(result, key.removeprefix("late_"))
    return counted(result["layers"]).get(key, result.get(key))


def counted(layers: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Of layers' results, an image: spikes, events and synaptic_operations of all layers except pools, and spikes_in."""
    spikes = {name: float(sum(one["spikes"])) for name, one in layers.items()}
    sums = {
        key: float(sum(one[key] for name, one in layers.items() if not is_pool(name)))
        for key in ("events", "synaptic_operations")
    }
    return {**spike_counts(spikes), **sums}


def spike_counts(spikes: dict[str, Any]) -> dict[str, Any]:
    """Of the spikes of each layer in their order, numbers or arrays: spikes of all neurons, and spikes_in, of all layers' inputs.

    spikes_in is how the paper's hardware counts: pooled maps in place of those before the pool, and neither the image nor the
    output layer.
    """
    names = list(spikes)
    taken = [name for name, after in zip(names, names[1:], strict=False) if not is_pool(after)]
    return {
        "spikes": sum(count for name, count in spikes.items() if not is_pool(name)),
        "spikes_in": sum(spikes[name] for name in taken),
    }


def late(result: dict[str, Any], key: str) -> float | None:
    """The mean of a measure over the last epochs: accuracy, spikes or spikes_in; None where epochs were not examined."""
    epochs = result.get("per_epoch", [])
    if len(epochs) < 2:
        return None
    last = epochs[-min(LATE, (len(epochs) + 1) // 2) :]
    return mean(one["test_accuracy"] if key == "accuracy" else spike_counts(one["spikes"])[key] for one in last)


def is_pool(name: str) -> bool:
    return name.startswith("pool")


def pair_rows(groups: Sequence[tuple[dict[str, Any], Sequence[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """For each group that has a baseline a row: its settings, against (the baseline's settings that differ), pairs, and for each
    of PAIRED a Difference, None where there is none.

    groups: settings that vary, and results of all seeds. The baseline is the float twin, or where there is none the first group.
    """
    rows = []
    for shown, results in groups:
        other, baseline = baseline_of(shown, groups)
        if other is shown:
            continue
        found = {key: paired(results, baseline, key) for key in PAIRED}
        if known := [one for one in found.values() if one]:
            against = ", ".join(f"{key} {value}" for key, value in other.items() if value != shown[key])
            rows.append({**shown, "against": against, "pairs": max(one.pairs for one in known), **found})
    used = [key for key in PAIRED if any(row[key] for row in rows)]
    return [{key: value for key, value in row.items() if key not in PAIRED or key in used} for row in rows]


def baseline_of(
    shown: dict[str, Any], groups: Sequence[tuple[dict[str, Any], Sequence[Any]]]
) -> tuple[dict[str, Any], Sequence[Any]]:
    """The group that a group of such settings is compared with: itself, for a float twin or the first group."""
    twin = shown | {"weight_bits": "float"} if "weight_bits" in shown else None
    return next((group for group in groups if group[0] == twin), groups[0])


def difference_text(found: Difference | None, unit: str = " %") -> str:
    """Mean, standard error and interval; in bold where the interval excludes 0. - for none."""
    if found is None:
        return "-"
    if found.interval is None or found.error is None:
        return f"{found.mean:+.1f}{unit} (one pair)"
    low, high = found.interval
    text = f"{found.mean:+.1f} ± {found.error:.1f}{unit} ({low:+.1f} to {high:+.1f})"
    return f"**{text}**" if found.is_found else text
