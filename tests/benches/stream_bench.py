"""A bench for blocks between two streams: a source and a sink that stall at random, and monitors of the stream rules.

Everything is collected in Python while the simulation runs; at its end MyHDL resets all signals.
"""

import random
from dataclasses import dataclass, field

from myhdl import Signal, StopSimulation, delay, intbv, now

from duospike.cosim.conversion.simulation import simulate
from duospike.cosim.simulation.network_run import stage_activity
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.stream import Stream

PERIOD = 10
RESET_CYCLES = 2
SURPLUS_CYCLES = 60
"""Cycles watched after the last expected beat."""

STALLS = [(0, 0), (0.5, 0.5), (0, 0.8), (0.8, 0), (0.2, "late")]
"""Stalls of source and sink: every combination of fast and slow, and a sink that only gets ready after valid."""


def cycle_now():
    return int(now()) // PERIOD


class Source:
    """Sends beats. stall: share of the cycles in which it holds back; its payload is some other beat then.

    sent: the cycles of the beats. waits: cycles in which a beat was not taken.
    """

    def __init__(self, stream, beats, stall=0, seed=0):
        self.stream, self.beats, self.stall, self.random = stream, list(beats), stall, random.Random(seed)
        self.sent, self.waits = [], 0

    def drive(self, clk, rst):
        stream, started = self.stream, 0
        while True:
            yield clk.posedge
            if stream.valid and stream.ready:
                self.sent.append(cycle_now())
            if rst:
                continue
            if stream.valid and not stream.ready:
                self.waits += 1
                continue
            offers = started < len(self.beats) and self.random.random() >= self.stall
            stream.valid.next = offers
            stream.data.next = self.beats[started] if offers else self.random.choice(self.beats)
            started += offers


class Sink:
    """Takes beats. stall: share of the cycles in which it is not ready, or "late": ready only once valid is up.

    received, cycles: payload and cycle of each beat.
    """

    def __init__(self, stream, stall=0, seed=0):
        self.stream, self.stall, self.random = stream, stall, random.Random(seed)
        self.received, self.cycles = [], []

    def drive(self, clk, rst):
        stream = self.stream
        while True:
            yield clk.posedge
            if rst:
                continue
            if stream.valid and stream.ready:
                self.received.append(int(stream.data))
                self.cycles.append(cycle_now())
            if self.stall == "late":
                stream.ready.next = stream.valid and not stream.ready
            else:
                stream.ready.next = self.random.random() >= self.stall


def monitor(name, stream, clk, rst, failures):
    """Notes where a stream drops valid or changes the payload before the transfer."""
    waiting = None
    while True:
        yield clk.posedge
        valid, payload = bool(stream.valid), int(stream.data)
        if waiting is not None and not valid:
            failures.append(f"{name}: valid dropped before the transfer, cycle {cycle_now()}")
        elif waiting is not None and payload != waiting:
            failures.append(f"{name}: payload changed from {waiting:x} to {payload:x} before the transfer, cycle {cycle_now()}")
        waiting = payload if valid and not stream.ready and not rst else None


def watch_unknown(dut, clk, rst, failures):
    """Notes outputs that hold an unknown bit after reset."""
    while True:
        yield clk.posedge
        if not rst and dut.unknown:
            bits = int(dut.unknown)
            names = [name for i, name in enumerate(dut.watched) if bits >> i & 1]
            failures.append(f"unknown bits on {', '.join(names)}, cycle {cycle_now()}")


def tick(clk, rst, finished, failures, limit):
    """The clock, RESET_CYCLES of reset, and the end of the run: SURPLUS_CYCLES after finished(), a failure, or the limit."""
    quiet = 0
    for cycle in range(limit):
        rst.next = cycle < RESET_CYCLES
        yield delay(PERIOD // 2)
        clk.next = True
        yield delay(PERIOD // 2)
        clk.next = False
        quiet = quiet + 1 if finished() else 0
        if failures or quiet > SURPLUS_CYCLES:
            raise StopSimulation
    failures.append(f"no end within {limit} cycles")


def cycle(clk):
    """An edge of the clock, and a moment in which what follows from it settles: for benches that drive each cycle themselves."""
    yield delay(PERIOD // 2)
    clk.next = True
    yield delay(PERIOD // 2)
    clk.next = False
    yield delay(1)


@dataclass
class StreamRun:
    """What came out. beats, cycles: payload and cycle of each; sent: cycles of the input beats. counts: activity counters,
    by name, when the last expected beat had come, and the bench's own: cycles since reset, waits of the source."""

    beats: list[int] = field(default_factory=list)
    cycles: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def run_stream(place, block, beats, *, widths, expected, stalls=(0, 0), seed=0, limit=20_000, counted=True, **parameters):
    """Send `beats` through block(clk, rst, src, dst[, counts], **parameters); AssertionError if the run goes wrong.

    place: see the fixture of that name. widths: of src and dst. expected: number of output beats. counted: the block has
    activity counters.
    """
    clk, rst = Signal(bool(0)), Signal(bool(1))
    src, dst, counts = Stream(widths[0]), Stream(widths[1]), Signal(intbv(0)[ACTIVITY_BITS:])
    ports = {"clk": clk, "rst": rst, "src": src, "dst": dst} | ({"counts": counts} if counted else {})
    dut = place(block, **ports, **parameters)
    source, sink = Source(src, beats, stalls[0], seed), Sink(dst, stalls[1], seed + 1)
    run, failures = StreamRun(sink.received, sink.cycles, source.sent), []

    def finished():
        done = len(sink.received) >= expected and len(source.sent) == len(source.beats)
        if done and not run.counts:
            run.counts.update(stage_activity(int(counts)), cycles=cycle_now() - RESET_CYCLES, waits=source.waits)
        return done

    monitors = [monitor("src", src, clk, rst, failures), monitor("dst", dst, clk, rst, failures)]
    agents = [source.drive(clk, rst), sink.drive(clk, rst), watch_unknown(dut, clk, rst, failures)]
    simulate(dut.instance, *monitors, *agents, tick(clk, rst, finished, failures, limit))
    progress = f"{len(source.sent)} of {len(source.beats)} beats sent, {len(run.beats)} of {expected} received"
    assert not failures, f"{failures[0]}; {progress}"
    assert len(run.beats) == expected, progress
    if counted:
        assert run.counts["busy"] + run.counts["stall_in"] + run.counts["stall_out"] == run.counts["cycles"]
    return run
