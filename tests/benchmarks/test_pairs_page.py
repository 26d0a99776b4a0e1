"""The page of pairs: its figures by hand, and that it holds the results that are kept."""

import json
import re

import pytest

from benchmarks.figures.page import page_with
from benchmarks.studies import pairs
from benchmarks.studies.pairs import Comparison, comparisons, finding, findings, held, needed, page
from duospike.cosim.study.pairs import Difference
from tests.benchmarks.test_study_page import rows_of


def result(seed, bits, epochs, accuracy=0.5):
    """A network of two layers, of which the first one's spikes go into the second; epochs: the first one's spikes after each."""
    layers = {
        name: {"slots": 100, "spikes": [count / 2] * 2, "sparsity": 0.5, "events": 1.0, "synaptic_operations": 2.0}
        for name, count in (("conv1", epochs[-1]), ("fc1", 10))
    }
    per_epoch = [
        {"epoch": n, "test_accuracy": right, "spikes": {"conv1": count, "fc1": 10.0}}
        for n, (count, right) in enumerate(zip(epochs, (0.4, 0.6, 0.5), strict=True), 1)
    ]
    settings = {"dataset": "cifar-10", "architecture": "4C3-FC10", "weight_bits": bits, "seed": seed, "epochs": 3}
    return {"settings": settings, "accuracy": accuracy, "layers": layers, "per_epoch": per_epoch}


TWO = Comparison(
    "some-study",
    {
        1: (result(1, 4, [50.0, 60.0, 80.0], 0.52), result(1, "float", [100.0, 100.0, 100.0])),
        2: (result(2, 4, [90.0, 40.0, 70.0], 0.48), result(2, "float", [100.0, 50.0, 100.0], 0.47)),
    },
    planned=6,
)


def test_figures_by_hand():
    text = page([TWO])
    (accuracy,) = rows_of(text, "Accuracy")
    assert accuracy[2:7] == ["4", "3", "2 of 6", "48.50 %", "50.00 %"] and accuracy[7].startswith("+1.5 ± 0.5 (")
    (spikes,) = rows_of(text, "Spikes saved by quantization")
    # 20 and 30 % of what goes into fc1 is saved, of all spikes 20/110 and 30/110; the last two of three epochs: 30 and 26.7 %.
    assert spikes[2:4] == ["110", "85"] and spikes[4].startswith("+22.7 ± 4.5 %")
    assert spikes[5:7] == ["+25.0 ± 5.0 % (-38.5 to +88.5)", "**+28.3 ± 1.7 % (+7.2 to +49.5)**"]
    assert spikes[7:] == ["7.1", "0, 6.1, 10.1, 15.2", "11"]
    assert [row[1:] for row in rows_of(text, "Each pair")] == [
        ["1", "50.00 %", "52.00 %", "110", "90", "+18.2 %", "+20.0 %", "+30.0 %"],
        ["2", "47.00 %", "48.00 %", "110", "80", "+27.3 %", "+30.0 %", "+26.7 %"],
    ]
    epochs = rows_of(text, "After each epoch")
    assert [row[1] for row in epochs] == ["40.00 %", "60.00 %", "50.00 %"]
    assert [row[4].split(" ")[0] for row in epochs] == ["+30.0", "+30.0", "+25.0"]
    (choice,) = rows_of(text, "Spikes saved by int4 (the paper's counting), by the epoch")
    # The second epoch is the best: 40 and 20 %. Later half: 40 and 20 % of the first pair, 20 and 30 % of the second.
    assert choice[1].startswith("+25.0") and choice[2].startswith("+30.0 ± 10.0") and choice[4] == "10.6 points"
    assert [row[:2] for row in rows_of(text, "Spikes saved by int4, each layer")][1] == ["fc1", "+0.0 ± 0.0 % (+0.0 to +0.0)"]


