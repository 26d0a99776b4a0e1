import random

from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.activity import ACTIVITY_BITS, COUNTER_BITS, COUNTERS, activity

FLAGS = ("busy", "stall_in", "stall_out", "has_event", "is_silent")


def test_counts_each_flag_from_reset(place):
    signals = {name: Signal(bool(0)) for name in ("clk", "rst", *FLAGS)}
    counts = Signal(intbv(0)[ACTIVITY_BITS:])
    dut = place(activity, **signals, counts=counts)
    choose, expected, seen = random.Random(5), [0] * len(FLAGS), []

    def drive():
        for cycle in range(120):
            flags = [choose.random() < 0.1 * (i + 1) for i in range(len(FLAGS))]
            # A second reset in the middle: counts start anew.
            signals["rst"].next = in_reset = cycle < 3 or cycle == 40
            for name, flag in zip(FLAGS, flags, strict=True):
                signals[name].next = flag
            expected[:] = [0 if in_reset else total + flag for total, flag in zip(expected, flags, strict=True)]
            yield delay(5)
            signals["clk"].next = True
            yield delay(5)
            signals["clk"].next = False
            seen.append(int(counts) == sum(total << (i * COUNTER_BITS) for i, total in enumerate(expected)))
        raise StopSimulation

    simulate(dut.instance, drive())
    assert len(seen) == 120
    assert all(seen)
    assert min(expected) > 0


def test_a_counter_for_each_flag():
    assert len(COUNTERS) * COUNTER_BITS == ACTIVITY_BITS
