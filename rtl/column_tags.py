"""The tags of the accumulators' columns: which scan each belongs to, and which leaves as a current."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel, near_slots, reach
from .stream import counter


@block
def column_tags(clk, rst, shift, next_parity, next_emits, own, leaving_emits, primed, *, positions, kernel):
    """Moves a tag along with each column of the window, so that an event reaches only columns of its own scan.

    Ports:
        shift          in   1       the window moves by a column at this edge
        next_parity    in   1       of column_position(): of the column that enters the window at the next shift
        next_emits     in   1       the same
        own            out  columns bit b: column b of the window belongs to the scan of the event's column
        leaving_emits  out  1       the first row of column 0 is a final current
        primed         out  1       the event's column is there: before, shifts fill the window

    Parameters:
        positions: columns of a scan
        kernel: (rows, columns); the window has as many columns, the event's is the one with (columns - 1) // 2 before it

    Timing: a tag is in the window after the shift that it came at. Kernel 3, columns A, B of one scan and C of the next:

        shift        /~~~~~~~~~~~~~~~
        next_parity  |A  |B  |C  |
        column 2     ----|A  |B  |C  |
        column 1     --------|A  |B  |C
        own[2]               |1  |0
    """
    check_number("column_tags", 1, positions=positions)
    check_kernel("column_tags", kernel)
    columns = kernel[1]
    check_width("column_tags", columns, own=own)
    # The window holds the outputs that a pixel reaches: those that have it among the inputs after them, its own, the others.
    ahead, middle = reach(columns)
    first_near, end_near = near_slots(positions, middle, columns)
    all_near = sum(1 << b for b in range(first_near, end_near))
    parity, emits = [Signal(intbv(0)[columns:]) for _ in range(2)]
    own_scan = Signal(intbv(0)[columns:])
    # Of the window's columns and of the one that enters it next.
    parities, all_emits = ConcatSignal(next_parity, parity), ConcatSignal(next_emits, emits)
    # Columns still to come into the window after reset, and that there are none.
    priming = counter(ahead + 2)
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
            own_scan.next = all_near
        elif shift:
            for b in range(columns):
                emits.next[b] = all_emits[b + 1]
                parity.next[b] = parities[b + 1]
            for b in range(first_near, end_near):
                own_scan.next[b] = parities[b + 1] == parities[middle + 1]

    @always(clk.posedge)
    def count_priming():
        if rst:
            priming.next = ahead + 1
            is_primed.next = False
        elif shift:
            if priming != 0:
                priming.next = priming - 1
            is_primed.next = priming <= 1

    return instances()
