"""Differences in pairs of equal seed: by hand, and beside scipy's own interval of paired samples."""

import pytest
from scipy import stats

from duospike.cosim.pages import plots
from duospike.cosim.study.pairs import Difference, counted, difference_text, late, pair_rows, paired
from duospike.cosim.study.report import (
    as_markdown,
    drawings,
    files_of,
    groups_of,
    pairs_csv_rows,
    pairs_markdown,
    summary,
)
from tests.cosim.study.test_report import result

FLOATS = [result("float", seed, accuracy, spikes) for seed, accuracy, spikes in ((1, 0.90, 8), (2, 0.80, 9), (3, 0.85, 10))]
FOURS = [result(4, seed, accuracy, spikes) for seed, accuracy, spikes in ((3, 0.82, 8), (1, 0.88, 7), (2, 0.79, 7))]


def with_epochs(one, counts):
    """A result whose epochs had so many spikes in conv1, half of them in pool1, two in fc1, and accuracies in steps of 0.1."""
    epochs = [
        {"epoch": n, "test_accuracy": n / 10, "spikes": {"conv1": count, "pool1": count / 2, "fc1": 2.0}}
        for n, count in enumerate(counts, 1)
    ]
    return {**one, "per_epoch": epochs}


def test_the_papers_counting_is_of_layers_inputs():
    layers = {name: {"spikes": spikes, "events": 1.0, "synaptic_operations": 2} for name, spikes in [
        ("conv1", [50, 50]), ("conv2", [30, 10]), ("pool1", [8, 8]), ("fc1", [4, 0]), ("fc2", [1, 1]),
    ]}  # fmt: skip
    found = counted(layers)
    # conv1 goes into conv2, pool1 into fc1 and fc1 into fc2; conv2 goes into a pool and fc2 to the votes.
    assert found == {"spikes": 100 + 40 + 4 + 2, "spikes_in": 100 + 16 + 4, "events": 4.0, "synaptic_operations": 8.0}


def test_the_interval_is_scipys():
    found = paired(FOURS, FLOATS, "spikes")
    # 18, 20, 22 spikes in float; 16, 16, 18 at 4 bits, by seed.
    saved = [100 * (1 - ours / base) for ours, base in ((16, 18), (16, 20), (18, 22))]
    assert found.values == pytest.approx({1: saved[0], 2: saved[1], 3: saved[2]})
    wanted = stats.ttest_1samp(saved, 0).confidence_interval(0.95)
    assert found.interval == pytest.approx((wanted.low, wanted.high))
    assert found.error == pytest.approx(stats.sem(saved)) and found.is_found
    points = paired(FOURS, FLOATS, "accuracy")
    wanted = stats.ttest_rel([88.0, 79.0, 82.0], [90.0, 80.0, 85.0]).confidence_interval(0.95)
    assert points.mean == pytest.approx(-2) and points.interval == pytest.approx((wanted.low, wanted.high))
    assert not points.is_found


def test_only_seeds_that_both_have_are_paired():
    assert paired(FOURS[:1], FLOATS, "spikes").pairs == 1 and paired(FOURS[:1], FLOATS[:1], "spikes") is None
    single = paired(FOURS[:1], FLOATS, "accuracy")
    assert single.error is None and single.interval is None and not single.is_found
    assert difference_text(single, "") == "-3.0 (one pair)" and difference_text(None) == "-"


def test_text_is_bold_only_where_the_interval_excludes_0():
    # Mean 2, error 1 / sqrt(3); t of 2 degrees of freedom is 4.303.
    assert difference_text(Difference({1: 1.0, 2: 2.0, 3: 3.0})) == "+2.0 ± 0.6 % (-0.5 to +4.5)"
    assert difference_text(Difference({1: 5.0, 2: 6.0, 3: 7.0})) == "**+6.0 ± 0.6 % (+3.5 to +8.5)**"
    assert Difference({1: -5.0, 2: -6.0, 3: -7.0}).is_found


def test_means_over_the_last_epochs():
    one = with_epochs(FLOATS[0], [100, 90, 10, 20, 30])
    # Three of five, five of eleven.
    assert late(one, "spikes") == 22 and late(one, "spikes_in") == 10 and late(one, "accuracy") == pytest.approx(0.4)
    assert late(with_epochs(FLOATS[0], range(11)), "spikes") == 2 + 8
    assert late(FLOATS[0], "spikes") is None and late(with_epochs(FLOATS[0], [5]), "spikes") is None
    twin = with_epochs(FLOATS[0], [100, 98])
    assert paired([with_epochs(FOURS[1], [3, 48])], [twin], "late_spikes").mean == pytest.approx(50)


