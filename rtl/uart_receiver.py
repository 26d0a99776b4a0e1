"""The receiver of a serial line: bytes of 8 bits, no parity, one stop bit."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .packets import BYTE_BITS, MIN_DIVIDER
from .stream import counter


@block
def uart_receiver(clk, rst, rxd, data, arrived, broken, *, divider):
    """Finds the bytes on a serial line, and says where there was none.

    A start bit that is over before its middle is noise and begins nothing. A byte without a stop bit is dropped: what looked like
    one was noise, or the line was broken; no other begins until the line is high.

    Ports:
        rxd      in   1  the line, in time with no clock; high while nothing is sent
        data     out  8  the byte, while `arrived` is high
        arrived  out  1  a byte has come, for one cycle
        broken   out  1  a byte without a stop bit has come, for one cycle

    Parameters:
        divider: clock cycles of a bit

    Timing: a bit is sampled once, at its middle; `arrived` follows the middle of the stop bit by 3 cycles.
    """
    check_number("uart_receiver", MIN_DIVIDER, divider=divider)
    check_width("uart_receiver", BYTE_BITS, data=data)
    whole, half, stop_place, msb = divider - 1, divider // 2 - 1, BYTE_BITS + 1, BYTE_BITS - 1

    first, line = Signal(bool(1)), Signal(bool(1))
    receiving, may_begin, done, failed = [Signal(bool(0)) for _ in range(4)]
    timer, place = counter(divider), counter(BYTE_BITS + 2)
    bits = Signal(intbv(0)[BYTE_BITS:])

    @always(clk.posedge)
    def synchronize():
        # Not reset: a line that is low then is no start bit.
        first.next = rxd
        line.next = first

    @always(clk.posedge)
    def follow_bits():
        if rst:
            receiving.next = False
            may_begin.next = False
        elif not receiving:
            # High since the byte before, then low: a start bit.
            may_begin.next = line
            receiving.next = may_begin and not line
        elif timer == 0 and ((place == 0 and line) or place == stop_place):
            receiving.next = False

    @always(clk.posedge)
    def count_bits():
        if not receiving:
            timer.next = half
            place.next = 0
        elif timer != 0:
            timer.next = timer - 1
        else:
            timer.next = whole
            if place != stop_place:
                place.next = place + 1

    @always(clk.posedge)
    def sample_bit():
        if receiving and timer == 0 and place != stop_place:
            bits.next = bits >> 1
            bits.next[msb] = line

    @always(clk.posedge)
    def end_byte():
        done.next = not rst and receiving and timer == 0 and place == stop_place and line
        failed.next = not rst and receiving and timer == 0 and place == stop_place and not line

    @always_comb
    def drive_output():
        data.next = bits
        arrived.next = done
        broken.next = failed

    return instances()
