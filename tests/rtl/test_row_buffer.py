import random
from types import SimpleNamespace

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.row_buffer import row_buffer
from duospike.rtl.stream import Stream, counter
from tests.benches.stream_bench import Source, cycle

BITS = 3
ROWS = 6
CYCLES = 500

SHAPES = pytest.mark.parametrize(
    ("pixels", "chunks", "banks", "columns"),
    [
        (1, 1, 2, 1),
        (1, 4, 3, 1),
        (3, 1, 2, 1),
        (4, 2, 2, 1),
        (5, 3, 4, 1),
        (2, 2, 5, 1),
        (3, 2, 2, 2),
        (2, 6, 3, 3),
        (1, 4, 2, 2),
    ],  # fmt: skip
)


def random_rows(pixels, chunks, seed, count=ROWS):
    """Parts of words [pixel][chunk], half of them empty."""
    choose = random.Random(seed)
    return [[[choose.choice([0, choose.getrandbits(BITS)]) for _ in range(chunks)] for _ in range(pixels)] for _ in range(count)]


def beats_of(rows, chunks, columns):
    """The beats of parts: of a channel group all columns of a pixel come before the next pixel."""
    groups = range(0, chunks, columns)
    return [pixel[first + k] for row in rows for first in groups for pixel in row for k in range(columns)]


def ports_of(pixels, chunks, banks):
    """The ports of a row buffer, by their names."""
    return SimpleNamespace(
        clk=Signal(bool(0)), rst=Signal(bool(1)), src=Stream(BITS), full=Signal(intbv(0)[banks:]), free_bank=Signal(bool(0)),
        freed_bank=counter(banks), read=Signal(bool(0)), read_addr=counter(banks * pixels * chunks),
        word=Signal(intbv(0)[BITS:]), peek_addr=counter(banks * pixels), peek=Signal(intbv(0)[chunks:]),
    )  # fmt: skip


@pytest.mark.parametrize("stall", [0, 0.6])
@SHAPES
def test_keeps_parts_with_their_flags(place, pixels, chunks, banks, columns, stall):
    ports = ports_of(pixels, chunks, banks)
    dut = place(row_buffer, **vars(ports), pixels=pixels, chunks=chunks, banks=banks, columns=columns)
    rows = random_rows(pixels, chunks, pixels * 10 + chunks)
    source = Source(ports.src, beats_of(rows, chunks, columns), stall, seed=3)
    seen, flags, filled = [], [], []

    def scan():
        """Reads each part once it is whole, all banks in turn, and frees it."""
        for _ in range(2):
            yield from cycle(ports.clk)
        ports.rst.next = False
        for y in range(ROWS):
            bank = y % banks
            for _ in range(65 * banks):
                yield from cycle(ports.clk)
            # No more parts are inside than there are banks.
            filled.append((len(source.sent) // (pixels * chunks), int(ports.full)))
            for x in range(pixels):
                ports.peek_addr.next = bank * pixels + x
                for k in range(chunks):
                    ports.read.next, ports.read_addr.next = True, (bank * pixels + x) * chunks + k
                    yield from cycle(ports.clk)
                    seen.append(int(ports.word))
                    flags.append(int(ports.peek) >> k & 1)
            ports.read.next, ports.free_bank.next, ports.freed_bank.next = False, True, bank
            yield from cycle(ports.clk)
            ports.free_bank.next = False
        raise StopSimulation

    simulate(dut.instance, source.drive(ports.clk, ports.rst), scan())
    words = [rows[y][x][k] for y in range(ROWS) for x in range(pixels) for k in range(chunks)]
    assert seen == words
    assert flags == [int(value != 0) for value in words]
    inside = [range(y, min(y + banks, ROWS)) for y in range(ROWS)]
    assert filled == [(parts.stop, sum(1 << part % banks for part in parts)) for parts in inside]


@pytest.mark.parametrize("rate", [0.3, 0.9])
@SHAPES
def test_each_cycle_while_parts_come_and_go(place, pixels, chunks, banks, columns, rate):
    """Beats come, parts are read and banks freed at random, and what leaves in every cycle is compared: a beat is taken while
    its bank is free, and a bank is full a cycle after the last beat."""
    ports, beats = ports_of(pixels, chunks, banks), pixels * chunks
    dut = place(row_buffer, **vars(ports), pixels=pixels, chunks=chunks, banks=banks, columns=columns)
    rows = random_rows(pixels, chunks, f"{pixels} {banks} {rate}", 1 + CYCLES // beats)
    sent = beats_of(rows, chunks, columns)
    choose, wrong = random.Random(f"{chunks} {banks} {rate}"), []

    def drive():
        taken, whole, freed, expected = 0, 0, 0, None
        for _ in range(2):
            yield from cycle(ports.clk)
        ports.rst.next = False
        for time in range(CYCLES):
            part = random_of(choose, freed, whole)
            ports.src.valid.next, ports.src.data.next = choose.random() < rate, sent[taken]
            ports.free_bank.next, ports.freed_bank.next = freed < whole and choose.random() < rate, freed % banks
            if part is not None:
                pixel, chunk = choose.randrange(pixels), choose.randrange(chunks)
                address = part % banks * pixels + pixel
                ports.peek_addr.next, ports.read_addr.next = address, address * chunks + chunk
            ports.read.next = part is not None
            yield delay(1)
            found = [bool(ports.src.ready), int(ports.full)]
            right = [taken // beats < freed + banks, sum(1 << each % banks for each in range(freed, whole))]
            if expected is not None:
                found, right = [*found, int(ports.word)], [*right, expected]
            expected = None
            if part is not None:
                row = rows[part]
                found, right = [*found, int(ports.peek)], [*right, sum((row[pixel][k] != 0) << k for k in range(chunks))]
                expected = row[pixel][chunk]
            if found != right:
                wrong.append(f"cycle {time}: {found}, right is {right}")
            whole, freed = taken // beats, freed + bool(ports.free_bank)
            taken += bool(ports.src.valid and right[0])
            yield from cycle(ports.clk)
        assert freed > banks
        raise StopSimulation

    simulate(dut.instance, drive())
    assert wrong == []


def random_of(choose, first, end):
    """A number from first to end, without it; None if there is none."""
    return choose.randrange(first, end) if first < end else None
