"""The timer of the bridge: how long nothing has moved."""

from myhdl import always, always_comb, block

from .checks import check_number
from .stream import counter


@block
def stall_timer(clk, waits, expired, *, timeout):
    """Counts the cycles of waiting, without a break.

    Ports:
        waits    in   1  nothing moves in this cycle
        expired  out  1  so it was in `timeout` - 1 cycles before this one or more

    Parameters:
        timeout: cycles
    """
    check_number("stall_timer", 1, timeout=timeout)
    last_cycle, cycles = timeout - 1, counter(timeout)

    @always(clk.posedge)
    def count_cycles():
        if not waits:
            cycles.next = 0
        elif cycles != last_cycle:
            cycles.next = cycles + 1

    @always_comb
    def drive_expired():
        expired.next = cycles == last_cycle

    return count_cycles, drive_expired
