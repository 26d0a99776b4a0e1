"""The bus master against a slave in plain Python whose channels are as slow as they like."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.axi_lite import DECERR, OKAY, SLVERR, AxiLite
from duospike.rtl.bus_master import bus_master
from tests.benches.stream_bench import tick


class Slave:
    """Registers behind the five channels; an address has to be offered until it is taken, and does not change."""

    def __init__(self, bus, rng, stall):
        self.bus, self.rng, self.stall = bus, rng, stall
        self.log, self.address, self.data, self.reading = [], None, None, None

    def edge(self):
        bus = self.bus
        if bus.bvalid and bus.bready:
            bus.bvalid.next = False
        if bus.rvalid and bus.rready:
            bus.rvalid.next = False
        if bus.awvalid and bus.awready:
            assert self.address is None
            self.address = int(bus.awaddr)
        if bus.wvalid and bus.wready:
            assert self.data is None and bus.wstrb == 15
            self.data = int(bus.wdata)
        if bus.arvalid and bus.arready:
            assert self.reading is None
            self.reading = int(bus.araddr)
        if self.address is not None and self.data is not None and not bus.bvalid and self.rng.random() >= self.stall:
            response = self.rng.choice([OKAY, OKAY, SLVERR, DECERR])
            self.log.append(("write", self.address, self.data, response))
            bus.bvalid.next, bus.bresp.next = True, response
            self.address = self.data = None
        if self.reading is not None and not bus.rvalid and self.rng.random() >= self.stall:
            response, data = self.rng.choice([OKAY, OKAY, DECERR]), self.rng.getrandbits(32)
            self.log.append(("read", self.reading, data, response))
            bus.rvalid.next, bus.rresp.next, bus.rdata.next = True, response, data
            self.reading = None
        for ready in (bus.awready, bus.wready, bus.arready):
            ready.next = self.rng.random() >= self.stall


@pytest.mark.parametrize("stall", [0, 0.6])
def test_accesses_one_after_the_other(place, stall):
    rng = random.Random(str(stall))
    clk, rst, bus = Signal(bool(0)), Signal(bool(1)), AxiLite(12)
    asks, writes, done, failed = [Signal(bool(0)) for _ in range(4)]
    address, data, value = Signal(intbv(0)[12:]), Signal(intbv(0)[32:]), Signal(intbv(0)[32:])
    dut = place(
        bus_master, clk=clk, rst=rst, bus=bus, asks=asks, writes=writes, address=address, data=data, done=done, value=value,
        failed=failed,
    )  # fmt: skip
    slave, asked, answered, failures = Slave(bus, rng, stall), [], [], []

    def host():
        waiting = False
        while True:
            yield clk.posedge
            if rst:
                continue
            slave.edge()
            if done:
                kind, where, _, _ = asked[-1]
                answered.append((kind, where, int(value) if kind == "read" else asked[-1][2], bool(failed)))
                waiting = False
            asks.next = False
            writes.next, address.next, data.next = rng.random() < 0.5, rng.getrandbits(12), rng.getrandbits(32)
            if not waiting and len(asked) < 25 and rng.random() < 0.7:
                kind, where, what = rng.choice(["read", "write"]), rng.getrandbits(12), rng.getrandbits(32)
                asks.next, writes.next, address.next, data.next = True, kind == "write", where, what
                asked.append((kind, where, what, None))
                waiting = True

    simulate(dut.instance, host(), tick(clk, rst, lambda: len(answered) == 25, failures, 3_000))
    assert not failures, failures[0]
    assert [(kind, where) for kind, where, _, _ in answered] == [(kind, where) for kind, where, _, _ in asked]
    assert answered == [(kind, where, what, response != OKAY) for kind, where, what, response in slave.log]
