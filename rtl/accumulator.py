"""The accumulators of a sparse convolution: event-driven 3x3 (in general K x K) scatter-add over a sliding window."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import KERNELS, check_choice, check_number, check_table, check_width
from .loaded_memory import parameter_memory
from .memory import ram
from .stream import counter, pack, signed, unpack


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
    clk, rst, src, dst, counts, load=None, *,
    height, width, parts, padding, kernel, timesteps, lanes, weight_bits, current_bits, bias,
):  # fmt: skip
    """Adds each event's kernel to a window of partial sums, for all taps, timesteps and lanes in one cycle.

    The window holds, for each lane and timestep, the sums of the kernel x kernel outputs that the pixel at hand
    contributes to. At a pixel's last event it moves one column: the column left behind is finished for this scan. After
    the scan over a row's last part its first row is a final current and goes out; all that is not final waits in the line
    buffer until the next scan over the same columns. Columns of one scan follow those of the scan before without a gap:
    near an edge the window holds columns of both, and each column's tag says which scan it belongs to.

    Ports:
        src     sink         events with their weights, from weight_fetch(); padding and flush as below. Field
                             (lane * kernel + a) * kernel + b of the word is the weight of the output at row a - kernel // 2 and
                             column b - kernel // 2 from the event's pixel
        dst     source       currents, lanes * timesteps fields of current_bits, field lane * timesteps + t
        counts  out  160     activity counters
        load    in           of a loadable core, see loading.Load

    Parameters:
        height, width: the map
        parts: scans over a row for each group, each with the events of other channels; flush rows have one
        padding: empty pixels after each scan, row_padding() or more
        kernel: 1, 3 or 5
        weight_bits: width of a weight
        bias: Table, one word for each group: lanes fields of current_bits

    Timing: one event a cycle. A frame takes the sum of max(1, events) over all pixels, parts and groups, and empty pixels
    for kernel // 2 flush rows and kernel // 2 flush columns.
    """
    check_number("accumulator", 1, height=height, width=width, parts=parts, timesteps=timesteps, lanes=lanes)
    check_number("accumulator", 1, weight_bits=weight_bits, current_bits=current_bits)
    check_choice("accumulator", KERNELS, kernel=kernel)
    radius = kernel // 2
    groups = bias.depth
    check_number("accumulator", row_padding(width, groups, kernel, parts), padding=padding)
    positions = width + padding
    rows = height + radius
    last_row, last_part, last_group, last_column = rows - 1, parts - 1, groups - 1, positions - 1
    row_words = groups * positions
    column_slots = lanes * kernel
    slots = kernel * column_slots
    word_bits = lanes * kernel * kernel * weight_bits
    check_table("accumulator", lanes * current_bits, groups, bias=bias)
    check_width("accumulator", word_bits + timesteps + 1, src=src.data)
    check_width("accumulator", lanes * timesteps * current_bits, dst=dst.data)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)

    event_word = src.data(word_bits, 0)
    event_mask = src.data(word_bits + timesteps, word_bits)
    event_last = src.data(word_bits + timesteps)
    mask = Signal(intbv(0)[timesteps:])
    add, shift = Signal(bool(0)), Signal(bool(0))
    weight_word = Signal(intbv(0)[word_bits:])
    taps = [signed(weight_bits) for _ in range(lanes * kernel * kernel)]

    # Columns. Slots 0 .. kernel - 1 are the window's, slot `kernel` is the column that enters it next.
    parity = Signal(intbv(0)[kernel + 1 :])
    emits = Signal(intbv(0)[kernel + 1 :])
    keeps = Signal(intbv(0)[kernel + 1 :])
    addr = [counter(row_words) for _ in range(kernel + 1)]
    # Columns that an event reaches, those of its own scan, and for each position of the window.
    own = Signal(intbv(0)[kernel:])
    reached = Signal(intbv(0)[slots:])
    first, same_row = Signal(bool(0)), Signal(bool(0))
    # Columns still to come into the window after reset, and that there are none.
    priming = counter(radius + 3)
    primed = Signal(bool(0))

    # Position of the column after those.
    column, group_index, part, row = counter(positions), counter(groups), counter(parts), counter(rows)
    last_of_row = Signal(bool(0))
    tail = counter(radius + 1)
    next_addr, next_parity = counter(row_words), Signal(bool(0))

    # Slot b * column_slots + lane * kernel + a holds the sum for the output at row a - radius and column b - radius.
    window = [signed(current_bits) for _ in range(timesteps * slots)]
    leaving = [signed(current_bits) for _ in range(timesteps * column_slots)]
    entering = [signed(current_bits) for _ in range(timesteps * column_slots)]
    biases = [signed(current_bits) for _ in range(lanes)]
    bias_word = Signal(intbv(0)[bias.width :])
    valid = Signal(bool(0))
    has_event, is_silent, stall_in, stall_out = [Signal(bool(0)) for _ in range(4)]

    weight_fields = unpack(
        weight_word,
        [taps[b * column_slots + p * kernel + a] for p in range(lanes) for a in range(kernel) for b in range(kernel)],
    )
    bias_rom = parameter_memory(load)(clk, shift, group_index, bias_word, table=bias)
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
        line_buffer = ram(clk, store, store_addr, partial_word, shift, next_addr, stored_word, depth=row_words)
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
    def take_apart():
        weight_word.next = event_word
        mask.next = event_mask

    @always_comb
    def flow():
        add.next = src.valid and primed and not (event_last and valid and not dst.ready)
        shift.next = (not primed or (src.valid and event_last)) and not (valid and not dst.ready)
        dst.valid.next = valid

    @always_comb
    def observe():
        src.ready.next = add
        has_event.next = add and mask != 0
        is_silent.next = add and mask == 0
        stall_out.next = src.valid and event_last and valid and not dst.ready
        stall_in.next = not add and not (src.valid and event_last and valid and not dst.ready)

    @always_comb
    def find_reach():
        for b in range(kernel):
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
            own.next = 2**kernel - 1
            priming.next = radius + 2
            primed.next = False
        elif shift:
            for b in range(kernel):
                emits.next[b] = emits[b + 1]
                keeps.next[b] = keeps[b + 1]
                parity.next[b] = parity[b + 1]
                own.next[b] = parity[b + 1] == parity[radius + 1]
                addr[b].next = addr[b + 1]
            emits.next[kernel] = tail == 0 and row >= radius and last_of_row and column < width
            keeps.next[kernel] = tail == 0
            parity.next[kernel] = next_parity
            addr[kernel].next = next_addr
            first.next = row == 0
            same_row.next = part != 0
            if priming != 0:
                priming.next = priming - 1
            primed.next = priming <= 1

    @always(clk.posedge)
    def advance():
        if rst:
            column.next = 0
            group_index.next = 0
            part.next = 0
            row.next = 0
            tail.next = 0
            next_addr.next = 0
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
                else:
                    group_index.next = 0
                    next_addr.next = 0
                    if not last_of_row:
                        part.next = part + 1
                    else:
                        part.next = 0
                        if row != last_row:
                            row.next = row + 1
                        else:
                            row.next = 0
                            tail.next = radius

    return instances()
