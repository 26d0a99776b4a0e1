"""The same designs in VHDL: GHDL gives the bits and cycles that Icarus gives with Verilog. See test_accelerator.py, too."""

import subprocess

import pytest

from duospike.cosim.conversion.convert import convert, write_modules
from duospike.cosim.design.build import build_accelerator
from duospike.cosim.simulation.network_run import run_network
from duospike.reference.data.datasets import random_images
from tests.benches.small_networks import small_network, small_stages

CASES = [("3C3-5C3-MP2-FC6", (1, 6, 7), None, {})]
SLOW_CASES = [
    ("2C1-3C1-FC7-FC6", (3, 5, 3), 1, {"timesteps": 1, "image_bits": 1, "reset": "zero"}),
    ("3C5-2C5-FC3", (2, 4, 3), None, {"timesteps": 3, "image_signed": True, "reset": "subtract_delayed"}),
    ("9C3-20C3-MP2-10C1-FC9", (1, 9, 8), {"conv1": 5, "conv2": 3, "conv3": 10, "fc1": 2}, {"weight_bits": 8, "timesteps": 4}),
]


@pytest.mark.parametrize(
    "architecture, shape, lanes, settings", [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW_CASES)]
)
def test_ghdl_and_icarus_agree_on_bits_cycles_and_counters(architecture, shape, lanes, settings, tmp_path):
    network = small_network(architecture, shape, **settings)
    stages = small_stages(network, lanes)
    images = random_images(2, shape, network.pixel_range, 1)
    runs = {}
    for simulator in ("icarus", "ghdl"):
        (tmp_path / simulator).mkdir()
        runs[simulator] = run_network(network, stages, images, tmp_path / simulator, simulator=simulator)
        assert runs[simulator].mismatch is None
    assert runs["ghdl"].outcome.cycles == runs["icarus"].outcome.cycles
    assert runs["ghdl"].activity == runs["icarus"].activity


@pytest.mark.slow
def test_hierarchy_names_and_hex_files_are_those_of_the_verilog(tmp_path):
    stages = small_stages(small_network())
    modules = {language: convert(build_accelerator(stages), "accelerator", language) for language in ("verilog", "vhdl")}
    package, *entities = modules["vhdl"]
    assert package.file.startswith("pck_myhdl")
    assert [entity.name for entity in entities] == [module.name for module in modules["verilog"]]
    assert [entity.tables for entity in entities] == [module.tables for module in modules["verilog"]]
    for entity, module in zip(entities, modules["verilog"], strict=True):
        assert set(entity.ports) == set(module.ports)
    files = write_modules(modules["vhdl"], tmp_path)
    done = subprocess.run(["ghdl", "-a", "--std=08", *files], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
