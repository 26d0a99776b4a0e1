import re
from collections import Counter

import pytest

from duospike.cosim.conversion.convert import Module, convert, write_modules
from duospike.cosim.design.build import build_accelerator, build_stage
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.families import XCUP
from duospike.cosim.synthesis.report import block_of, make_report, stages_with
from duospike.cosim.synthesis.synthesize import (
    Area,
    Synthesis,
    area_of,
    check_design,
    instances_in,
    read_cells,
    split_netlist,
    synthesize,
)
from duospike.cosim.synthesis.yosys import run_yosys
from duospike.reference.network import Conv, Linear
from tests.benches.small_networks import small_network, small_stages
from tests.benches.stage_bench import plan_stage, random_layer

# Yosys takes up to a minute of an idle processor for a stage.
pytestmark = pytest.mark.timeout(900)

TOP = "module top(input clk, input a, input b, output c);\n"


def synthesis_of(cells, children, stages):
    netlists = dict.fromkeys(cells, "")
    counters = {name: Counter(held) for name, held in cells.items()}, {name: Counter(held) for name, held in children.items()}
    return Synthesis(XCUP, "dsp", "top", *counters, stages, netlists, "", "Yosys 0.0")


def test_area_of_a_hierarchy_is_the_sum_over_instances():
    small = synthesis_of(
        {"leaf_1": {"LUT6": 2, "RAMB18E2": 1}, "inner_1": {"FDRE": 5, "LUT2": 1}, "top": {}},
        {"leaf_1": {}, "inner_1": {"leaf_1": 3}, "top": {"inner_1": 2, "leaf_1": 1}},
        {"one": "inner_1", "two": "inner_1", "three": "leaf_1"},
    )
    assert small.own["leaf_1"] == Area(lut=2, block_ram=0.5)
    assert small.whole("inner_1") == Area(lut=7, ff=5, block_ram=1.5)
    assert small.total == Area(lut=16, ff=10, block_ram=3.5)
    assert small.instances("top") == {"top": 1, "inner_1": 2, "leaf_1": 7}
    assert small.stage_areas == {"one": small.whole("inner_1"), "two": small.whole("inner_1"), "three": small.own["leaf_1"]}
    assert stages_with(small, "leaf_1") == ["one", "two", "three"]
    assert block_of("fc_accumulator_0716da1f") == "fc_accumulator"


def test_cells_that_are_not_counted_are_refused():
    assert area_of(Counter(LUT3=2, MUXF7=1), XCUP, "m") == Area(lut=2, mux=1)
    with pytest.raises(CosimError, match="module m: .*LDCE.* family xcup"):
        area_of(Counter(LUT3=2, LDCE=1), XCUP, "m")


def test_reading_what_yosys_writes():
    text = '{"modules": {"\\\\m_1": {"num_cells_by_type": {"LUT2": 3, "leaf_1": 1\n}\n}\n}\n}'
    assert read_cells(text) == {"m_1": {"LUT2": 3, "leaf_1": 1}}
    assert split_netlist("/* Yosys */\nmodule a(x);\nendmodule\n\nmodule b(y);\nendmodule\n") == {
        "a": "module a(x);\nendmodule\n",
        "b": "module b(y);\nendmodule\n",
    }


LATCH = TOP + "reg c;\nalways @(a, b) if (a) c = b;\nendmodule\n"
UNDRIVEN = TOP + "wire d;\nassign c = a & d;\nendmodule\n"
DRIVERS = TOP + "assign c = a;\nassign c = b;\nendmodule\n"
GATE = "module gate_1(p, q, r);\ninput p; input q; output r;\nassign r = p & q;\nendmodule\n"
LOOP = TOP + "wire d;\ngate_1 one (\n.p(a), .q(d), .r(c)\n);\ngate_1 two (\n.p(c), .q(b), .r(d)\n);\nendmodule\n"
SOUND = TOP + "wire d;\ngate_1 one (\n.p(a), .q(d), .r(c)\n);\ngate_1 two (\n.p(a), .q(b), .r(d)\n);\nendmodule\n"


def modules_of(*texts):
    names = [re.match(r"module (\w+)", text)[1] for text in texts]
    return [Module(name, f"{name}.v", text, (), ()) for name, text in zip(names, texts, strict=True)]


