"""The simulators of a block, and that the bench of the block tests sees broken stream rules."""

import random
from functools import partial

import pytest
from myhdl import Signal, StopSimulation, always, always_comb, block, delay, intbv

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.conversion.simulation import simulate
from duospike.cosim.errors import CosimError
from duospike.rtl.fifo import fifo
from duospike.rtl.stream import Stream, signed
from tests.benches.stream_bench import run_stream


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
def undecided(clk, rst, src, dst, side):
    """A handshake signal that no reset reaches: valid of dst or ready of src."""
    shows, takes = side == "dst", side == "src"
    state = Signal(bool(0))

    @always_comb
    def hand_on():
        dst.data.next = src.data
        if shows:
            dst.valid.next = state
        else:
            dst.valid.next = src.valid
        if takes:
            src.ready.next = state
        else:
            src.ready.next = dst.ready

    @always(clk.posedge)
    def decide():
        if src.valid and src.data == 15:
            state.next = True

    return hand_on, decide


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


@pytest.fixture
def place_hdl(simulator, tmp_path, vpi):
    """The fixture `place` without MyHDL's own simulator, which knows no unknown bits."""
    return partial(instantiate, simulator=simulator, folder=tmp_path, vpi=vpi)


def test_unknown_bits_do_not_pass_for_zeros(place_hdl):
    """In the first cycle with a beat, and not before: an unknown payload without valid does not matter."""
    with pytest.raises(AssertionError, match="unknown bits on dst_data, cycle 3;"):
        run_stream(place_hdl, forgetful, [1, 2], widths=(4, 4), expected=2, counted=False)


@pytest.mark.parametrize(("side", "name"), [("dst", "dst_valid"), ("src", "src_ready")])
def test_an_unknown_handshake_is_seen(place_hdl, side, name):
    """From the first cycle after reset on."""
    with pytest.raises(AssertionError, match=f"unknown bits on {name}, cycle 2;"):
        run_stream(place_hdl, undecided, [1, 2], widths=(4, 4), expected=2, counted=False, side=side)


@block
def all_kinds(clk, rst, bit, narrow, wide, number, flipped, narrow_out, wide_out, total):
    """A port of every kind, each with a path from an input without a register; total sums the numbers that came."""
    memory = signed(len(total))

    @always_comb
    def pass_on():
        flipped.next = not bit
        narrow_out.next = narrow
        wide_out.next = wide
        total.next = memory + number

    @always(clk.posedge)
    def add():
        if rst:
            memory.next = 0
        else:
            memory.next = memory + number

    return pass_on, add


@pytest.mark.parametrize("width", [2, 129, 5000])
def test_ports_of_every_kind(place, width):
    """Bits, vectors of one bit and of many, numbers of either sign."""
    clk, rst, bit, flipped = (Signal(bool(0)) for _ in range(4))
    narrow, narrow_out, wide, wide_out = (Signal(intbv(0)[size:]) for size in (1, 1, width, width))
    number, total = signed(4), signed(10)
    dut = place(
        all_kinds, clk=clk, rst=rst, bit=bit, narrow=narrow, wide=wide, number=number, flipped=flipped,
        narrow_out=narrow_out, wide_out=wide_out, total=total,
    )  # fmt: skip
    choose, seen, expected = random.Random(width), [], []

    def drive():
        rst.next = True
        yield delay(1)
        clk.next = True
        yield delay(1)
        rst.next, clk.next, memory = False, False, 0
        for _ in range(40):
            word, value = choose.getrandbits(width + 2), choose.randrange(-8, 8)
            bit.next, narrow.next, wide.next, number.next = word & 1, word >> 1 & 1, word >> 2, value
            yield delay(1)
            seen.append((int(flipped), int(narrow_out), int(wide_out), int(total)))
            expected.append((1 - (word & 1), word >> 1 & 1, word >> 2, memory + value))
            clk.next = True
            yield delay(1)
            memory += value
            seen.append(int(total))
            expected.append(memory + value)
            clk.next = False
        raise StopSimulation

    simulate(dut.instance, drive())
    assert seen == expected and len(seen) == 80
    assert min(entry for entry in seen if isinstance(entry, int)) < 0


@block
def inverter(given, shown):
    @always_comb
    def invert():
        shown.next = not given

    return invert


@block
def two_paths(a, b, c, d):
    """Without a register from a to b, and from c to d."""
    between = Signal(bool(0))
    inverters = [inverter(a, between), inverter(between, b), inverter(c, d)]
    return inverters


def test_a_path_through_block_and_bench_settles_without_time(place):
    """a -> b in the block, b -> c in the bench, c -> d in the block again."""
    a, b, c, d = (Signal(bool(0)) for _ in range(4))
    dut, seen = place(two_paths, a=a, b=b, c=c, d=d), []

    def answer():
        while True:
            c.next = not b
            yield b

    def drive():
        for value in (1, 0, 1, 1, 0):
            a.next = value
            yield delay(1)
            seen.append((bool(b), bool(c), bool(d)))
        raise StopSimulation

    simulate(dut.instance, answer(), drive())
    assert seen == [(value == 1, value == 0, value == 1) for value in (1, 0, 1, 1, 0)]


def test_ports_too_wide_for_icarus(tmp_path, vpi):
    signals = {"clk": Signal(bool(0)), "rst": Signal(bool(0)), "src": Stream(20_000), "dst": Stream(20_000)}
    with pytest.raises(CosimError, match="allowed: 4000"):
        instantiate(fifo, "icarus", tmp_path, vpi, depth=1, **signals)


def test_an_error_in_a_bench_leaves_the_simulator_usable():
    def fail():
        yield delay(1)
        raise ValueError("planted")

    for _ in range(2):
        with pytest.raises(ValueError, match="planted"):
            simulate(fail())
