"""The command energy as a user runs it."""

import json

import pytest

from duospike.reference.modelfile import save_model
from tests.benches.commands import run
from tests.benches.small_networks import small_network


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(small_network(), path)
    return path


def test_energy_prints_and_writes(model, tmp_path, capsys):
    assert run("energy", model, "--data", "random", "--images", 3, "--out", tmp_path / "energy") == 0
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "energy" / "energy.json").read_text())
    assert report["images"] == 3 and list(report["stages"]) == ["conv1", "conv2", "pool1", "fc1"]
    assert sum(one for parts in report["stages"].values() for one in parts.values()) == pytest.approx(report["total"])
    assert report["float_ratio"] == pytest.approx(report["float_total"] / report["total"])
    for text in ("modelled", "conv2", "sums, state", f"{report['total']:.0f} nJ an image", f"{report['float_ratio']:.1f} times"):
        assert text in printed


def test_more_lanes_than_outputs_cost_more(model, tmp_path, capsys):
    """Three outputs in two groups of two lanes: the fourth lane works for nothing."""
    totals = []
    for lanes in ("conv1=3", "conv1=2"):
        assert run("energy", model, "--data", "random", "--lanes", lanes, "--out", tmp_path / "energy") == 0
        stages = json.loads((tmp_path / "energy" / "energy.json").read_text())["stages"]
        totals.append(stages["conv1"]["products"])
    assert totals[1] == pytest.approx(totals[0] * 4 / 3)


def test_bad_input_is_one_line(model, capfd):
    assert run("energy", model, "--data", "nothing") == 2
    assert capfd.readouterr().err.strip().splitlines()[-1].startswith("duospike: error: data 'nothing'; allowed: ")


@pytest.mark.slow
def test_a_clock_adds_what_leaks(model, tmp_path, capsys):
    words = (model, "--data", "random", "--images", 3, "--lanes", "conv1=2")
    assert run("energy", *words, "--clock", 50, "--out", tmp_path / "energy") == 0
    assert run("synth", model, "--lanes", "conv1=2", "--out", tmp_path / "areas") == 0
    assert run("cycles", *words, "--out", tmp_path / "cycles") == 0
    static = json.loads((tmp_path / "energy" / "energy.json").read_text())["static"]
    areas = json.loads((tmp_path / "areas" / "areas.json").read_text())["stages"]
    interval = json.loads((tmp_path / "cycles" / "cycles.json").read_text())["interval"]
    # 24 mA at 1.2 V, shared by 22,528 LUTs, for so many cycles of 20 ns.
    for area in areas:
        leaks = (area["lut"] + area["lut_ram"]) * 0.0288 / 22528 * interval * 20
        assert static["stages"][area["name"]] == pytest.approx(leaks)
    assert static["total"] == pytest.approx(sum(static["stages"].values()))
    assert f"static: {static['total']:.0f} nJ an image" in capsys.readouterr().out
