"""The window of partial sums: all taps, lanes and timesteps of an event in one cycle."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel
from .stream import pack, signed, unpack


@block
def sum_window(
    clk, add, shift, mask, own, weights, entering, leaving, *, kernel, timesteps, lanes, weight_bits, current_bits
):  # fmt: skip
    """Adds an event's weights to rows x columns sums for each lane and timestep, and moves by a column with a pixel's last.

    Ports:
        add       in   1          an event is added at this edge
        shift     in   1          the window moves at this edge, with the sums that the event makes
        mask      in   timesteps  those in which the event spikes
        own       in   columns    bit b: the event reaches column b
        weights   in              field (lane * rows + a) * columns + b, of weight_bits: for row a and column b
        entering  in              the column that enters: field (t * lanes + lane) * rows + a, of current_bits, for row a
        leaving   out             the column that has left, in the same order; it stays until the next shift

    Parameters: those of accumulator(); rows, columns = kernel

    Timing: an event a cycle. Events e and f of a pixel, f its last one, then g of the next pixel:

        add            /~~~~~~~~~~~\\____
        event          |e  |f  |g  |
        shift          ____/~~~\\________
        sums           |   |+e |>f |+g
        leaving        --------|column 0
    """
    check_number("sum_window", 1, timesteps=timesteps, lanes=lanes, weight_bits=weight_bits, current_bits=current_bits)
    check_kernel("sum_window", kernel)
    rows, columns = kernel
    column_slots = lanes * rows
    slots = columns * column_slots
    check_width("sum_window", timesteps, mask=mask)
    check_width("sum_window", columns, own=own)
    check_width("sum_window", slots * weight_bits, weights=weights)
    check_width("sum_window", timesteps * column_slots * current_bits, entering=entering, leaving=leaving)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)
    # Slot b * column_slots + lane * rows + a holds the sum of row a and column b.
    window = [signed(current_bits) for _ in range(timesteps * slots)]
    taps = [signed(weight_bits) for _ in range(slots)]
    enters, leaves = [[signed(current_bits) for _ in range(timesteps * column_slots)] for _ in range(2)]
    reached = Signal(intbv(0)[slots:])

    weight_fields = unpack(
        weights,
        [taps[b * column_slots + p * rows + a] for p in range(lanes) for a in range(rows) for b in range(columns)],
    )
    entering_fields = unpack(entering, enters)
    leaving_fields = pack(leaves, leaving)

    @always_comb
    def find_reach():
        for b in range(columns):
            for i in range(column_slots):
                reached.next[b * column_slots + i] = own[b]

    @always(clk.posedge)
    def accumulate():
        total = intbv(0, min=low, max=high)
        if not shift:
            for t in range(timesteps):
                if add and mask[t]:
                    for i in range(slots):
                        if reached[i]:
                            window[t * slots + i].next = window[t * slots + i] + taps[i]
        else:
            for t in range(timesteps):
                for b in range(columns):
                    for i in range(column_slots):
                        total[:] = window[t * slots + b * column_slots + i]
                        if add and mask[t] and reached[b * column_slots + i]:
                            total[:] = total + taps[b * column_slots + i]
                        if b == 0:
                            leaves[t * column_slots + i].next = total
                        else:
                            window[t * slots + (b - 1) * column_slots + i].next = total
                for i in range(column_slots):
                    window[t * slots + (columns - 1) * column_slots + i].next = enters[t * column_slots + i]

    return instances()
