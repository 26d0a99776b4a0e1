"""The command synth as a user runs it: what it prints and writes, and every bad input as one clear line."""

import json

import pytest
from commands import run
from small_networks import small_network
from test_shipped_model import MODEL

from reference.modelfile import save_model

# Yosys takes two minutes of an idle processor for the shipped network.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(small_network("2C3-MP2-FC3", (1, 6, 6)), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("family, lut", [("xcup", "LUT6"), ("ecp5", "LUT4")])
def test_synth_prints_and_writes_areas(family, lut, model, tmp_path, capsys):
    out = tmp_path / "areas"
    assert run("synth", model, "--family", family, "--multipliers", "lut", "--lanes", "1", "--out", out) == 0
    printed = capsys.readouterr().out
    report = json.loads((out / "areas.json").read_text())
    assert (report["family"], report["multipliers"], report["top"], report["units"]["lut"]) == (family, "lut", "accelerator", lut)
    assert [stage["name"] for stage in report["stages"]] == ["conv1", "pool1", "fc1", "readout"]
    assert report["total"]["lut"] == sum(stage["lut"] for stage in report["stages"]) > 100
    for name in ("conv1", "sparse_fc", "readout", "total", str(report["total"]["lut"]), str(report["total"]["ff"])):
        assert name in printed, name
    for module in report["modules"]:
        assert not module["cells"] or module["name"] in printed
    assert "module accelerator(" in (out / "netlist.v").read_text()
    assert "Executing" in (out / "yosys.log").read_text()


@pytest.mark.slow
def test_the_shipped_network_is_mapped_whole(tmp_path):
    assert run("synth", MODEL, "--out", tmp_path / "areas") == 0
    report = json.loads((tmp_path / "areas" / "areas.json").read_text())
    areas = {stage["name"]: stage for stage in report["stages"]}
    assert list(areas) == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "fc2", "readout"]
    # 3x3 kernel, one channel, 8 lanes.
    assert {name: area["dsp"] for name, area in areas.items() if area["dsp"]} == {"conv1": 72}
    assert areas["fc1"]["block_ram"] > 20


def bad_inputs(tmp_path):
    """What is wrong -> the words of the command and what its message must hold."""
    (tmp_path / "foreign.safetensors").write_bytes(b"PK\x03\x04 not a model")
    model, out = tmp_path / "model.safetensors", tmp_path / "out"
    return {
        "missing model": (["synth", tmp_path / "no.safetensors"], "no.safetensors"),
        "foreign model": (["synth", tmp_path / "foreign.safetensors", "--out", out], "foreign.safetensors"),
        "lanes of no layer": (["synth", model, "--lanes", "conv9=1", "--out", out], "'conv9'"),
        "too many lanes": (["synth", model, "--lanes", "9"], "layer conv1: 9 lanes; allowed: 1 to 2"),
        "folder of others": (["synth", model, "--out", tmp_path], "holds other files"),
    }


@pytest.mark.parametrize("wrong", ["missing model", "foreign model", "lanes of no layer", "too many lanes", "folder of others"])
def test_bad_input_is_one_line_and_leaves_nothing(wrong, model, tmp_path, capfd):
    words, expected = bad_inputs(tmp_path)[wrong]
    before = sorted(tmp_path.rglob("*"))
    assert run(*words) == 2
    message = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert len(message) == 1 and message[0].startswith("duospike: error: ") and expected in message[0], message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("option", [["--family", "max10"], ["--multipliers", "some"]])
def test_unknown_choices_are_refused(option, model, capfd):
    with pytest.raises(SystemExit) as refused:
        run("synth", model, *option)
    assert refused.value.code == 2 and option[1] in capfd.readouterr().err


def test_a_missing_yosys_names_its_package(model, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("synth", model, "--out", tmp_path / "out") == 2
    assert "yosys is not installed; on Debian: apt-get install yosys" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
