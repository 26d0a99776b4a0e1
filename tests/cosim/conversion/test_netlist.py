"""Netlists in the cells of an FPGA family, in Icarus with Yosys' models of the cells: the bits and cycles of the RTL."""

import dataclasses
import re

import numpy as np
import pytest

from duospike.cosim.conversion.convert import Module, convert
from duospike.cosim.design.beats import pack_fields
from duospike.cosim.design.build import build_stage
from duospike.cosim.simulation.bench import Bench
from duospike.cosim.simulation.icarus import run_icarus
from duospike.cosim.synthesis.cell_models import cell_models
from duospike.cosim.synthesis.synthesize import synthesize
from duospike.reference.network import Conv, Linear, Pool
from duospike.rtl.readout import Readout
from tests.benches.stage_bench import plan_stage, random_layer

# Yosys takes up to a minute of an idle processor for a stage.
pytestmark = pytest.mark.timeout(900)

# Yosys has no model of this cell; it puts nothing but a product into one.
DSP48E2 = """\
module DSP48E2 #(
    parameter ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AMULTSEL = "A", AREG = 1, A_INPUT = "DIRECT", BCASCREG = 1,
    BMULTSEL = "B", BREG = 1, B_INPUT = "DIRECT", CARRYINREG = 1, CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1,
    MREG = 1, OPMODEREG = 1, PREG = 1, USE_MULT = "MULTIPLY", USE_SIMD = "ONE48"
) (
    input signed [29:0] A, ACIN, input [3:0] ALUMODE, input signed [17:0] B, BCIN, input [47:0] C, input CARRYIN,
    input [2:0] CARRYINSEL, input [26:0] D, input [4:0] INMODE, input [8:0] OPMODE, output [47:0] P, input [47:0] PCIN
);
wire signed [26:0] factor = A[26:0];
wire signed [47:0] product = factor * B;
wire registers = |{ACASCREG, ADREG, ALUMODEREG, AREG, BCASCREG, BREG, CARRYINREG, CARRYINSELREG, CREG, DREG, INMODEREG,
    MREG, OPMODEREG, PREG};
wire plain = !registers && OPMODE == 9'h005 && ALUMODE == 0 && INMODE == 0 && AMULTSEL == "A" && BMULTSEL == "B";
assign P = plain ? product : 48'bx;
endmodule
"""
MODELS_OF_MORE = {"xcup": (Module("dsp", "dsp.v", DSP48E2, (), ()),), "ecp5": ()}


def dense_core():
    return plan_stage(random_layer(Conv, (4, 2, 3, 3)), (2, 5, 6), 2, image_bits=5, image_signed=True), 30, 60


def sparse_conv():
    return plan_stage(random_layer(Conv, (5, 4, 3, 3)), (4, 5, 6), 2, lanes_in=3), 60, 90


def sparse_fc():
    return plan_stage(random_layer(Linear, (5, 24)), (3, 4, 2), 2, lanes_in=2, queue_depth=5), 16, 3


def pool():
    return plan_stage(Pool("pool1"), (3, 4, 6), 2, lanes_in=2), 48, 12


def readout():
    return Readout(outputs=6, lanes=2, timesteps=3, passes=1, classes=3), 3, 1


STAGES = [dense_core, sparse_conv, sparse_fc, pool, readout]
"""Parameters of a stage, and the numbers of its input and output beats for each frame."""


def run(stage, modules, beats_in, beats_out, folder):
    """Two frames of random beats through a stage, with stalls on either side."""
    choose = np.random.default_rng(5)
    # Few spikes, so that events, empty chunks and silent pixels all come.
    bits = choose.random((2 * beats_in, stage.input_bits)) < 0.3
    folder.mkdir()
    beats = pack_fields(bits.astype(int), 1)
    bench = Bench(modules, beats, beats_in, 2 * beats_out, src_stall=60, dst_stall=90, idle_limit=3_000)
    return run_icarus(bench, folder)


def netlist_modules(stage, family, multipliers, folder):
    """The converted stage, and what takes its place: models of the cells and the netlist; the synthesis as well."""
    rtl = tuple(convert(build_stage(stage)))
    folder.mkdir()
    synthesis = synthesize(rtl, folder, family, multipliers)
    netlist = dataclasses.replace(rtl[-1], text=synthesis.netlist, tables=())
    return rtl, (cell_models(synthesis.family.models), *MODELS_OF_MORE[family], netlist), synthesis


@pytest.mark.slow
@pytest.mark.parametrize("make_stage", STAGES)
@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_a_netlist_gives_the_bits_and_cycles_of_the_rtl(family, make_stage, tmp_path):
    stage, *beats = make_stage()
    rtl, netlist, synthesis = netlist_modules(stage, family, "lut", tmp_path / "synthesis")
    assert synthesis.total.lut > 0 and synthesis.total.dsp == synthesis.total.block_ram == 0
    expected = run(stage, rtl, *beats, tmp_path / "rtl").complete()
    assert run(stage, netlist, *beats, tmp_path / "netlist") == expected


@pytest.mark.slow
def test_dsp_blocks_multiply(tmp_path):
    stage, *beats = dense_core()
    rtl, netlist, synthesis = netlist_modules(stage, "xcup", "dsp", tmp_path / "synthesis")
    assert synthesis.total.dsp == 3 * 3 * 2 * stage.lanes
    expected = run(stage, rtl, *beats, tmp_path / "rtl").complete()
    assert run(stage, netlist, *beats, tmp_path / "netlist") == expected


@pytest.mark.slow
def test_a_flipped_bit_in_a_lut_is_caught(tmp_path):
    stage, *beats = sparse_fc()
    rtl, netlist, _ = netlist_modules(stage, "xcup", "lut", tmp_path / "synthesis")
    expected = run(stage, rtl, *beats, tmp_path / "rtl").complete()
    # In the neurons, since a fault in what decides when something moves may keep the stage busy for ever. Exclusive ors, as in
    # every adder; a fault in a low bit may be far from any threshold.
    start = netlist[-1].text.index("module neuron_")
    places = [found.end(1) for found in re.finditer(r"(LUT2 #\(\s*\.INIT\(4'h)6\)", netlist[-1].text) if found.start() > start]
    assert len(places) >= 8

    def caught(number):
        text = netlist[-1].text
        faulty = dataclasses.replace(netlist[-1], text=text[: places[number]] + "7" + text[places[number] + 1 :])
        return run(stage, (*netlist[:-1], faulty), *beats, tmp_path / f"faulty{number}") != expected

    assert any(caught(number) for number in range(8))
