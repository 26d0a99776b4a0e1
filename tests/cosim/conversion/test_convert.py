"""Conversion: hierarchy, stable bytes, nothing that Verilator or Icarus complains of."""

import dataclasses
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from duospike.cosim.conversion.convert import convert, write_modules
from duospike.cosim.conversion.elaboration import quick_inspection
from duospike.cosim.design.build import build_accelerator, build_stage, convert_stages
from duospike.cosim.design.hdl_folder import write_hdl
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.errors import CosimError
from duospike.reference.modelfile import save_model
from tests.benches.small_networks import small_network, small_stages

ROOT = Path(__file__).parents[3]
SLOW = pytest.mark.slow


@pytest.mark.parametrize("architecture, shape, settings", [
    ("3C3-5C3-MP2-FC6", (1, 6, 7), {}),
    ("3C5s2p1-4C4s3-2C3-FC6", (1, 9, 8), {}),
    pytest.param("2C1-3C1-FC7-FC6", (3, 5, 3), {"timesteps": 1, "image_bits": 1}, marks=SLOW),
    pytest.param("3C5-2C5-FC3", (2, 4, 3), {"timesteps": 3, "image_signed": True, "reset": "subtract_delayed"}, marks=SLOW),
    pytest.param("3C3-5C3-MP2-FC6", (1, 6, 7), {"timesteps": 8, "coding": "rate", "reset": "subtract_delayed"}, marks=SLOW),
    pytest.param("66C1-3C3-FC6", (1, 3, 3), {"timesteps": 5, "coding": "events", "image_bits": 1}, marks=SLOW),
    pytest.param("FC7-FC6", (3, 2, 5), {"timesteps": 4}, marks=SLOW),
    pytest.param("FC7-FC6", (9, 2, 5), {"timesteps": 4, "coding": "frames", "image_signed": True}, marks=SLOW),
    pytest.param("3C3-FC6", (2, 4, 3), {"timesteps": 6, "coding": "frames"}, marks=SLOW),
])  # fmt: skip
def test_verilator_and_icarus_have_nothing_to_say(architecture, shape, settings, tmp_path):
    network = small_network(architecture, shape, **settings)
    stages = small_stages(network)
    write_hdl(network, choose_sizing(network), stages, convert_stages(stages), tmp_path)
    lint = ["verilator", "--lint-only", "-Wall", "-f", "verilator.f"]
    icarus = ["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "/dev/null", "-c", "accelerator.f"]
    for command in (lint, icarus):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        # Icarus warns of `@*` only to praise it; MyHDL writes its sensitivity lists out.
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_each_module_is_converted_once_and_keeps_its_instance_names():
    modules = convert(build_accelerator(small_stages(small_network("4C3-4C3-4C3-FC6"))), "accelerator")
    names = [module.name for module in modules]
    assert len(set(names)) == len(names)
    top = modules[-1].text
    assert re.findall(r"^\w+ (\w+) \($", top, re.MULTILINE)[1:] == ["conv1", "conv2", "conv3", "fc1", "readout"]
    # The sparse convolutions have the same shape, and so share a queue of events, and all convolutions one of spikes.
    counts = Counter(name.rsplit("_", 1)[0] for name in names)
    assert (counts["event_queue"], counts["fifo"]) == (2, 4)
    for module in modules:
        for used in re.findall(r"^(\w+_[0-9a-f]{8}) \w+ \($", module.text, re.MULTILINE):
            assert names.index(used) < names.index(module.name)


def renumbered(module):
    """A module with the numbers in the names of signals of wiring counted from 1 in the order of the text.

    MyHDL numbers the blocks of a design, and in a whole design there are more.
    """
    numbers = {}

    def renumber(found):
        return f"{found[1]}{numbers.setdefault(found[0], len(numbers) + 1)}"

    return dataclasses.replace(module, text=re.sub(r"(?<=_)(pack|take_\w+?)(\d+)(?=_)", renumber, module.text))


@pytest.mark.parametrize("language", ["verilog", pytest.param("vhdl", marks=pytest.mark.slow)])
def test_one_level_at_a_time_gives_what_the_whole_design_gives(language, monkeypatch):
    stages = small_stages(small_network("3C3-5C3-MP2-FC6", timesteps=6, coding="rate"))
    modules = convert_stages(stages, language)
    monkeypatch.setattr("duospike.cosim.design.build.one_level", quick_inspection)
    monkeypatch.setattr("duospike.cosim.conversion.convert.one_level", quick_inspection)
    assert [*map(renumbered, modules)] == [*map(renumbered, convert_stages(stages, language))]


def test_a_name_follows_the_parameters_and_not_the_weights():
    one, other = (small_stages(small_network(seed=seed))["conv2"] for seed in (1, 2))
    assert one.weights.words != other.weights.words
    assert one.weights == other.weights
    narrow, wide = (small_stages(small_network(), {"conv2": lanes})["conv2"] for lanes in (2, 3))
    assert convert(build_stage(narrow))[-1].name != convert(build_stage(wide))[-1].name


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes_in_every_process(tmp_path):
    save_model(small_network(), tmp_path / "model.safetensors")
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-m", "duospike", "convert", tmp_path / "model.safetensors", "--out", tmp_path / seed]
        subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True)
    first, *others = [{file.name: file.read_bytes() for file in (tmp_path / seed).iterdir()} for seed in ("0", "1", "2")]
    assert "manifest.json" in first and all(other == first for other in others)


def test_hex_files_hold_the_words(tmp_path):
    stage = small_stages(small_network())["conv2"]
    write_modules(convert(build_stage(stage)), tmp_path)
    for table in (stage.weights, stage.bias, stage.neuron.theta):
        assert [int(line, 16) for line in (tmp_path / table.path).read_text().split()] == list(table.words)


def test_a_name_that_stands_for_two_modules_is_refused(monkeypatch):
    monkeypatch.setattr("duospike.cosim.conversion.convert.module_name", lambda block, arguments: block)
    with pytest.raises(CosimError, match="module name rom has two sets of parameters"):
        convert(build_stage(small_stages(small_network())["conv2"]))
