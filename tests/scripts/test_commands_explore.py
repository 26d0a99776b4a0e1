"""The commands explore and cycles as a user runs them: what they print and write, and that other commands read it."""

import json

import numpy as np
import pytest

from duospike.cosim.design.sizing_file import RENAMED, read_sizing
from duospike.reference.modelfile import save_model
from tests.benches.commands import run
from tests.benches.small_networks import small_network


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(small_network("4C3-6C3-MP2-FC12-FC6", (1, 8, 9)), path)
    return path


@pytest.mark.slow
def test_what_explore_writes_makes_hardware_of_the_cycles_it_says(model, tmp_path, capsys):
    out, images = tmp_path / "explored", ("--data", "random", "--images", 3)
    assert run("explore", model, "--budget", "lanes=12", *images, "--out", out) == 0
    printed = capsys.readouterr().out
    report = json.loads((out / "explore.json").read_text())
    assert (report["budget"], report["unit"], report["clock"]) == ({"kind": "lanes", "amount": 12}, "lanes", 100e6)
    chosen = report["chosen"]
    assert chosen["cost"] == sum(chosen["sizing"]["lanes"].values()) <= 12
    assert read_sizing(out / "sizing.toml") == {RENAMED.get(key, key): value for key, value in chosen["sizing"].items()}
    assert (out / "sizing.toml").read_text().startswith(f"# Chosen for '{model}', lanes=12, least interval:\n# 12 lanes: ")
    assert (out / "front.svg").read_text().startswith("<?xml")
    for text in ("Pareto front", "chosen", "sparse_conv", f"an image each {chosen['interval']:.0f} cycles"):
        assert text in printed
    costs = [choice["cost"] for choice in report["front"]]
    assert chosen["cost"] in costs and len(costs) > 2

    sizing = ("--sizing", out / "sizing.toml")
    assert run("cycles", model, *images, *sizing, "--out", tmp_path / "cycles") == 0
    cycles = json.loads((tmp_path / "cycles" / "cycles.json").read_text())
    assert run("cosim", model, *images, *sizing, "--out", tmp_path / "cosim") == 0
    cosim = json.loads((tmp_path / "cosim" / "report.json").read_text())
    assert cycles["cycles"] == cosim["total_cycles"]
    assert cycles["latency"] == chosen["latency"] == cosim["images"][0]["cycles"]
    for key, same in (("busy", "busy_cycles"), ("events", "events"), ("stall_in", "stall_in"), ("stall_out", "stall_out")):
        # Counters of the whole run against their means.
        assert [round(3 * stage[key]) for stage in cycles["stages"]] == [stage[same] for stage in cosim["stages"]]
    assert [stage["lanes"] for stage in cosim["stages"] if stage["name"] in chosen["sizing"]["lanes"]] == [
        *chosen["sizing"]["lanes"].values()
    ]
    assert run("convert", model, *sizing, "--lanes", "conv1=1", "--out", tmp_path / "hdl") == 0
    manifest = json.loads((tmp_path / "hdl" / "manifest.json").read_text())
    assert manifest["sizing"] == chosen["sizing"] | {"lanes": chosen["sizing"]["lanes"] | {"conv1": 1}}


