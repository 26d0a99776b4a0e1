import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv
from stream_bench import Source

from cosim.block_run import simulate
from rtl.row_buffer import row_buffer
from rtl.stream import Stream, counter

BITS = 3
ROWS = 6


def random_rows(pixels, chunks, seed):
    """Rows of words [pixel][chunk], half of them empty."""
    choose = random.Random(seed)
    return [[[choose.choice([0, choose.getrandbits(BITS)]) for _ in range(chunks)] for _ in range(pixels)] for _ in range(ROWS)]


@pytest.mark.parametrize("stall", [0, 0.6])
@pytest.mark.parametrize(("pixels", "chunks"), [(1, 1), (1, 4), (3, 1), (4, 2), (5, 3)])
def test_keeps_two_rows_with_their_flags(place, pixels, chunks, stall):
    clk, rst, src = Signal(bool(0)), Signal(bool(1)), Stream(BITS)
    full, free_row, freed_bank = Signal(intbv(0)[2:]), Signal(bool(0)), Signal(intbv(0)[1:])
    read, read_addr, word = Signal(bool(0)), counter(2 * pixels * chunks), Signal(intbv(0)[BITS:])
    peek_addr, peek = counter(2 * pixels), Signal(intbv(0)[chunks:])
    device = place(
        row_buffer, clk=clk, rst=rst, src=src, full=full, free_row=free_row, freed_bank=freed_bank, read=read,
        read_addr=read_addr, word=word, peek_addr=peek_addr, peek=peek, pixels=pixels, chunks=chunks,
    )  # fmt: skip
    rows = random_rows(pixels, chunks, pixels * 10 + chunks)
    beats = [rows[y][x][k] for y in range(ROWS) for k in range(chunks) for x in range(pixels)]
    source = Source(src, beats, stall, seed=3)
    seen, flags, filled = [], [], []

    def cycle():
        yield delay(5)
        clk.next = True
        yield delay(5)
        clk.next = False
        yield delay(1)

    def scan():
        """Reads each row once it is whole, both banks in turn, and frees it."""
        for _ in range(2):
            yield from cycle()
        rst.next = False
        for y in range(ROWS):
            bank = y % 2
            for _ in range(130):
                yield from cycle()
            # No more than two rows are inside: the one that is read and the one after it.
            filled.append((len(source.sent) // (pixels * chunks), int(full)))
            for x in range(pixels):
                peek_addr.next = bank * pixels + x
                for k in range(chunks):
                    read.next, read_addr.next = True, (bank * pixels + x) * chunks + k
                    yield from cycle()
                    seen.append(int(word))
                    flags.append(int(peek) >> k & 1)
            read.next, free_row.next, freed_bank.next = False, True, bank
            yield from cycle()
            free_row.next = False
        raise StopSimulation

    simulate(device.instance, source.drive(clk, rst), scan())
    words = [rows[y][x][k] for y in range(ROWS) for x in range(pixels) for k in range(chunks)]
    assert seen == words
    assert flags == [int(value != 0) for value in words]
    last = 1 << (ROWS - 1) % 2
    assert filled == [(y + 2, 0b11) for y in range(ROWS - 1)] + [(ROWS, last)]
