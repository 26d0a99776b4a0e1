"""The transmitter's line, read by a plain function that wants each bit to be exactly as long as it must be."""

import random

import pytest
from myhdl import Signal

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.stream import Stream
from duospike.rtl.uart_transmitter import uart_transmitter
from tests.benches.serial_bench import levels, octets
from tests.benches.stream_bench import Source, tick


@pytest.mark.parametrize(("divider", "stall"), [(4, 0), (5, 0), (5, 0.97)])
def test_bytes_on_the_line(place, divider, stall):
    rng = random.Random(divider)
    sent = [0x00, 0xFF, *(rng.randrange(256) for _ in range(5))]
    clk, rst, txd, src = Signal(bool(0)), Signal(bool(1)), Signal(bool(1)), Stream(8)
    dut = place(uart_transmitter, clk=clk, rst=rst, src=src, txd=txd, divider=divider)
    source, line, failures, early = Source(src, sent, stall), [], [], []

    def watch():
        while True:
            yield clk.posedge
            if rst:
                early.append(bool(src.ready))
            else:
                line.append(int(txd))

    def finished():
        return len(source.sent) == len(sent)

    simulate(dut.instance, source.drive(clk, rst), watch(), tick(clk, rst, finished, failures, 9_000))
    assert not failures, failures[0]
    assert octets(line, divider) == sent
    assert early and not any(early), "in reset nothing is taken"
    if stall == 0:
        # Without a gap, and silent behind them.
        first = line.index(0)
        assert line[first:][: 10 * divider * len(sent)] == levels(sent, divider) and set(line[:first]) == {1}
