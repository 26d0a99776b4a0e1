import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.column_position import LineAccess
from duospike.rtl.line_buffer import line_buffer, waiting_rows
from tests.benches.stream_bench import cycle

CYCLES = 400


@pytest.mark.parametrize("rate", [0.5, 1])
@pytest.mark.parametrize(
    ("words", "kernel", "parts", "timesteps", "lanes", "current_bits"),
    [(8, (3, 3), 1, 4, 2, 7), (5, (3, 1), 3, 1, 1, 9), (11, (2, 5), 1, 2, 3, 4), (1, (1, 2), 2, 1, 2, 5)],
)
def test_each_cycle(place, words, kernel, parts, timesteps, lanes, current_bits, rate):
    """Columns with random addresses, of which some are kept; what is given back in every cycle is compared.

    A column is written in the cycle after the shift with which it has left the window, whatever is on `leaving` then.
    """
    bits, columns = timesteps * lanes * len(waiting_rows(kernel, parts)) * current_bits, kernel[1]
    clk, rst, shift, fresh = Signal(bool(0)), Signal(bool(1)), Signal(bool(0)), Signal(bool(0))
    line, leaving, stored_word = LineAccess(words, kernel, parts), Signal(intbv(0)[bits:]), Signal(intbv(0)[bits:])
    same_row = Signal(bool(0)) if hasattr(line, "same_row") else None
    dut = place(
        line_buffer, clk=clk, rst=rst, shift=shift, line=line, leaving=leaving, stored_word=stored_word, fresh=fresh,
        same_row=same_row, words=words, kernel=kernel, parts=parts, timesteps=timesteps, lanes=lanes, current_bits=current_bits,
    )  # fmt: skip
    choose, wrong = random.Random(f"{words} {kernel} {rate}"), []

    def bench():
        for _ in range(2):
            yield from cycle(clk)
        rst.next = False
        # None is a word that nobody may use.
        memory, kept, writes = {}, [], None
        read, given, flags, address, compared = None, None, None, choose.randrange(words), 0
        for time in range(CYCLES):
            moves, following = choose.random() < rate, choose.randrange(words)
            keeps, word = choose.random() < 0.6, choose.getrandbits(bits)
            shift.next, leaving.next = moves, word
            line.keeps.next, line.addr.next, line.next_addr.next = keeps, address, following
            line.fresh.next = is_fresh = choose.random() < 0.5
            goes_on = choose.random() < 0.5
            if same_row is not None:
                line.same_row.next = goes_on
            yield delay(1)
            found = int(stored_word), bool(fresh), bool(same_row) if same_row is not None else None
            if flags is not None and found != (found[0] if given is None else given, *flags):
                wrong.append(f"cycle {time}: {found}, right is {given}, {flags}")
            compared += given is not None
            yield from cycle(clk)
            before = None if writes == following else memory.get(following)
            if writes is not None:
                memory[writes] = word
            writes = None
            if moves:
                read, given = before, read
                flags = is_fresh, goes_on if same_row is not None else None
                kept.append(address if keeps else None)
                writes = kept.pop(0) if len(kept) > columns else None
                address = following
        assert compared > 30
        raise StopSimulation

    simulate(dut.instance, bench())
    assert wrong == []
