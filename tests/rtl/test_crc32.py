"""The checksum against zlib's."""

import random
import zlib

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.crc32 import crc32
from tests.rtl.test_memory import clocked


@pytest.mark.parametrize("rate", [0.7, pytest.param(1, marks=pytest.mark.slow)])
def test_the_checksum_is_zlibs(place, rate):
    rng = random.Random(str(rate))
    clk, restart, write = Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    data, crc = Signal(intbv(0)[32:]), Signal(intbv(0)[32:])
    dut = place(crc32, clk=clk, restart=restart, write=write, data=data, crc=crc)
    words, expected, seen = [], [], []

    def step(cycle):
        if cycle:
            seen.append(int(crc))
            expected.append(zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words)))
        word = rng.choice([0, 2**32 - 1, rng.getrandbits(32)])
        restarts, writes = cycle == 0 or rng.random() < 0.05, rng.random() < rate
        restart.next, write.next, data.next = restarts, writes, word
        if restarts:
            words.clear()
        elif writes:
            words.append(word)

    simulate(dut.instance, clocked(clk, step, 120))
    assert seen == expected and len(set(seen)) > 30
