"""The transmitter of a serial line: bytes of 8 bits, no parity, one stop bit."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .packets import BYTE_BITS, MIN_DIVIDER
from .stream import counter


@block
def uart_transmitter(clk, rst, src, txd, *, divider):
    """Sends bytes over a serial line: a start bit, 8 bits, the lowest first, a stop bit.

    Ports:
        src  sink  8  bytes
        txd  out   1  the line, high while nothing is sent

    Parameters:
        divider: clock cycles of a bit

    Timing: 10 bits a byte; bytes follow each other without a gap, and the line comes straight from a register.
    """
    check_number("uart_transmitter", MIN_DIVIDER, divider=divider)
    check_width("uart_transmitter", BYTE_BITS, src=src.data)
    whole, frame_bits = divider - 1, BYTE_BITS + 2
    last_bit, msb = frame_bits - 1, BYTE_BITS

    bits = Signal(intbv(0)[BYTE_BITS + 1 :])
    line, busy, last, take = Signal(bool(1)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    timer, place = counter(divider), counter(frame_bits)

    @always_comb
    def handshake():
        last.next = busy and timer == 0 and place == last_bit
        src.ready.next = not rst and (not busy or last)
        take.next = src.valid and not rst and (not busy or last)

    @always_comb
    def drive_line():
        txd.next = line

    @always(clk.posedge)
    def count_bits():
        if rst:
            busy.next = False
        elif take:
            busy.next = True
            timer.next = whole
            place.next = 0
        elif busy:
            if timer != 0:
                timer.next = timer - 1
            else:
                timer.next = whole
                if place == last_bit:
                    busy.next = False
                else:
                    place.next = place + 1

    @always(clk.posedge)
    def shift_bits():
        if rst:
            line.next = True
        elif take:
            line.next = False
            bits.next = src.data
            bits.next[msb] = True
        elif timer == 0:
            # Behind the byte comes the stop bit, and the line stays high.
            line.next = not busy or bits[0]
            bits.next = bits >> 1
            bits.next[msb] = True

    return instances()
