"""The file-driven bench in VHDL: what it reports is what the one in Verilog reports."""

import pytest
from myhdl import Signal, always, always_comb, block, intbv

from duospike.cosim.conversion.convert import convert
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.bench import Bench
from duospike.cosim.simulation.ghdl import analyse, run_ghdl
from duospike.cosim.simulation.network_run import SIMULATORS
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.stream import Stream
from tests.benches.planted_faults import convert_with_fault


@block
def forgetful(clk, rst, src, dst, counts, forgets):
    """Hands beats on; forgets: the signal that comes from a register which nobody ever wrote, `data`, `valid` or none."""
    forgets_data, forgets_valid = forgets == "data", forgets == "valid"
    word, flag = Signal(intbv(0)[4:]), Signal(bool(0))

    @always_comb
    def hand_on():
        src.ready.next = dst.ready
        counts.next = 0
        if forgets_data:
            dst.data.next = word
        else:
            dst.data.next = src.data
        if forgets_valid:
            dst.valid.next = flag
        else:
            dst.valid.next = src.valid

    @always(clk.posedge)
    def remember():
        if src.valid and src.data == 15:
            word.next = src.data
            flag.next = True

    return hand_on, remember


def bench_of(language, forgets="", beats=(1, 2, 3), convert=convert, **settings):
    clk, rst = Signal(bool(0)), Signal(bool(0))
    device = forgetful(clk, rst, Stream(4), Stream(4), Signal(intbv(0)[ACTIVITY_BITS:]), forgets)
    modules = tuple(convert(device, language=language))
    return Bench(modules=modules, beats=beats, frame_beats=1, expected=len(beats), idle_limit=50, **settings)


def run(simulator, folder, **settings):
    language, run_simulator = SIMULATORS[simulator]
    return run_simulator(bench_of(language, **settings), folder)


def values(outcome):
    return [beat.value("dst") for beat in outcome.streams["dst"]]


def test_beats_pass(simulator, tmp_path):
    outcome = run(simulator, tmp_path, src_stall=100, dst_stall=100).complete()
    assert values(outcome) == [1, 2, 3]
    assert outcome.activity_word == 0
    assert len(outcome.starts) == 3


def test_an_unknown_payload_is_no_value(simulator, tmp_path):
    outcome = run(simulator, tmp_path, forgets="data").complete()
    with pytest.raises(CosimError, match="stream dst: unknown bits in '[xX]'"):
        values(outcome)


def test_an_unknown_valid_is_a_fault(simulator, tmp_path):
    with pytest.raises(CosimError, match="unknown valid or ready on stream dst at cycle 0"):
        run(simulator, tmp_path, forgets="valid").complete()


def test_a_run_that_stands_still_is_given_up(simulator, tmp_path):
    with pytest.raises(CosimError, match="nothing moved for 50 cycles, 0 of 3 beats sent, missing on dst: 3$"):
        run(simulator, tmp_path, dst_stall=256).complete()


def test_a_fault_in_the_vhdl_changes_the_beats(tmp_path):
    faulty = convert_with_fault("dst_data <= src_data;", "dst_data <= src_data + 1;", "vhdl")
    assert values(run("ghdl", tmp_path, convert=faulty)) == [2, 3, 4]


def test_an_error_in_the_vhdl_is_one_line_with_its_place(tmp_path):
    (tmp_path / "half.vhd").write_text("entity half is\nend entity;\narchitecture a of half is\nbegin\nx <= 1;\nend;\n")
    with pytest.raises(CosimError, match=r"^ghdl failed: half\.vhd:5:1:.*\"x\""):
        analyse(["half.vhd"], tmp_path)


def test_a_missing_ghdl_is_named(tmp_path, monkeypatch):
    bench = bench_of("vhdl")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CosimError, match="ghdl is not installed"):
        run_ghdl(bench, tmp_path)
