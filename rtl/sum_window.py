"""The window of partial sums: all taps, lanes and timesteps of an event in one cycle."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel
from .stream import pack, signed, unpack


@block
def sum_window(
    clk, step, moves, add, mask, own, weights, entering, leaving, *, kernel, timesteps, lanes, weight_bits, current_bits
):  # fmt: skip
    """Adds an event's weights to rows x columns sums for each lane and timestep, and moves by a column before a pixel's first.

    A sum is a weight, or 0, and what was in its place or, with a move, right of it: one LUT for each bit, in front of the carry.

    Ports:
        step      in   1          the sums change at this edge
        moves     in   1          with a step: the window moves by a column before the event is added
        add       in   1          an event is added
        mask      in   timesteps  those in which the event spikes
        own       in   columns    bit b: the event reaches column b, counted after the move
        weights   in              field (lane * rows + a) * columns + b, of weight_bits: for row a and column b
        entering  in              the column that a move brings in: field (t * lanes + lane) * rows + a, of current_bits
        leaving   out             column 0, in the same order: with `moves` it is the one that leaves, until the next step

    Parameters: those of accumulator(); rows, columns = kernel

    Timing: an event a cycle. Events e and f of a pixel, f its last one, then g of the next pixel:

        step           /~~~~~~~~~~~\\____
        event          |e  |f  |g  |
        moves          ________/~~~\\____
        sums           |   |+e |+f |>+g
        leaving        --------|column 0
    """
    check_number("sum_window", 1, timesteps=timesteps, lanes=lanes, weight_bits=weight_bits, current_bits=current_bits)
    check_kernel("sum_window", kernel)
    rows, columns = kernel
    column_slots, last = lanes * rows, columns - 1
    slots = columns * column_slots
    check_width("sum_window", timesteps, mask=mask)
    check_width("sum_window", columns, own=own)
    check_width("sum_window", slots * weight_bits, weights=weights)
    check_width("sum_window", timesteps * column_slots * current_bits, entering=entering, leaving=leaving)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)
    weight_low, weight_high = -(2 ** (weight_bits - 1)), 2 ** (weight_bits - 1)
    # Slot b * column_slots + lane * rows + a holds the sum of row a and column b.
    window = [signed(current_bits) for _ in range(timesteps * slots)]
    taps = [signed(weight_bits) for _ in range(slots)]
    enters = [signed(current_bits) for _ in range(timesteps * column_slots)]
    reached = Signal(intbv(0)[timesteps * columns :])

    weight_fields = unpack(
        weights,
        [taps[b * column_slots + p * rows + a] for p in range(lanes) for a in range(rows) for b in range(columns)],
    )
    entering_fields = unpack(entering, enters)
    leaving_fields = pack([window[t * slots + i] for t in range(timesteps) for i in range(column_slots)], leaving)

    @always_comb
    def find_reach():
        for t in range(timesteps):
            for b in range(columns):
                reached.next[t * columns + b] = add and mask[t] and own[b]

    @always(clk.posedge)
    def accumulate():
        weight = intbv(0, min=weight_low, max=weight_high)
        held = intbv(0, min=low, max=high)
        for t in range(timesteps):
            if step and (moves or mask[t]):
                for b in range(last):
                    for i in range(column_slots):
                        weight[:] = 0
                        if reached[t * columns + b]:
                            weight[:] = taps[b * column_slots + i]
                        held[:] = window[t * slots + b * column_slots + i]
                        if moves:
                            held[:] = window[t * slots + (b + 1) * column_slots + i]
                        window[t * slots + b * column_slots + i].next = weight + held
                for i in range(column_slots):
                    weight[:] = 0
                    if reached[t * columns + last]:
                        weight[:] = taps[last * column_slots + i]
                    held[:] = window[t * slots + last * column_slots + i]
                    if moves:
                        held[:] = enters[t * column_slots + i]
                    window[t * slots + last * column_slots + i].next = weight + held

    return instances()
