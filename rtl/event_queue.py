"""The spike-event queue: what the scanner finds waits here for the accumulators."""

from myhdl import block

from .checks import check_number, check_width
from .fifo import fifo


@block
def event_queue(clk, rst, src, dst, *, depth):
    """A fifo() of spike events, so that the scanner's pauses and the accumulators' do not add up.

    Ports:
        src  sink    events of scanner()
        dst  source  the same, in the same order, for weight_fetch()

    Parameters:
        depth: events it holds, 1 or more

    Timing: see fifo().
    """
    check_number("event_queue", 1, depth=depth)
    check_width("event_queue", len(dst.data), src=src.data, dst=dst.data)
    events = fifo(clk, rst, src, dst, depth=depth)
    return events