def test_the_baseline_is_the_float_twin_or_the_first_row():
    coded = [{**one, "settings": {**one["settings"], "coding": "rate"}} for one in (*FOURS, *FLOATS)]
    rows = pair_rows(groups_of([*FOURS, *coded, *FLOATS]))
    assert [(row["weight_bits"], row["coding"], row["against"]) for row in rows] == [
        (4, "direct", "weight_bits float"),
        (4, "rate", "weight_bits float"),
    ]
    later = [{**one, "settings": {**one["settings"], "timesteps": 4}} for one in FOURS]
    (row,) = pair_rows(groups_of([*FOURS, *later]))
    assert row["against"] == "timesteps 2" and row["spikes"].mean == 0 and row["pairs"] == 3


def test_tables_of_pairs():
    text = pairs_markdown([*FLOATS, *FOURS])
    assert "| 4 | weight_bits float | 3 | -2.0 ± 0.6 (-4.5 to +0.5) | **+16.4 ± 2.7 % (+4.8 to +28.1)** |" in text
    rows = {row["measure"]: row for row in pairs_csv_rows([*FLOATS, *FOURS])}
    assert rows["spikes"]["by_seed"].startswith("3:18.1818 1:11.1111") and rows["interval"]["mean"] == 0
    assert pairs_markdown(FLOATS) == "" and "pairs.csv" not in files_of({"a": FLOATS[0]})


def test_results_are_written_last():
    """A study that is killed while it writes its first results leaves none without the tables made from them."""
    assert list(files_of({"a": FLOATS[0]}))[-1] == "results.json"


def test_results_of_other_sources_are_never_mixed():
    today = {"training": "a", "measuring": "b"}
    mixed = [{**FLOATS[0], "sources": today}, *FLOATS[1:]]
    assert [(row["sources"], row["seeds"]) for row in summary(mixed)] == [("a/b", 1), ("not recorded", 2)]
    assert [row["pairs"] for row in pair_rows(groups_of([*mixed, *FOURS])) if row["weight_bits"] == 4] == [2]
    assert "sources" not in summary(FLOATS)[0]
    text = files_of({"one": mixed[0], "two": mixed[1]}, ["two"])["summary.md"]
    assert text.endswith("1 of 2 points were made by other sources than today's: two\n")


def test_means_of_the_last_epochs_are_in_the_summary():
    rows = summary([with_epochs(one, [10 + n, 30]) for n, one in enumerate(FLOATS)] + FOURS)
    # The second of two epochs: 30 spikes in conv1 and two in fc1.
    assert (rows[0]["late_spikes"], rows[0]["late_accuracy"], rows[0]["late_spikes_spread"]) == (32, 0.2, 0)
    assert rows[1]["late_spikes"] is None and "late_spikes" not in summary(FOURS)[0]
    assert "| 20.00 ± 0.00 % | 32 ± 0 |" in as_markdown(rows)


def test_plots_of_epochs_have_spreads(monkeypatch):
    points = [with_epochs(one, [10 + 2 * n, 20]) for n, one in enumerate(FLOATS[:2])]
    calls = {}
    monkeypatch.setattr(plots, "plot_lines", lambda *args: calls.update({args[3]: args}))
    found = drawings(points)
    for name in ("epochs-accuracy.svg", "epochs-spikes.svg"):
        found[name][1](None)
    lines, places, *_ = calls["Spikes after each epoch"]
    assert places == ["1", "2"] and lines[""]["1"] == (13, pytest.approx(2**0.5)) and lines[""]["2"] == (22, 0)
    assert calls["Accuracy after each epoch"][0][""]["2"] == (0.2, 0)
    assert not any(name.startswith("epochs") for name in drawings(FLOATS))


def test_epochs_of_a_study():
    rows = files_of({str(n): with_epochs(one, [10 + n, 20]) for n, one in enumerate(FLOATS[:2])})["epochs.csv"].splitlines()
    assert rows[0] == "seeds,epoch,accuracy,accuracy_spread,spikes,spikes_spread,spikes_in,spikes_in_spread"
    assert rows[1].startswith("2,1,0.1,0.0,12.5,0.7") and rows[2].startswith("2,2,0.2,0.0,22.0,0.0,10.0")
