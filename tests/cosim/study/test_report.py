"""Means and spreads of a study by hand."""

import csv
import io
from pathlib import Path

import pytest

from duospike.cosim.pages import plots
from duospike.cosim.study.report import (
    as_csv,
    as_markdown,
    check_result,
    drawings,
    energy_markdown,
    energy_rows,
    layer_rows,
    plot_all,
    stage_rows,
    summary,
)
from duospike.reference.errors import InputError


def result(bits, seed, accuracy, spikes):
    layers = {
        "conv1": {"slots": 40, "spikes": [spikes, spikes], "sparsity": 1 - spikes / 20, "events": 3.0, "synaptic_operations": 0},
        "pool1": {"slots": 10, "spikes": [9, 9], "sparsity": 0.1, "events": 100.0, "synaptic_operations": 0},
        "fc1": {"slots": 10, "spikes": [1, 1], "sparsity": 0.8, "events": 2.0, "synaptic_operations": 70},
    }
    settings = {"weight_bits": bits, "seed": seed, "coding": "direct", "timesteps": 2}
    busy = {"lanes": 3, "events": 2.0, "busy": 10.0 * spikes, "stall_in": 5.0, "stall_out": 1.0, "busy_share": spikes / 10}
    stages = [{"name": "conv1", **busy}, {"name": "fc1", **busy, "busy": 4.0}]
    costs = {"interval": 100.0, "latency": 150, "energy": 7.0}
    return {"settings": settings, "accuracy": accuracy, "layers": layers, "stages": stages, **costs}


RESULTS = [result("float", 1, 0.9, 4), result(4, 1, 0.8, 2), result("float", 2, 0.7, 8)]


def test_points_that_differ_in_their_seed_make_a_row():
    rows = summary(RESULTS)
    assert [(row["weight_bits"], row["seeds"]) for row in rows] == [("float", 2), (4, 1)]
    assert "coding" not in rows[0]
    assert rows[0]["accuracy"] == pytest.approx(0.8) and rows[0]["accuracy_spread"] == pytest.approx(0.1 * 2**0.5)
    # Without pools: (8 + 2) and (16 + 2) spikes of 50 slots.
    assert rows[0]["sparsity"] == pytest.approx((0.8 + 0.64) / 2)
    assert rows[1]["accuracy_spread"] is None
    assert (rows[1]["spikes"], rows[1]["events"], rows[1]["synaptic_operations"]) == (6, 5, 70)


def test_networks_of_files_stand_beside_trained_ones():
    loaded = result(4, 1, 0.5, 2)
    loaded["settings"] = {"model": "mine", "weight_bits": 4, "coding": "direct", "timesteps": 2}
    deeper = {
        **result(4, 1, 0.5, 2)["layers"],
        "fc2": {"slots": 10, "spikes": [1, 1], "sparsity": 0.8, "events": 1.0, "synaptic_operations": 9},
    }
    rows = summary([*RESULTS, {**loaded, "layers": deeper}])
    assert [(row["weight_bits"], row["model"], row["seeds"]) for row in rows] == [
        ("float", None, 2),
        (4, None, 1),
        (4, "mine", 1),
    ]
    assert "| 4 | - | 1 | 80.00 % |" in as_markdown(rows) and "| 4 | mine | 1 | 50.00 % |" in as_markdown(rows)
    assert {row["layer"] for row in layer_rows([*RESULTS, {**loaded, "layers": deeper}]) if row["model"]} == set(deeper)


def test_tables():
    rows = summary(RESULTS)
    text = as_markdown(rows)
    assert text.startswith("| weight bits | seeds | accuracy | sparsity |")
    assert "| float | 2 | 80.00 ± 14.14 % | 72.00 ± 11.31 % | 14 ± 6 |" in text
    assert "| 4 | 1 | 80.00 % | 88.00 % | 6 |" in text
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [row["weight_bits"] for row in read] == ["float", "4"]
    assert float(read[0]["latency"]) == 150 and read[1]["latency_spread"] == ""


def test_what_is_no_result_is_refused():
    check_result(RESULTS[0], Path("result.json"))
    for wrong in ({"accuracy": None}, {"layers": {}}, {"layers": {"conv1": 3}}, {"settings": 1}, {"sources": "new"}):
        with pytest.raises(InputError, match="result.json: not a result; delete it to measure the point again"):
            check_result(RESULTS[0] | wrong, Path("result.json"))


def test_energies_over_that_of_the_first_row():
    seeds = [
        {**RESULTS[0], "energy": 6.0, "energy_by": {"bank_bit": 2.0, "add8": 4.0}},
        {**RESULTS[2], "energy": 10.0, "energy_by": {"bank_bit": 2.0, "add8": 8.0}},
    ]
    rows = energy_rows([*seeds, {**RESULTS[1], "energy": 2.0, "energy_by": {"bank_bit": 1.0, "add8": 1.0}}])
    assert [(row["weight_bits"], row["seeds"], row["energy"]) for row in rows] == [("float", 2, 8), (4, 1, 2)]
    assert [rows[0][key] for key in ("ratio", "lowest", "highest")] == [1, 1, 1]
    # 2 of 8 are a mean: 1.5 of 7 with access to memory halved, 3 of 10 with it doubled, 1.5 of 5 and 3 of 14 with additions.
    assert [rows[1][key] for key in ("ratio", "lowest", "highest")] == pytest.approx([0.25, 3 / 14, 0.3])
    # With both at once the ratio has more room than with one, and less than with one at each end.
    assert 2.5 / 13 < rows[1]["low"] < 3 / 14 and 0.3 < rows[1]["high"] < 2.5 / 7
    # A third and a fifth of the energy of two points, by their mean; a half of the other's.
    assert [row["memory"] for row in rows] == pytest.approx([(2 / 6 + 2 / 10) / 2, 0.5])
    *_, twin, four = energy_markdown(rows).splitlines()
    assert twin == "| float | 2 | 8 | 27% | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |"
    assert four.startswith("| 4 | 1 | 2 | 50% | 0.25 | ") and four.endswith(" | 0.21 | 0.30 |")
    # Energies that are not there by coefficient have a ratio alone.
    rows = energy_rows([*seeds, RESULTS[1]])
    assert [rows[1][key] for key in ("ratio", "low", "lowest", "memory")] == [7 / 8, None, None, None]
    assert energy_markdown(rows).endswith("| 4 | 1 | 7 | - | 0.88 | - | - | - | - |\n")