def test_single_images_by_hand():
    assert "on a single image" not in page([TWO])
    counts = {1: ([50, 90], [100, 100]), 2: ([30, 50], [100, 100])}
    one = Comparison(
        "some-study",
        {
            seed: tuple(
                {**result, "image_spikes": {"spikes_in": of_images}} for result, of_images in zip(pair, counts[seed], strict=True)
            )
            for seed, pair in TWO.pairs.items()
        },
        planned=6,
    )
    # 50 and 10 % saved on the images of the first pair, 70 and 50 % on those of the second.
    (row,) = rows_of(page([one]), "Spikes saved by int4 (the paper's counting), counted on a single image")
    assert row[1:] == ["2", "21.2 points", "+10 to +70 %"]


def test_a_pair_without_epochs_or_alone():
    alone = Comparison("some-study", {1: tuple({**one, "per_epoch": []} for one in TWO.pairs[1])}, planned=6)
    text = page([alone])
    (spikes,) = rows_of(text, "Spikes saved by quantization")
    assert (
        spikes[5:] == ["+20.0 % (one pair)", "-", "-", "-", "-"] and "After each epoch" not in text and "by the epoch" not in text
    )


def test_what_is_called_a_finding():
    alone = Comparison("some-study", {1: TWO.pairs[1]}, planned=6)
    assert finding(alone).endswith("spikes saved +20.0 % (one pair). One pair says nothing.")
    assert finding(TWO).endswith("(-38.5 to +88.5): no difference is found; the interval holds 0, 6.1, 10.1, 15.2 %.")
    third = result(3, 4, [1.0, 1.0, 75.0]), result(3, "float", [1.0, 1.0, 100.0])
    three = Comparison("some-study", {**TWO.pairs, 3: third}, planned=6)
    # 20, 30 and 25 % saved: deviation 5, and Student's t of two degrees of freedom is 4.303.
    assert finding(three).endswith("+25.0 ± 2.9 % (+12.6 to +37.4): **quantization saves spikes**; the interval holds 15.2 %.")


def test_what_an_interval_holds_and_how_many_pairs_it_takes():
    assert (
        held(Difference({1: 9.0, 2: 10.0, 3: 11.0})) == "10.1"
        and held(Difference({1: 20.0, 2: 20.1})) == "none of 0 and the paper's"
    )
    # A deviation of 6.1: 2.8 squared.
    assert needed(Difference({1: 6.1 * 2**0.5, 2: 0.0})) == "8" and needed(Difference({1: 1.0, 2: 1.1})) == "2"


def test_pairs_are_of_equal_settings_and_sources(tmp_path, monkeypatch):
    name = "cifar10-paper-study"
    for source in (pairs.KEPT / name / "points").glob("seed=1,*/result.json"):
        copy = tmp_path / name / "points" / source.parent.name / "result.json"
        copy.parent.mkdir(parents=True)
        copy.write_text(source.read_text())
    (one,) = comparisons(tmp_path)
    assert list(one.pairs) == [1] and one.planned == 6 and one.bits == 4 and one.has_epochs
    changed = json.loads(copy.read_text())
    changed["sources"]["training"] = "other"
    copy.write_text(json.dumps(changed))
    assert not list(comparisons(tmp_path))


def test_the_page_holds_the_kept_results(monkeypatch):
    # Whether sources are today's is of the day when the page was written.
    monkeypatch.setattr(pairs, "is_old", lambda result: False)
    found = sorted(comparisons(), key=lambda one: (one.study, -one.bits))
    assert findings(found) in page_with("<!-- pairs-findings: begin").read_text()
    text, written = page(found), page_with("<!-- pairs: begin -->").read_text()
    assert text in re.sub(", not today's", "", written)


@pytest.mark.slow
def test_taken_results_are_kept(tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    monkeypatch.setattr(pairs, "KEPT", kept)
    monkeypatch.setattr("sys.argv", ["pairs", "--take", "benchmarks/results/fashion-study"])
    assert pairs.main() == 0 and len(list(kept.glob("fashion-study/points/*/result.json"))) == 24
