"""The tags of the accumulators' columns: which scan each belongs to, and which leaves as a current."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import KERNELS, check_choice, check_width
from .stream import counter


@block
def column_tags(clk, rst, shift, next_parity, next_emits, own, leaving_emits, primed, *, kernel):
    """Moves a tag along with each column of the window, so that an event reaches only columns of its own scan.

    Ports:
        shift          in   1       the window moves by a column at this edge
        next_parity    in   1       of column_position(), two columns before it enters the window
        next_emits     in   1       the same
        own            out  kernel  bit b: column b of the window belongs to the scan of the middle one
        leaving_emits  out  1       the first row of column 0 is a final current
        primed         out  1       the middle column is there: before, shifts fill the window

    Timing: a tag is in the window one shift after it came. Kernel 3, columns A, B of one scan and C of the next:

        shift        /~~~~~~~~~~~~~~~~~~~
        next_parity  |A  |B  |C  |   |
        slot 3       ----|A  |B  |C  |
        slot 2       --------|A  |B  |C  |
        slot 1       ------------|A  |B  |C
        own[2]                   |1  |0
    """
    check_choice("column_tags", KERNELS, kernel=kernel)
    check_width("column_tags", kernel, own=own)
    radius = kernel // 2
    # Slots 0 .. kernel - 1 are the window's, slot `kernel` is the column that enters it next.
    parity, emits = [Signal(intbv(0)[kernel + 1 :]) for _ in range(2)]
    own_scan = Signal(intbv(0)[kernel:])
    # Columns still to come into the window after reset, and that there are none.
    priming = counter(radius + 3)
    is_primed = Signal(bool(0))

    @always_comb
    def give_tags():
        own.next = own_scan
        leaving_emits.next = emits[0]
        primed.next = is_primed

    @always(clk.posedge)
    def move_tags():
        if rst:
            emits.next = 0
            parity.next = 0
            own_scan.next = 2**kernel - 1
        elif shift:
            for b in range(kernel):
                emits.next[b] = emits[b + 1]
                parity.next[b] = parity[b + 1]
                own_scan.next[b] = parity[b + 1] == parity[radius + 1]
            emits.next[kernel] = next_emits
            parity.next[kernel] = next_parity

    @always(clk.posedge)
    def count_priming():
        if rst:
            priming.next = radius + 2
            is_primed.next = False
        elif shift:
            if priming != 0:
                priming.next = priming - 1
            is_primed.next = priming <= 1

    return instances()