def test_plots_name_every_point(tmp_path):
    for name in plot_all(RESULTS, tmp_path):
        text = (tmp_path / name).read_text()
        if name in ("bits.svg", "layers.svg"):
            assert ">4<" in text and ">float<" in text and text.index(">4<") < text.index(">float<"), name
        else:
            assert ">weight_bits float<" in text and ">weight_bits 4<" in text, name
        assert (">pool1<" in text) == (name in ("layers.svg", "sparsity.svg")), name
        assert (">latency<" in text) == (name == "latency.svg"), name


def drawn(monkeypatch, results, kind):
    """What the plots of a kind were called with, in their order."""
    calls = []
    monkeypatch.setattr(plots, kind, lambda *args: calls.append(args))
    for _, plot in drawings(results).values():
        if plot.func is getattr(plots, kind):
            plot(None)
    return calls


def test_a_line_goes_through_what_nothing_betters(monkeypatch):
    """Energies and accuracies of which the second is worse than the first, and the fourth no better than the third."""
    points = [(3.0, 0.5), (4.0, 0.4), (1.0, 0.3), (2.0, 0.3), (9.0, 0.8)]
    results = [{**result(bits, 1, accuracy, 2), "energy": energy} for bits, (energy, accuracy) in enumerate(points, 2)]
    fronts = [args[1] for args in drawn(monkeypatch, results, "plot_points")]
    assert fronts == [[(1.0, 0.3), (3.0, 0.5), (9.0, 0.8)], []]


def test_lines_against_bits_by_hand(monkeypatch):
    others = [{**one, "settings": {**one["settings"], "timesteps": 4}} for one in (result(8, 1, 0.6, 3), result(4, 1, 0.5, 3))]
    accuracy, sparsity, _ = drawn(monkeypatch, [*RESULTS, *others, result(10, 1, 0.4, 1)], "plot_lines")
    assert list(accuracy[0]) == ["timesteps 2", "timesteps 4"] and accuracy[1] == ["4", "8", "10", "float"]
    assert accuracy[0]["timesteps 2"] == {
        "float": (pytest.approx(0.8), pytest.approx(0.1 * 2**0.5)), "4": (0.8, None), "10": (0.4, None)
    }  # fmt: skip
    assert accuracy[0]["timesteps 4"] == {"8": (0.6, None), "4": (0.5, None)}
    assert sparsity[0]["conv1"]["float"] == (pytest.approx(0.7), pytest.approx(0.2 / 2**0.5))
    assert sparsity[3].endswith("timesteps 2")
    # One setting of bits alone has nothing to be drawn against.
    assert [args[2] for args in drawn(monkeypatch, others[:1], "plot_lines")] == ["sparsity"]


def test_layers_by_timestep_and_stages():
    uneven = [result("float", seed, 0.9, 4) for seed in (1, 2)]
    uneven[1]["layers"]["conv1"]["spikes"] = [4, 9]
    rows = layer_rows([*uneven, result(4, 1, 0.8, 2)])
    first = [row for row in rows if row["weight_bits"] == "float" and row["layer"] == "conv1"]
    # 40 slots are 20 neurons in each of two timesteps.
    assert [(row["timestep"], row["seeds"], row["sparsity"]) for row in first] == [(0, 2, 0.8), (1, 2, pytest.approx(0.675))]
    assert first[0]["sparsity_spread"] == 0 and first[1]["sparsity_spread"] == pytest.approx(0.125 * 2**0.5)
    assert len(rows) == 12
    rows = stage_rows(RESULTS)
    assert [(row["weight_bits"], row["stage"], row["busy"]) for row in rows] == [
        *(("float", "conv1", 60), ("float", "fc1", 4)),
        *((4, "conv1", 20), (4, "fc1", 4)),
    ]
    assert rows[0]["busy_spread"] == pytest.approx(20 * 2**0.5) and rows[0]["stall_out"] == 1


def test_synthesised_points_tell_their_area():
    area = {"lut": 300.0, "lut_ram": 20.0, "block_ram": 1.5}
    rows = summary([RESULTS[0], {**RESULTS[1], "area": area, "static": 9.0}])
    assert [(row["luts"], row["block_ram"], row["static"]) for row in rows] == [(None, None, None), (320, 1.5, 9)]
    text = as_markdown(rows)
    assert "| luts | block ram | static |" in text and "| 320 | 1.5 | 9 |" in text and "| - | - | - |" in text
    assert "luts" not in summary(RESULTS)[0]