def test_cycles_prints_and_plots(model, tmp_path, capsys):
    np.save(tmp_path / "images.npy", np.zeros((2, 1, 8, 9), np.uint8))
    assert run("cycles", model, "--data", tmp_path / "images.npy", "--images", 1) == 0
    printed = capsys.readouterr().out
    assert "1 image in " in printed and "an image each" not in printed
    out = tmp_path / "cycles"
    assert run("cycles", model, "--data", "random", "--images", 2, "--out", out) == 0
    assert "2 images in " in capsys.readouterr().out
    names = ("conv1", "conv2", "pool1", "fc1", "fc2", "readout")
    for plot in ("cycles.svg", "gantt.svg"):
        text = (out / plot).read_text()
        assert all(f">{name}<" in text for name in names), plot
    report = json.loads((out / "cycles.json").read_text())
    assert list(report["lasts"]) == ["source", *names]
    assert report["interval"] == report["lasts"]["readout"][1] - report["lasts"]["readout"][0]
    # The same run gives the same bytes.
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    assert run("cycles", model, "--data", "random", "--images", 2, "--out", out) == 0
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_without_matplotlib_there_is_no_plot(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("duospike.cosim.pages.plots.available", lambda: False)
    assert run("cycles", model, "--data", "random", "--out", tmp_path / "cycles") == 0
    assert "no plot, since matplotlib is missing" in capsys.readouterr().out
    assert sorted(file.name for file in (tmp_path / "cycles").iterdir()) == [".duospike", "cycles.json"]
    assert run("explore", model, "--budget", "lanes=9", "--data", "random", "--no-front", "--out", tmp_path / "out") == 0
    assert "no plot, since matplotlib is missing" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_budget_of_luts_is_kept_by_synthesis(model, tmp_path):
    out = tmp_path / "explored"
    words = ("--data", "random", "--images", 2, "--no-front", "--out", out)
    assert run("explore", model, "--budget", "luts=9000", *words) == 0
    chosen = json.loads((out / "explore.json").read_text())["chosen"]
    assert run("synth", model, "--sizing", out / "sizing.toml", "--out", tmp_path / "areas") == 0
    total = json.loads((tmp_path / "areas" / "areas.json").read_text())["total"]
    assert chosen["luts"] == total["lut"] + total["lut_ram"] <= 9000


def bad_inputs(tmp_path):
    """What is wrong -> the words of the command and what its message must hold."""
    (tmp_path / "bad.toml").write_text("[lanes]\nconv9 = 1\n")
    model, out = tmp_path / "model.safetensors", tmp_path / "out"
    images = ("--data", "random", "--images", 2)
    return {
        "missing model": (["explore", tmp_path / "no.safetensors", "--budget", "lanes=9", "--out", out], "no.safetensors"),
        "budget too small": (["explore", model, "--budget", "lanes=3", *images, "--out", out], "budget of 3; allowed: 4 or more"),
        "too fast": (["explore", model, "--budget", "fps=1e8", *images, "--out", out], "an image each 1 cycles; allowed"),
        "latency at a rate": (
            ["explore", model, "--budget", "fps=9", "--minimize", "latency", *images, "--out", out], "allowed: lanes or luts"
        ),
        "slack for a rate": (["explore", model, "--budget", "fps=9", "--slack", 5, *images, "--out", out], "slack applies only"),
        "slack for latency": (
            ["explore", model, "--budget", "lanes=9", "--minimize", "latency", "--slack", 5, *images, "--out", out], "slack"
        ),
        "passes": (
            ["explore", model, "--budget", "lanes=9", "--pass-timesteps", 3, *images, "--out", out], "a pass; allowed: 1, 2"
        ),
        "sizing of another network": (["cycles", model, *images, "--sizing", tmp_path / "bad.toml"], "lanes for 'conv9'"),
        "no sizing": (["cosim", model, *images, "--sizing", tmp_path / "no.toml", "--out", out], "no.toml: not found"),
        "folder of others": (["cycles", model, *images, "--out", tmp_path], "holds other files"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        "missing model", "slack for a rate", "slack for latency", "budget too small", "too fast", "latency at a rate", "passes",
        "sizing of another network", "no sizing", "folder of others",
    ],
)  # fmt: skip
def test_bad_input_is_one_line_and_leaves_nothing(wrong, model, tmp_path, capfd):
    words, expected = bad_inputs(tmp_path)[wrong]
    before = sorted(tmp_path.rglob("*"))
    assert run(*words) == 2
    message = [line for line in capfd.readouterr().err.splitlines() if line.strip() and not line.endswith(" ...")]
    assert len(message) == 1 and message[0].startswith("duospike: error: ") and expected in message[0], message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "option, message",
    [
        (["--budget", "lanes"], "'lanes' is none of lanes=N, luts=N (whole numbers) and fps=N"),
        (["--budget", "area=3"], "'area=3' is none of"),
        (["--budget", "lanes=-1"], "'lanes=-1' is none of"),
        (["--budget", "fps=inf"], "'fps=inf' is none of"),
        (["--budget", "lanes=9.7"], "'lanes=9.7' is none of"),
        (["--budget", "fps=1e-300"], "'fps=1e-300' is none of"),
        (["--budget", "lanes=9", "--clock", "9" * 400], "is not a whole number from 1 to 100000"),
        (["--budget", "lanes=9", "--slack", "-1"], "'-1' is not a percentage from 0 up"),
        (["--budget", "lanes=9", "--slack", "nan"], "'nan' is not a percentage from 0 up"),
        (["--budget", "lanes=9", "--minimize", "area"], "'area'"),
    ],
)
def test_unknown_choices_are_refused(option, message, model, tmp_path, capfd):
    with pytest.raises(SystemExit) as refused:
        run("explore", model, *option, "--out", tmp_path / "out")
    assert refused.value.code == 2 and message in capfd.readouterr().err
