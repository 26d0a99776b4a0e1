"""The project's own AXI4-Lite master: five channels that stall at random and know nothing of each other."""

import random
from collections import deque

from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.axi_lite import AxiLite

RESET_CYCLES = 2


class Channel:
    """Sends the words of a queue over one channel, valid and payload held until the transfer; in order, at random moments."""

    def __init__(self, valid, ready, members, stall, seed):
        self.valid, self.ready, self.members, self.stall = valid, ready, members, stall
        self.random, self.queue, self.sent = random.Random(seed), deque(), 0

    def edge(self):
        if self.valid and self.ready:
            self.sent += 1
        if self.valid and not self.ready:
            return
        offers = bool(self.queue) and self.random.random() >= self.stall
        self.valid.next = offers
        if offers:
            for member, value in zip(self.members, self.queue.popleft(), strict=True):
                member.next = value


class Answers:
    """Takes the answers of one channel, and notes where a slave drops or changes one before it is taken."""

    def __init__(self, valid, ready, members, stall, seed):
        self.valid, self.ready, self.members, self.stall = valid, ready, members, stall
        self.random, self.taken, self.waiting, self.faults = random.Random(seed), [], None, []

    def edge(self):
        answer = tuple(int(member) for member in self.members)
        if self.waiting is not None and (not self.valid or answer != self.waiting):
            self.faults.append(f"answer {self.waiting} was dropped or changed")
        self.waiting = answer if self.valid and not self.ready else None
        if self.valid and self.ready:
            self.taken.append(answer)
        self.ready.next = self.random.random() >= self.stall


def run_bus(place, block, writes, reads, *, address_bits, ports, observe, stalls, seed=0, limit=20_000, **parameters):
    """Run accesses against block(clk, rst, bus, **ports, **parameters); writes: (address, data, strobe), reads: addresses.

    observe(): called before each edge after reset. stalls: of the requests and of the answers. Returns the responses of
    the writes and the (data, response) of the reads.
    """
    clk, rst, bus = Signal(bool(0)), Signal(bool(1)), AxiLite(address_bits)
    dut = place(block, clk=clk, rst=rst, bus=bus, **ports, **parameters)
    requests = [
        Channel(bus.awvalid, bus.awready, [bus.awaddr], stalls[0], seed),
        Channel(bus.wvalid, bus.wready, [bus.wdata, bus.wstrb], stalls[0], seed + 1),
        Channel(bus.arvalid, bus.arready, [bus.araddr], stalls[0], seed + 2),
    ]
    requests[0].queue.extend((address,) for address, _, _ in writes)
    requests[1].queue.extend((data, strobe) for _, data, strobe in writes)
    requests[2].queue.extend((address,) for address in reads)
    written = Answers(bus.bvalid, bus.bready, [bus.bresp], stalls[1], seed + 3)
    read = Answers(bus.rvalid, bus.rready, [bus.rdata, bus.rresp], stalls[1], seed + 4)
    early = []

    def watch():
        while True:
            yield clk.posedge
            if rst:
                continue
            observe()
            for agent in (*requests, written, read):
                agent.edge()
            if len(written.taken) > min(requests[0].sent, requests[1].sent) or len(read.taken) > requests[2].sent:
                early.append("an answer before its request")

    def tick():
        for cycle in range(limit):
            rst.next = cycle < RESET_CYCLES
            yield delay(5)
            clk.next = True
            yield delay(5)
            clk.next = False
            if len(written.taken) == len(writes) and len(read.taken) == len(reads):
                raise StopSimulation
        early.append(f"{len(written.taken)} of {len(writes)} writes and {len(read.taken)} of {len(reads)} reads were answered")

    simulate(dut.instance, watch(), tick())
    assert not early + written.faults + read.faults, (early + written.faults + read.faults)[0]
    return [response for (response,) in written.taken], read.taken


def vector(words, width=32):
    return Signal(intbv(sum(word << (width * i) for i, word in enumerate(words)))[width * len(words) :])
