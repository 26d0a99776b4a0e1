"""The accumulators of a sparse convolution: event-driven 3x3 (in general K x K) scatter-add over a sliding window."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .memory import Table, ram, rom
from .stream import counter, index_bits, pack, signed, unpack


def row_padding(width: int, groups: int, kernel: int) -> int:
    """Empty pixels that a pass over a row needs so that a partial sum is in the line buffer before it is read again.

    A column leaves the window kernel // 2 pixels after its own, is written one cycle later, and is read two plus
    kernel // 2 pixels ahead of its own in the next row; only maps of a few columns with one group fall short.
    """
    if kernel == 1:
        return 0
    return max(0, -(-(4 + 2 * (kernel // 2)) // groups) - width)


@block
def accumulator(clk, rst, src, dst, counts, height, width, padding, kernel, channels, timesteps, lanes, current_bits, bias, weights):
    """Adds each event's kernel to a window of partial sums, for all taps, timesteps and lanes in one cycle.

    The window holds, for each lane and timestep, the sums of the kernel x kernel outputs that the pixel at hand
    contributes to. At a pixel's last event it moves one column: the column left behind is finished for this row. Its
    first row is a final current and goes out; the others wait in the line buffer until the next row comes. Columns of
    one pass follow those of the pass before without a gap: near an edge the window holds columns of both, and each
    column's tag says which pass it belongs to.

    Ports:
        src     sink         events of scanner(); padding and flush as below
        dst     source       currents, lanes * timesteps fields of current_bits, field lane * timesteps + t
        counts  out  160     activity counters

    Parameters:
        height, width: the map
        padding: empty pixels after each pass, row_padding() or more
        kernel: 1, 3 or 5
        channels: weight words of each group_index
        bias: Table, one word for each group: lanes fields of current_bits
        weights: Table, word group * channels + channel: field (lane * kernel + a) * kernel + b is the weight of the
            output at row a - kernel // 2 and column b - kernel // 2 from the event's pixel

    Timing: one event a cycle. A frame takes the sum of max(1, events) over all pixels and groups, and empty pixels
    for kernel // 2 flush rows and kernel // 2 flush columns.
    """
    radius = kernel // 2
    groups = bias.depth
    positions = width + padding
    rows = height + radius
    row_words = groups * positions
    kept = max(kernel - 1, 1)
    weight_bits = weights.width // (lanes * kernel * kernel)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)

    # Event at hand: its weights come out of the ROM in the cycle in which it is added.
    event_channel = src.data(index_bits(channels), 0)
    event_mask = src.data(index_bits(channels) + timesteps, index_bits(channels))
    event_last = src.data(index_bits(channels) + timesteps)
    held, held_last = Signal(bool(0)), Signal(bool(0))
    mask = Signal(intbv(0)[timesteps:])
    pop, add, shift = [Signal(bool(0)) for _ in range(3)]
    weight_addr = counter(weights.depth)
    weight_word = Signal(intbv(0)[weights.width :])
    taps = [signed(weight_bits) for _ in range(lanes * kernel * kernel)]

    # Columns. Slots 0 .. kernel - 1 are the window's, slot `kernel` is the column that enters it next.
    parity = Signal(intbv(0)[kernel + 1 :])
    emits = Signal(intbv(0)[kernel + 1 :])
    keeps = Signal(intbv(0)[kernel + 1 :])
    addr = [counter(row_words) for _ in range(kernel + 1)]
    base = [counter(weights.depth) for _ in range(kernel + 1)]
    reach = Signal(intbv(0)[kernel:])
    first = Signal(bool(0))
    priming = counter(radius + 3)

    # Position of the column after those.
    column, group_index, row = counter(positions), counter(groups), counter(rows)
    tail = counter(radius + 1)
    next_addr, next_base, next_parity = counter(row_words), counter(weights.depth), Signal(bool(0))

    window = [signed(current_bits) for _ in range(lanes * kernel * kernel * timesteps)]
    finals = [signed(current_bits) for _ in range(lanes * timesteps)]
    partials = [signed(current_bits) for _ in range(lanes * kept * timesteps)]
    stored = [signed(current_bits) for _ in range(lanes * kept * timesteps)]
    biases = [signed(current_bits) for _ in range(lanes)]
    bias_word = Signal(intbv(0)[bias.width :])
    partial_word = Signal(intbv(0)[lanes * kept * timesteps * current_bits :])
    stored_word = Signal(intbv(0)[lanes * kept * timesteps * current_bits :])
    store = Signal(bool(0))
    store_addr = counter(row_words)
    valid = Signal(bool(0))
    has_event, is_silent, stall_in, stall_out = [Signal(bool(0)) for _ in range(4)]

    weight_rom = rom(clk, pop, weight_addr, weight_word, weights)
    weight_fields = unpack(weight_word, taps)
    bias_rom = rom(clk, shift, group_index, bias_word, bias)
    bias_fields = unpack(bias_word, biases)
    final_fields = pack(finals, dst.data)
    activity_counts = activity(clk, rst, add, stall_in, stall_out, has_event, is_silent, counts)
    if kernel > 1:
        partial_fields = pack(partials, partial_word)
        line_buffer = ram(clk, store, store_addr, partial_word, shift, next_addr, stored_word, row_words)
        stored_fields = unpack(stored_word, stored)

    @always_comb
    def flow():
        add.next = held and priming == 0 and not (held_last and valid and not dst.ready)
        shift.next = (priming != 0 or (held and held_last)) and not (valid and not dst.ready)
        dst.valid.next = valid

    @always_comb
    def observe():
        has_event.next = add and mask != 0
        is_silent.next = add and mask == 0
        stall_out.next = held and held_last and valid and not dst.ready
        stall_in.next = not add and not (held and held_last and valid and not dst.ready)

    @always_comb
    def pop_event():
        src.ready.next = add or not held
        pop.next = src.valid and (add or not held)
        if add and held_last:
            weight_addr.next = base[radius + 1] + event_channel
        else:
            weight_addr.next = base[radius] + event_channel

    @always(clk.posedge)
    def hold_event():
        if rst:
            held.next = False
        elif add or not held:
            held.next = src.valid
            held_last.next = event_last
            mask.next = event_mask

    @always_comb
    def find_reach():
        for b in range(kernel):
            reach.next[b] = parity[b] == parity[radius]

    @always(clk.posedge)
    def accumulate():
        total = intbv(0, min=low, max=high)
        for p in range(lanes):
            for a in range(kernel):
                for b in range(kernel):
                    for t in range(timesteps):
                        if shift or (add and mask[t] and reach[b]):
                            total[:] = window[((p * kernel + a) * kernel + b) * timesteps + t]
                            if add and mask[t] and reach[b]:
                                total[:] = total + taps[(p * kernel + a) * kernel + b]
                            if not shift:
                                window[((p * kernel + a) * kernel + b) * timesteps + t].next = total
                            elif b != 0:
                                window[((p * kernel + a) * kernel + b - 1) * timesteps + t].next = total
                            elif a == 0:
                                finals[p * timesteps + t].next = total
                            else:
                                partials[(p * kept + a - 1) * timesteps + t].next = total
                if shift:
                    for t in range(timesteps):
                        if first or a == kernel - 1:
                            window[((p * kernel + a) * kernel + kernel - 1) * timesteps + t].next = biases[p]
                        else:
                            window[((p * kernel + a) * kernel + kernel - 1) * timesteps + t].next = stored[
                                (p * kept + a) * timesteps + t
                            ]

    @always(clk.posedge)
    def emit():
        store.next = False
        if rst:
            valid.next = False
        else:
            if shift:
                valid.next = emits[0]
                store.next = keeps[0]
                store_addr.next = addr[0]
            elif dst.ready:
                valid.next = False

    @always(clk.posedge)
    def tag_columns():
        if rst:
            emits.next = 0
            keeps.next = 0
            parity.next = 0
            priming.next = radius + 2
        elif shift:
            for b in range(kernel):
                emits.next[b] = emits[b + 1]
                keeps.next[b] = keeps[b + 1]
                parity.next[b] = parity[b + 1]
                addr[b].next = addr[b + 1]
                base[b].next = base[b + 1]
            emits.next[kernel] = tail == 0 and row >= radius and column < width
            keeps.next[kernel] = tail == 0
            parity.next[kernel] = next_parity
            addr[kernel].next = next_addr
            base[kernel].next = next_base
            first.next = row == 0
            if priming != 0:
                priming.next = priming - 1

    @always(clk.posedge)
    def advance():
        if rst:
            column.next = 0
            group_index.next = 0
            row.next = 0
            tail.next = 0
            next_addr.next = 0
            next_base.next = 0
            next_parity.next = 0
        elif shift:
            if tail != 0:
                tail.next = tail - 1
                if tail == 1:
                    next_parity.next = not next_parity
            elif column != positions - 1:
                column.next = column + 1
                next_addr.next = next_addr + 1
            else:
                column.next = 0
                next_parity.next = not next_parity
                if group_index != groups - 1:
                    group_index.next = group_index + 1
                    next_addr.next = next_addr + 1
                    next_base.next = next_base + channels
                else:
                    group_index.next = 0
                    next_addr.next = 0
                    next_base.next = 0
                    if row != rows - 1:
                        row.next = row + 1
                    else:
                        row.next = 0
                        tail.next = radius

    return instances()
