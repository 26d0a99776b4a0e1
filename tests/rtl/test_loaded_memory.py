"""Memories that are filled through the load bus, in the place of ROMs."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.loaded_memory import loaded_memory, parameter_memory
from duospike.rtl.loading import Load, LoadedTable, pieces_of
from duospike.rtl.memory import rom
from duospike.rtl.stream import counter
from tests.rtl.test_loading import pieces
from tests.rtl.test_memory import clocked


@pytest.mark.parametrize(("width", "depth", "before"), [(1, 1, 0), (32, 3, 1), (64, 4, 5), (131, 3, 2)])
def test_a_loaded_memory_takes_its_own_words_and_no_others(place, width, depth, before):
    """The pieces of other memories pass before and after its own, at random moments; then it is loaded anew, cut short once."""
    rng = random.Random(str((width, depth)))
    table = LoadedTable("weights", width, [0] * depth, before)
    total = table.end + 3
    clk, read, read_addr, q, load = Signal(bool(0)), Signal(bool(0)), counter(depth), Signal(intbv(0)[width:]), Load(total)
    device = place(loaded_memory, clk=clk, read=read, read_addr=read_addr, q=q, table=table, load=load)
    rounds = [[rng.getrandbits(width) for _ in range(depth)] for _ in range(3)]
    script, expected = [], []
    for i, words in enumerate(rounds):
        others = [rng.getrandbits(32) for _ in range(before)]
        stream = [*others, *pieces(words, width), *(rng.getrandbits(32) for _ in range(3))]
        # Bits of a word's last piece beyond the word do not count.
        stream = [piece | (rng.getrandbits(32) << width % 32 if width % 32 and (k - before) % pieces_of(width)
                           == pieces_of(width) - 1 else 0) & 2**32 - 1 for k, piece in enumerate(stream)]  # fmt: skip
        script.append(("restart", 0, 0))
        for position, piece in enumerate(stream[: len(stream) // 2] if i == 1 else stream):
            script += [("idle", 0, rng.getrandbits(32))] * rng.randrange(2) + [("write", position, piece)]
        script.append(("idle", 0, 0))
        if i != 1:
            script += [("read", address, words[address]) for address in range(depth)]
    seen = []

    def step(cycle):
        if cycle and script[cycle - 1][0] == "read":
            seen.append(int(q))
            expected.append(script[cycle - 1][2])
        kind, at, value = script[cycle] if cycle < len(script) else ("idle", 0, 0)
        load.restart.next, load.write.next, read.next = kind == "restart", kind == "write", kind == "read"
        load.position.next = at if kind == "write" else rng.randrange(total)
        load.data.next = value if kind != "read" else rng.getrandbits(32)
        read_addr.next = at if kind == "read" else 0

    simulate(device.instance, clocked(clk, step, len(script)))
    assert len(seen) == 2 * depth
    assert seen == expected


def test_a_core_with_roms_has_roms():
    assert parameter_memory(None) is rom
