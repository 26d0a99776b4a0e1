"""Packets out, against struct and zlib."""

import random
import struct
import zlib

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.packet_sender import packet_sender
from duospike.rtl.stream import Stream
from tests.benches.stream_bench import STALLS, Sink, monitor, tick, watch_unknown


@pytest.mark.parametrize("stalls", [STALLS[0], STALLS[2], STALLS[4]])
def test_packets_of_a_memory(place, stalls):
    rng = random.Random(str(stalls))
    lengths = [0, 1, 5, 0, 12]
    memory = [rng.getrandbits(32) for _ in range(256)]
    heads = [rng.getrandbits(24) | length << 24 for length in lengths]
    clk, rst, start, read, active = Signal(bool(0)), Signal(bool(1)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    head, read_addr, read_data, dst = Signal(intbv(0)[32:]), Signal(intbv(0)[8:]), Signal(intbv(0)[32:]), Stream(32)
    dut = place(
        packet_sender, clk=clk, rst=rst, start=start, head=head, read=read, read_addr=read_addr, read_data=read_data,
        active=active, dst=dst,
    )  # fmt: skip
    sink, failures, left = Sink(dst, stalls[1]), [], list(heads)

    def host():
        while True:
            yield clk.posedge
            if read:
                read_data.next = memory[int(read_addr)]
            start.next = False
            if not rst and left and not active and not start:
                start.next = True
                head.next = left.pop(0)

    wanted = sum(length + 2 for length in lengths)
    simulate(
        dut.instance, host(), sink.drive(clk, rst), monitor("dst", dst, clk, rst, failures),
        watch_unknown(dut, clk, rst, failures), tick(clk, rst, lambda: len(sink.received) == wanted, failures, 4_000),
    )  # fmt: skip
    assert not failures, failures[0]
    expected = []
    for value, length in zip(heads, lengths, strict=True):
        words = [value, *memory[:length]]
        expected += [*words, zlib.crc32(struct.pack(f"<{len(words)}I", *words))]
    assert sink.received == expected
