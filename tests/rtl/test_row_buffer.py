import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.row_buffer import row_buffer
from duospike.rtl.stream import Stream, counter
from tests.benches.stream_bench import Source

BITS = 3
ROWS = 6


def random_rows(pixels, chunks, seed):
    """Parts of words [pixel][chunk], half of them empty."""
    choose = random.Random(seed)
    return [[[choose.choice([0, choose.getrandbits(BITS)]) for _ in range(chunks)] for _ in range(pixels)] for _ in range(ROWS)]


@pytest.mark.parametrize("stall", [0, 0.6])
@pytest.mark.parametrize(
    ("pixels", "chunks", "banks", "columns"),
    [
        (1, 1, 2, 1), (1, 4, 3, 1), (3, 1, 2, 1), (4, 2, 2, 1), (5, 3, 4, 1), (2, 2, 5, 1), (3, 2, 2, 2), (2, 6, 3, 3),
        (1, 4, 2, 2),
    ],  # fmt: skip
)
def test_keeps_parts_with_their_flags(place, pixels, chunks, banks, columns, stall):
    clk, rst, src = Signal(bool(0)), Signal(bool(1)), Stream(BITS)
    full, free_bank, freed_bank = Signal(intbv(0)[banks:]), Signal(bool(0)), counter(banks)
    read, read_addr, word = Signal(bool(0)), counter(banks * pixels * chunks), Signal(intbv(0)[BITS:])
    peek_addr, peek = counter(banks * pixels), Signal(intbv(0)[chunks:])
    dut = place(
        row_buffer, clk=clk, rst=rst, src=src, full=full, free_bank=free_bank, freed_bank=freed_bank, read=read,
        read_addr=read_addr, word=word, peek_addr=peek_addr, peek=peek, pixels=pixels, chunks=chunks, banks=banks,
        columns=columns,
    )  # fmt: skip
    rows = random_rows(pixels, chunks, pixels * 10 + chunks)
    # Of a channel group all columns of a pixel come before the next pixel.
    beats = [
        rows[y][x][first + k]
        for y in range(ROWS) for first in range(0, chunks, columns) for x in range(pixels) for k in range(columns)
    ]  # fmt: skip
    source = Source(src, beats, stall, seed=3)
    seen, flags, filled = [], [], []

    def cycle():
        yield delay(5)
        clk.next = True
        yield delay(5)
        clk.next = False
        yield delay(1)

    def scan():
        """Reads each part once it is whole, all banks in turn, and frees it."""
        for _ in range(2):
            yield from cycle()
        rst.next = False
        for y in range(ROWS):
            bank = y % banks
            for _ in range(65 * banks):
                yield from cycle()
            # No more parts are inside than there are banks.
            filled.append((len(source.sent) // (pixels * chunks), int(full)))
            for x in range(pixels):
                peek_addr.next = bank * pixels + x
                for k in range(chunks):
                    read.next, read_addr.next = True, (bank * pixels + x) * chunks + k
                    yield from cycle()
                    seen.append(int(word))
                    flags.append(int(peek) >> k & 1)
            read.next, free_bank.next, freed_bank.next = False, True, bank
            yield from cycle()
            free_bank.next = False
        raise StopSimulation

    simulate(dut.instance, source.drive(clk, rst), scan())
    words = [rows[y][x][k] for y in range(ROWS) for x in range(pixels) for k in range(chunks)]
    assert seen == words
    assert flags == [int(value != 0) for value in words]
    inside = [range(y, min(y + banks, ROWS)) for y in range(ROWS)]
    assert filled == [(parts.stop, sum(1 << part % banks for part in parts)) for parts in inside]
