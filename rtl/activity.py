"""The activity counters of a stage."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, modbv

from .checks import check_width

COUNTERS = ("busy", "stall_in", "stall_out", "events", "silent")
COUNTER_BITS = 32
ACTIVITY_BITS = COUNTER_BITS * len(COUNTERS)


@block
def activity(clk, rst, busy, stall_in, stall_out, has_event, is_silent, counts):
    """Counts what a stage does, one of busy, stall_in and stall_out in each cycle since reset; they wrap at 2**32.

    Ports:
        busy       in   1    the stage works
        stall_in   in   1    it waits for input
        stall_out  in   1    it waits for its successor
        has_event  in   1    it adds a spike event (a busy cycle)
        is_silent  in   1    it passes a pixel without a spike (a busy cycle)
        counts     out  160  five counts of 32 bits, in the order of COUNTERS, the first in the lowest bits
    """
    check_width("activity", ACTIVITY_BITS, counts=counts)
    n_busy, n_stall_in, n_stall_out, n_events, n_silent = [Signal(modbv(0)[COUNTER_BITS:]) for _ in COUNTERS]
    joined = ConcatSignal(n_silent, n_events, n_stall_out, n_stall_in, n_busy)

    @always(clk.posedge)
    def count_cycles():
        if rst:
            n_busy.next = 0
            n_stall_in.next = 0
            n_stall_out.next = 0
            n_events.next = 0
            n_silent.next = 0
        else:
            if busy:
                n_busy.next = n_busy + 1
            if stall_in:
                n_stall_in.next = n_stall_in + 1
            if stall_out:
                n_stall_out.next = n_stall_out + 1
            if has_event:
                n_events.next = n_events + 1
            if is_silent:
                n_silent.next = n_silent + 1

    @always_comb
    def drive_counts():
        counts.next = joined

    return instances()
