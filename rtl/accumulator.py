"""The accumulators of a sparse convolution: event-driven 3x3 (in general K x K) scatter-add over a sliding window."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .loading import parameter_memory
from .memory import ram
from .stream import counter, index_bits, pack, signed, unpack


def row_padding(width: int, groups: int, kernel: int, parts: int) -> int:
    """Empty pixels that a scan over a row needs so that a partial sum is in the line buffer before it is read again.

    A column leaves the window kernel // 2 pixels after its own, is written one cycle later, and is read two plus
    kernel // 2 pixels ahead of its own in the next scan over them; only maps of a few columns with one group fall short.
    """
    if kernel == 1 and parts == 1:
        return 0
    return max(0, -(-(4 + 2 * (kernel // 2)) // groups) - width)


@block
def accumulator(
    clk, rst, src, dst, counts, height, width, parts, padding, kernel, channels, timesteps, lanes, current_bits, bias, weights,
    load=None,
):  # fmt: skip
    """Adds each event's kernel to a window of partial sums, for all taps, timesteps and lanes in one cycle.

    The window holds, for each lane and timestep, the sums of the kernel x kernel outputs that the pixel at hand
    contributes to. At a pixel's last event it moves one column: the column left behind is finished for this scan. After
    the scan over a row's last part its first row is a final current and goes out; all that is not final waits in the line
    buffer until the next scan over the same columns. Columns of one scan follow those of the scan before without a gap:
    near an edge the window holds columns of both, and each column's tag says which scan it belongs to.

    Ports:
        src     sink         events of scanner(); padding and flush as below
        dst     source       currents, lanes * timesteps fields of current_bits, field lane * timesteps + t
        counts  out  160     activity counters
        load    in           of a loadable core, see loading.Load

    Parameters:
        height, width: the map
        parts: scans over a row for each group, each with the events of other channels; flush rows have one
        padding: empty pixels after each scan, row_padding() or more
        kernel: 1, 3 or 5
        channels: weight words of each scan
        bias: Table, one word for each group: lanes fields of current_bits
        weights: Table, word (part * groups + group) * channels + channel: field (lane * kernel + a) * kernel + b is the weight of
            the output at row a - kernel // 2 and column b - kernel // 2 from the event's pixel

    Timing: one event a cycle. A frame takes the sum of max(1, events) over all pixels, parts and groups, and empty pixels
    for kernel // 2 flush rows and kernel // 2 flush columns.
    """
    radius = kernel // 2
    groups = bias.depth
    positions = width + padding
    rows = height + radius
    last_row, last_part, last_group, last_column = rows - 1, parts - 1, groups - 1, positions - 1
    row_words = groups * positions
    column_slots = lanes * kernel
    slots = kernel * column_slots
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
    reached = Signal(intbv(0)[slots:])
    first, same_row = Signal(bool(0)), Signal(bool(0))
    priming = counter(radius + 3)

    # Position of the column after those.
    column, group_index, part, row = counter(positions), counter(groups), counter(parts), counter(rows)
    last_of_row = Signal(bool(0))
    tail = counter(radius + 1)
    next_addr, next_base, next_parity = counter(row_words), counter(weights.depth), Signal(bool(0))

    # Slot b * column_slots + lane * kernel + a holds the sum for the output at row a - radius and column b - radius.
    window = [signed(current_bits) for _ in range(timesteps * slots)]
    leaving = [signed(current_bits) for _ in range(timesteps * column_slots)]
    entering = [signed(current_bits) for _ in range(timesteps * column_slots)]
    biases = [signed(current_bits) for _ in range(lanes)]
    bias_word = Signal(intbv(0)[bias.width :])
    valid = Signal(bool(0))
    has_event, is_silent, stall_in, stall_out = [Signal(bool(0)) for _ in range(4)]

    weight_rom = parameter_memory(load)(clk, pop, weight_addr, weight_word, weights)
    weight_fields = unpack(
        weight_word,
        [taps[b * column_slots + p * kernel + a] for p in range(lanes) for a in range(kernel) for b in range(kernel)],
    )
    bias_rom = parameter_memory(load)(clk, shift, group_index, bias_word, bias)
    bias_fields = unpack(bias_word, biases)
    activity_counts = activity(clk, rst, add, stall_in, stall_out, has_event, is_silent, counts)
    final_fields = pack([leaving[t * column_slots + p * kernel] for p in range(lanes) for t in range(timesteps)], dst.data)

    # A row's first currents are final after its last part; until then they wait, too.
    waiting = [i for i in range(timesteps * column_slots) if i % kernel != 0 or parts > 1]
    if waiting:
        store = Signal(bool(0))
        store_addr = counter(row_words)
        # One more than is used: HDL also holds the index after the last slot, in a branch that is never taken.
        stored = [signed(current_bits) for _ in range(timesteps * column_slots + 1)]
        partial_word = Signal(intbv(0)[len(waiting) * current_bits :])
        stored_word = Signal(intbv(0)[len(waiting) * current_bits :])
        partial_fields = pack([leaving[i] for i in waiting], partial_word)
        line_buffer = ram(clk, store, store_addr, partial_word, shift, next_addr, stored_word, row_words)
        stored_fields = unpack(stored_word, [stored[i] for i in waiting])

        @always(clk.posedge)
        def store_column():
            store.next = shift and keeps[0]
            store_addr.next = addr[0]

        # In the next row the output of row a is the one of row a - 1.
        @always_comb
        def enter():
            for t in range(timesteps):
                for p in range(lanes):
                    for a in range(kernel):
                        entering[(t * lanes + p) * kernel + a].next = biases[p]
                        if parts > 1 and same_row:
                            entering[(t * lanes + p) * kernel + a].next = stored[(t * lanes + p) * kernel + a]
                        elif a != kernel - 1 and not first:
                            entering[(t * lanes + p) * kernel + a].next = stored[(t * lanes + p) * kernel + a + 1]

    else:

        @always_comb
        def enter():
            for t in range(timesteps):
                for p in range(lanes):
                    entering[t * lanes + p].next = biases[p]

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
            for i in range(column_slots):
                reached.next[b * column_slots + i] = parity[b] == parity[radius]

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
                for b in range(kernel):
                    for i in range(column_slots):
                        total[:] = window[t * slots + b * column_slots + i]
                        if add and mask[t] and reached[b * column_slots + i]:
                            total[:] = total + taps[b * column_slots + i]
                        if b == 0:
                            leaving[t * column_slots + i].next = total
                        else:
                            window[t * slots + (b - 1) * column_slots + i].next = total
                for i in range(column_slots):
                    window[t * slots + (kernel - 1) * column_slots + i].next = entering[t * column_slots + i]

    @always(clk.posedge)
    def emit():
        if rst:
            valid.next = False
        elif shift:
            valid.next = emits[0]
        elif dst.ready:
            valid.next = False

    @always_comb
    def find_last_part():
        last_of_row.next = part == last_part or row >= height

    @always(clk.posedge)
    def tag_columns():
        if rst:
            emits.next = 0
            keeps.next = 0
            parity.next = 0
            priming.next = radius + 2
            for b in range(kernel + 1):
                base[b].next = 0
        elif shift:
            for b in range(kernel):
                emits.next[b] = emits[b + 1]
                keeps.next[b] = keeps[b + 1]
                parity.next[b] = parity[b + 1]
                addr[b].next = addr[b + 1]
                base[b].next = base[b + 1]
            emits.next[kernel] = tail == 0 and row >= radius and last_of_row and column < width
            keeps.next[kernel] = tail == 0
            parity.next[kernel] = next_parity
            addr[kernel].next = next_addr
            base[kernel].next = next_base
            first.next = row == 0
            same_row.next = part != 0
            if priming != 0:
                priming.next = priming - 1

    @always(clk.posedge)
    def advance():
        if rst:
            column.next = 0
            group_index.next = 0
            part.next = 0
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
            elif column != last_column:
                column.next = column + 1
                next_addr.next = next_addr + 1
            else:
                column.next = 0
                next_parity.next = not next_parity
                if group_index != last_group:
                    group_index.next = group_index + 1
                    next_addr.next = next_addr + 1
                    next_base.next = next_base + channels
                else:
                    group_index.next = 0
                    next_addr.next = 0
                    if not last_of_row:
                        part.next = part + 1
                        next_base.next = next_base + channels
                    else:
                        part.next = 0
                        next_base.next = 0
                        if row != last_row:
                            row.next = row + 1
                        else:
                            row.next = 0
                            tail.next = radius

    return instances()