@pytest.mark.parametrize("texts", [[LATCH], [UNDRIVEN], [DRIVERS], [GATE, LOOP]])
def test_latches_loops_and_drivers_are_found(texts, tmp_path):
    modules = modules_of(*texts)
    write_modules(modules, tmp_path)
    message = "selection is not empty" if texts == [LATCH] else "Found 1 problems in 'check -assert'"
    with pytest.raises(CosimError, match=message):
        check_design(modules, tmp_path)


def test_a_sound_design_passes_and_its_instances_are_seen(tmp_path):
    modules = modules_of(GATE, SOUND)
    write_modules(modules, tmp_path)
    check_design(modules, tmp_path)
    assert instances_in(modules[1], modules) == {"one": "gate_1", "two": "gate_1"}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_the_total_is_what_yosys_counts_in_the_joined_netlist(family, tmp_path):
    stages = small_stages(small_network("2C3-MP2-FC3", (1, 6, 6)))
    modules = convert(build_accelerator(stages), "accelerator")
    synthesis = synthesize(modules, tmp_path, family)
    assert list(synthesis.stage_areas) == list(stages)
    assert sum(synthesis.stage_areas.values(), Area()) == synthesis.total
    (tmp_path / "netlist.v").write_text(synthesis.netlist)
    library = {"xcup": "+/xilinx/cells_sim.v +/xilinx/cells_xtra.v", "ecp5": "+/ecp5/cells_sim.v +/ecp5/cells_bb.v"}[family]
    read = [f"read_verilog -lib {library}", "read_verilog netlist.v", "hierarchy -check -top accelerator", "check -assert"]
    run_yosys([*read, "flatten", "tee -q -o flat.json stat -json"], tmp_path)
    counted = read_cells((tmp_path / "flat.json").read_text())["accelerator"]
    assert area_of(counted, synthesis.family, "flat") == synthesis.total
    report = make_report(synthesis)
    for kind, amount in report["total"].items():
        assert sum(module["instances"] * module[kind] for module in report["modules"]) == amount


@pytest.mark.slow
def test_multipliers_are_in_dsp_blocks_or_luts_as_asked(tmp_path):
    stage = plan_stage(random_layer(Conv, (4, 2, 3, 3)), (2, 5, 6), 2, image_bits=8)
    modules = convert(build_stage(stage))
    found = {}
    for multipliers in ("dsp", "lut"):
        (tmp_path / multipliers).mkdir()
        found[multipliers] = synthesize(modules, tmp_path / multipliers, "xcup", multipliers)
    by_block = {block_of(name): area for name, area in found["dsp"].own.items()}
    # One for each weight of the array; the leak is a product with a constant, and that takes additions.
    assert {name: area.dsp for name, area in by_block.items() if area.dsp} == {"mac_array": 3 * 3 * 2 * 2}
    assert found["lut"].total.dsp == 0 and found["lut"].total.lut > found["dsp"].total.lut


@pytest.mark.slow
@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_large_memories_are_in_block_ram_and_small_ones_in_lut_ram(family, tmp_path):
    # 2 x 160 rows of 4 inputs, 40 groups: 12,800 weight words; partial sums of 40 groups.
    stage = plan_stage(random_layer(Linear, (80, 2 * 16 * 10)), (2, 16, 10), 2, lanes_in=2)
    modules = convert(build_stage(stage))
    synthesis = synthesize(modules, tmp_path, family)
    in_lut_ram = {block_of(name) for name, area in synthesis.own.items() if area.lut_ram}
    bits = stage.weights.depth * stage.weights.width
    weights = next(name for name in synthesis.own if block_of(name) == "banked_memory")
    unit = {"xcup": 36 * 1024, "ecp5": 18 * 1024}[family]
    assert bits / unit <= synthesis.whole(weights).block_ram <= 2 * bits / unit
    assert {"fifo", "ram", "fc_accumulator"} <= in_lut_ram
    # No memory as flip-flops: the queue's words, a row of spikes, the partial sums.
    state_bits = stage.groups * stage.lanes * stage.timesteps * stage.neuron.current_bits
    assert synthesis.total.ff < state_bits
