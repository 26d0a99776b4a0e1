"""The commands convert and cosim as a user runs them: what they write, and every bad input as one clear line."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from duospike.reference.modelfile import find_model, save_model
from duospike.scripts import demo, doctor
from tests.benches.commands import run
from tests.benches.fashion_files import write_fashion
from tests.benches.small_networks import small_network


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(small_network(), path)
    return path


def test_convert_writes_a_folder_that_icarus_compiles(model, tmp_path, capsys):
    assert run("convert", model, "--out", tmp_path / "hdl", "--lanes", "conv2=3") == 0
    assert "top accelerator, lanes conv1=3, conv2=3, fc1=6" in capsys.readouterr().out
    subprocess.run(["iverilog", "-o", "x.vvp", "-c", "accelerator.f"], cwd=tmp_path / "hdl", check=True)


def test_cosim_compares_and_reports(model, tmp_path, capsys):
    assert run("cosim", model, "--out", tmp_path / "run", "--data", "random", "--images", "3", "--waves") == 0
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert (report["bit_exact"], report["mismatch"], report["simulator"]) == (True, None, "icarus")
    assert [stage["name"] for stage in report["stages"]] == ["conv1", "conv2", "pool1", "fc1", "readout"]
    assert [image["index"] for image in report["images"]] == [0, 1, 2]
    for image in report["images"]:
        assert image["predicted_class"] == image["expected_class"]
        assert 0 < image["cycles"] <= report["total_cycles"]
    for stage in report["stages"]:
        in_each_cycle = stage["busy_cycles"] + stage["stall_in"] + stage["stall_out"]
        assert in_each_cycle == report["total_cycles"] - 1
    assert (tmp_path / "run" / "waves.fst").stat().st_size > 0
    assert "bit-exact in icarus: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "command, written",
    [
        ("cosim", "report.json"), ("convert", "manifest.json"), ("cycles", "cycles.json"), ("energy", "energy.json"),
        ("evaluate", "evaluation.json"), ("explore", "explore.json"),
        pytest.param("synth", "areas.json", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_without_out_each_command_has_a_folder_of_the_model(command, written, model, here, capfd):
    random = ["--data", "random", "--limit" if command == "evaluate" else "--images", 1]
    more = {"convert": [], "synth": [], "explore": [*random, "--budget", "lanes=5", "--no-front"]}.get(command, random)
    assert run(command, model, *more) == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines()[-1] == f"wrote runs/model-{command}"
    assert (here / "runs" / f"model-{command}" / written).is_file()
    # Nobody watches a spinner where stderr is a pipe.
    assert captured.err.splitlines()[0].endswith(" ...")
    assert len(set(captured.err.splitlines())) == len(captured.err.splitlines())


def test_cosim_says_of_each_image_whether_it_is_right(model, tmp_path, capsys):
    (tmp_path / "data").mkdir()
    write_fashion(tmp_path / "data", "t10k", 2, [0, 1])
    other = tmp_path / "other.safetensors"
    assert run("random", "3C3-FC10", "--input", "1x28x28", "--out", other) == 0
    assert run("cosim", other, "--data", tmp_path / "data") == 0
    out = capsys.readouterr().out
    answers = re.findall(r"image (.): label (.), hardware (.), reference (.), (right|wrong), [0-9]+ cycles", out)
    assert len(answers) == 2
    for image, label, hardware, reference, verdict in answers:
        assert label == image and hardware == reference and (verdict == "right") == (label == hardware)
    right = sum(verdict == "right" for *_, verdict in answers)
    assert f"accuracy of the hardware: {right} of 2 images, {right / 2:.2%}" in out


def test_the_demo_says_what_it_did_with_and_without_fashion_mnist(monkeypatch, here, capsys):
    """On a small network in place of the shipped one."""
    save_model(small_network(), here / "model.safetensors")
    monkeypatch.setattr(demo, "MODEL", str(here / "model.safetensors"))
    monkeypatch.setattr(doctor, "FASHION_MNIST", here / "none")
    assert run("demo") == 0
    out = capsys.readouterr().out
    assert "two random images (seed 0)" in out and "apt-get install dataset-fashion-mnist" in out
    assert "bit-exact in icarus" in out and "duospike report runs/demo " in out
    assert json.loads((here / "runs" / "demo" / "report.json").read_text())["data"]["source"] == "random"


def test_the_demo_of_the_makefile_is_the_commands():
    assert "\t.venv/bin/duospike demo\n" in (Path(__file__).parents[2] / "Makefile").read_text()
    assert find_model(demo.MODEL).is_file() and find_model(demo.MODEL).with_suffix(".toml").is_file()


def test_cosim_takes_images_from_a_file(model, tmp_path):
    np.save(tmp_path / "images.npy", np.full((2, 1, 6, 7), 200, np.uint8))
    assert run("cosim", model, "--out", tmp_path / "run", "--data", tmp_path / "images.npy") == 0


def test_a_wrong_weight_in_the_hardware_makes_cosim_fail_with_the_first_difference(model, tmp_path, capsys, monkeypatch):
    import duospike.cosim.design.plan

    def plant(network, sizing, plan=duospike.cosim.design.plan.plan_stages):
        stages = plan(network, sizing)
        weights = stages["conv2"].weights
        object.__setattr__(weights, "words", tuple(word ^ 0b100 for word in weights.words))
        return stages

    monkeypatch.setattr(duospike.cosim.design.plan, "plan_stages", plant)
    assert run("cosim", model, "--out", tmp_path / "run", "--data", "random") == 1
    mismatch = json.loads((tmp_path / "run" / "report.json").read_text())["mismatch"]
    assert (mismatch["image"], mismatch["stage"]) == (0, "conv2")
    assert "NOT EQUAL: image 0, stage conv2, timestep" in capsys.readouterr().out


def bad_inputs(tmp_path):
    """What is wrong -> the words of the command and what its message must hold."""
    truncated, foreign, readonly = tmp_path / "t.safetensors", tmp_path / "f.safetensors", tmp_path / "file"
    truncated.write_bytes((tmp_path / "model.safetensors").read_bytes()[:500])
    foreign.write_bytes(b"PK\x03\x04 not a model")
    readonly.write_text("a file where a folder is wanted")
    np.save(tmp_path / "shape.npy", np.zeros((2, 1, 6, 8), np.uint8))
    np.save(tmp_path / "type.npy", np.zeros((2, 1, 6, 7), np.float32))
    np.save(tmp_path / "range.npy", np.full((2, 1, 6, 7), 256, np.int16))
    model, out = tmp_path / "model.safetensors", tmp_path / "out"
    cosim = ["cosim", model, "--out", out]
    return {
        "missing model": (["convert", tmp_path / "no.safetensors", "--out", out], "no.safetensors"),
        "truncated model": (["convert", truncated, "--out", out], "t.safetensors"),
        "foreign model": (["cosim", foreign, "--out", out], "f.safetensors"),
        "lanes 0": (["convert", model, "--out", out, "--lanes", "conv1=0"], "layer conv1: 0 lanes; allowed: 1 to 3"),
        "too many lanes": (["convert", model, "--out", out, "--lanes", "7"], "layer conv1: 7 lanes; allowed: 1 to 3"),
        "lanes of no layer": ([*cosim, "--lanes", "conv9=1"], "'conv9'"),
        "unwritable folder": (["convert", model, "--out", readonly / "out"], "file"),
        "folder of others": (["convert", model, "--out", tmp_path], "holds other files"),
        "images of another shape": ([*cosim, "--data", tmp_path / "shape.npy"], "1, 6, 8)"),
        "images of another type": ([*cosim, "--data", tmp_path / "type.npy"], "float32"),
        "pixels out of range": ([*cosim, "--data", tmp_path / "range.npy"], "256"),
        "missing data": ([*cosim, "--data", tmp_path / "none.npy"], "none.npy"),
        "data set for another shape": ([*cosim, "--data", "fashion-mnist"], "28"),
        "unknown data": ([*cosim, "--data", "imagenet"], "imagenet"),
    }


BAD = ["missing model", "truncated model", "foreign model", "lanes 0", "too many lanes", "lanes of no layer", "unwritable folder",
       "folder of others", "images of another shape", "images of another type", "pixels out of range", "missing data",
       "data set for another shape", "unknown data"]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(wrong, model, tmp_path, capfd):
    words, expected = bad_inputs(tmp_path)[wrong]
    before = sorted(tmp_path.rglob("*"))
    assert run(*words) == 2
    captured = capfd.readouterr()
    message = [line for line in captured.err.splitlines() if line.strip()]
    assert len(message) == 1 and message[0].startswith("duospike: error: ") and expected in message[0], message
    assert sorted(tmp_path.rglob("*")) == before


def test_a_missing_simulator_names_its_package(model, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("cosim", model, "--out", tmp_path / "run", "--data", "random") == 2
    assert "iverilog is not installed; on Debian: apt-get install iverilog" in capfd.readouterr().err
    assert not (tmp_path / "run").exists()
