"""The checksum against zlib's."""

import random
import zlib

from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.serial_crc32 import serial_crc32
from tests.rtl.test_memory import clocked


def test_the_checksum_is_zlibs(place):
    rng = random.Random(3)
    clk, restart, write, busy = Signal(bool(0)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    data, crc = Signal(intbv(0)[32:]), Signal(intbv(0)[32:])
    dut = place(serial_crc32, clk=clk, restart=restart, write=write, data=data, crc=crc, busy=busy)
    words, seen = [], []

    def step(cycle):
        restarts = cycle == 0 or rng.random() < 0.005
        restart.next, write.next, data.next = restarts, False, rng.getrandbits(32)
        if cycle and not busy and not write and not restart:
            seen.append((int(crc), zlib.crc32(b"".join(word.to_bytes(4, "little") for word in words))))
            if not restarts and rng.random() < 0.3:
                word = rng.choice([0, 2**32 - 1, rng.getrandbits(32)])
                write.next, data.next = True, word
                words.append(word)
        if restarts:
            words.clear()

    simulate(dut.instance, clocked(clk, step, 700))
    assert all(got == wanted for got, wanted in seen) and len({got for got, _ in seen}) > 10
