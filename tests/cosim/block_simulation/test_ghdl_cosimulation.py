"""GHDL behind MyHDL's signals: its own ways to go wrong. That it gives what the others give is for the block tests to show."""

import os
import random
from functools import partial
from pathlib import Path

import pytest
from myhdl import Signal, StopSimulation, always, block, delay, intbv

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.conversion.simulation import simulate
from duospike.cosim.errors import CosimError
from duospike.cosim.system import run_tool
from duospike.rtl.fifo import fifo
from tests.benches.planted_faults import convert_with_fault
from tests.benches.stream_bench import run_stream

WORDS = random.Random(1).choices(range(2**9), k=60)


@pytest.fixture
def in_ghdl(tmp_path):
    return partial(instantiate, simulator="ghdl", folder=tmp_path)


@block
def lookup(clk, addr, q, depth):
    """A memory whose address can be beyond its end."""
    mem = [Signal(intbv(0)[4:]) for _ in range(depth)]

    @always(clk.posedge)
    def read():
        mem[0].next = 5
        q.next = mem[addr]

    return read


def place_lookup(in_ghdl):
    clk, addr, q = Signal(bool(0)), Signal(intbv(0)[3:]), Signal(intbv(0)[4:])
    return in_ghdl(lookup, clk=clk, addr=addr, q=q, depth=5), clk, addr, q


def open_files():
    # With the first program comes the pipe to the watchdog of all, which stays.
    run_tool(["true"], Path())
    return sorted(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("has_room <= stdl(level /= 2);", "has_room <= '1';"),
        ("level <= (level - 1);", "level <= level;"),
        ("if_false => (head + 1)", "if_false => (head + 2)"),
        ("mem(to_integer(tail)) <= src_data;", "mem(to_integer(tail)) <= src_data xor 256;"),
        ("dst_valid <= has_words;", "dst_valid <= has_words and dst_ready;"),
    ],
)
def test_a_fault_in_the_vhdl_is_caught(in_ghdl, monkeypatch, old, new):
    send = partial(
        run_stream, in_ghdl, fifo, WORDS, widths=(9, 9), expected=len(WORDS), stalls=(0.2, "late"), counted=False,
        limit=1_000, depth=3,
    )  # fmt: skip
    assert send().beats == WORDS
    monkeypatch.setattr("duospike.cosim.block_simulation.dut.convert", convert_with_fault(old, new, "vhdl"))
    with pytest.raises((AssertionError, CosimError)):
        assert send().beats == WORDS


def test_a_run_that_is_cut_off_leaves_nothing_behind(in_ghdl):
    before = open_files()
    dut, clk, _, q = place_lookup(in_ghdl)

    def drive():
        for _ in range(3):
            yield delay(1)
            clk.next = not clk
        raise StopSimulation

    simulate(dut.instance, drive())
    assert dut.instance._child.returncode == 0
    assert open_files() == before


def test_a_failing_bench_leaves_nothing_behind(in_ghdl):
    before = open_files()
    dut, clk, _, _ = place_lookup(in_ghdl)

    def fail():
        clk.next = True
        yield delay(1)
        raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        simulate(dut.instance, fail())
    assert dut.instance._child.returncode == 0
    assert open_files() == before


def test_an_error_of_ghdl_is_one_line(in_ghdl):
    """MyHDL's own simulator raises IndexError for this address."""
    dut, clk, addr, _ = place_lookup(in_ghdl)

    def drive():
        addr.next = 6
        for _ in range(4):
            yield delay(1)
            clk.next = not clk

    with pytest.raises(CosimError, match=r"ghdl ended early: .*error: index \(6\) out of bounds \(0 to 4\) at lookup_"):
        simulate(dut.instance, drive())
    assert dut.instance._child.returncode != 0


def test_ports_that_are_too_wide_for_icarus(in_ghdl):
    width = 20_000
    words = [random.Random(width).getrandbits(width) for _ in range(2)]
    run = run_stream(in_ghdl, fifo, words, widths=(width, width), expected=2, counted=False, depth=1)
    assert run.beats == words


def test_a_missing_ghdl_is_named(in_ghdl, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CosimError, match="ghdl is not installed"):
        place_lookup(in_ghdl)
