"""The two simulators of a block, and that the bench of the block tests sees broken stream rules."""

import pytest
from myhdl import Signal, always, always_comb, block, delay, intbv
from stream_bench import run_stream

from cosim import block_run
from cosim.errors import CosimError
from rtl.event_queue import event_queue
from rtl.stream import Stream


@block
def impatient(clk, rst, src, dst, fault):
    """Hands beats on, with a broken rule: `drop` takes valid back, `change` changes the payload, `wait` waits for ready."""
    drops, changes, waits = fault == "drop", fault == "change", fault == "wait"
    since = Signal(intbv(0, min=0, max=4))

    @always_comb
    def hand_on():
        src.ready.next = dst.ready
        if drops:
            dst.valid.next = src.valid and since != 1
        elif waits:
            dst.valid.next = src.valid and dst.ready
        else:
            dst.valid.next = src.valid
        if changes:
            dst.data.next = src.data ^ since
        else:
            dst.data.next = src.data

    @always(clk.posedge)
    def count():
        if rst or dst.ready or not src.valid:
            since.next = 0
        elif since != 3:
            since.next = since + 1

    return hand_on, count


@block
def forgetful(clk, rst, src, dst):
    """Shows a word that it never wrote."""
    word = Signal(intbv(0)[4:])

    @always_comb
    def hand_on():
        src.ready.next = dst.ready
        dst.valid.next = src.valid
        dst.data.next = word

    @always(clk.posedge)
    def write():
        if src.valid and src.data == 15:
            word.next = src.data

    return hand_on, write


@block
def swallow(clk, rst, src, dst):
    """Keeps every beat that is 3, and sends every 5 twice."""
    again = Signal(bool(0))

    @always_comb
    def hand_on():
        src.ready.next = dst.ready and (src.data != 5 or again)
        dst.valid.next = src.valid and src.data != 3
        dst.data.next = src.data

    @always(clk.posedge)
    def count():
        if rst:
            again.next = False
        elif src.valid and dst.ready:
            again.next = src.data == 5 and not again

    return hand_on, count


@pytest.mark.parametrize(
    ("fault", "message"),
    [("drop", "dst: valid dropped"), ("change", "dst: payload changed"), ("wait", "no end within")],
)
def test_bench_sees_broken_stream_rules(place, fault, message):
    with pytest.raises(AssertionError, match=message):
        run_stream(
            place, impatient, range(9), widths=(4, 4), expected=9, stalls=(0, "late"), limit=200, counted=False, fault=fault
        )


def test_bench_accepts_a_block_that_keeps_the_rules(place):
    run = run_stream(place, impatient, range(9), widths=(4, 4), expected=9, stalls=(0, "late"), counted=False, fault="")
    assert run.beats == list(range(9))


@pytest.mark.parametrize(("beats", "message"), [([1, 2, 3], "2 of 3 received"), ([1, 5, 2], "4 of 3 received")])
def test_bench_sees_missing_and_surplus_beats(place, beats, message):
    with pytest.raises(AssertionError, match=message):
        run_stream(place, swallow, beats, widths=(4, 4), expected=3, limit=200, counted=False)


def test_unknown_bits_do_not_pass_for_zeros(tmp_path, vpi):
    def in_icarus(function, **arguments):
        return block_run.place_block(function, simulator="icarus", folder=tmp_path, vpi=vpi, **arguments)

    with pytest.raises(AssertionError, match="unknown bits on dst_data"):
        run_stream(in_icarus, forgetful, [1, 2], widths=(4, 4), expected=2, counted=False)


def test_ports_too_wide_for_cosimulation(tmp_path):
    signals = {"clk": Signal(bool(0)), "rst": Signal(bool(0)), "src": Stream(20_000), "dst": Stream(20_000)}
    with pytest.raises(CosimError, match="allowed: 4000"):
        block_run.place_block(event_queue, "icarus", tmp_path, depth=1, **signals)


def test_an_error_in_a_bench_leaves_the_simulator_usable():
    def fail():
        yield delay(1)
        raise ValueError("planted")

    for _ in range(2):
        with pytest.raises(ValueError, match="planted"):
            block_run.simulate(fail())
