"""The accumulators of a sparse convolution: event-driven scatter-add of a kernel over a sliding window."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_table, check_width
from .column_position import LineAccess, column_position
from .column_start import column_start
from .column_tags import column_tags
from .kernel import check_kernel, check_places
from .line_buffer import line_buffer, waiting_rows
from .loaded_memory import parameter_memory
from .stream import counter, pack, signed, unpack
from .sum_window import sum_window


def row_padding(width: int, groups: int, kernel: tuple[int, int], parts: int) -> int:
    """Empty pixels that a scan over a row needs so that a partial sum is in the line buffer before it is read again.

    A column leaves the window (columns - 1) // 2 pixels after its own, is written one cycle later, and is read two plus
    columns // 2 pixels ahead of its own in the next scan over them; only maps of a few columns with one group fall short.
    """
    rows, columns = kernel
    if rows == 1 and parts == 1:
        return 0
    return max(0, -(-(columns + 3) // groups) - width)


@block
def accumulator(
    clk, rst, src, dst, counts, load=None, *,
    height, width, out_rows, out_columns, parts, padding, kernel, timesteps, lanes, weight_bits, current_bits, bias,
):  # fmt: skip
    """Adds each event's kernel to a window of partial sums, for all taps, timesteps and lanes in one cycle.

    The window holds, for each lane and timestep, the sums of the rows x columns outputs that the current pixel
    contributes to. With a pixel's last event the window's first column is finished for this scan; with the next pixel's
    first event the window moves by a column. Before that, after the scan over a row's last part, the first row of that
    column is a final current, and goes out if the output window has it; all that is not final waits in the line buffer
    until the next scan over the same columns. Columns of one scan follow those of the scan before without a gap: near an
    edge the window holds columns of both, and each column's tag names its scan.

    Ports:
        src     sink         events with their weights, from weight_fetch(); padding and flush as below. Field
                             (lane * rows + a) * columns + b of the word is the weight of the output at row
                             a - (rows - 1) // 2 and column b - (columns - 1) // 2 from the event's pixel
        dst     source       currents, lanes * timesteps fields of current_bits, field lane * timesteps + t
        counts  out  160     activity counters
        load    in           of a loadable core, see loading.Load

    Parameters:
        height, width: the map
        out_rows, out_columns: ranges, the output window: the rows and columns whose currents go out
        parts: scans over a row for each group, each with the events of other channels; flush rows have one
        padding: empty pixels after each scan, row_padding() or more
        kernel: (rows, columns)
        weight_bits: width of a weight
        bias: Table, one word for each group: lanes fields of current_bits

    Timing: one event a cycle. A frame takes the sum of max(1, events) over all pixels, parts and groups, and empty pixels
    for (rows - 1) // 2 flush rows and (columns - 1) // 2 flush columns; the output window changes none of it. Three columns,
    one event for each pixel of one scan; column 0 leaves with the event of pixel 1, and its currents are there in the next
    cycle:

        src pixel      |0  |1  |2  |3  |
        step           /~~~~~~~~~~~~~~~~
        moves          /~~~~~~~~~~~~~~~~
        dst.valid      ________/~~~~~~~~
        dst column     --------|0  |1  |
    """
    check_number("accumulator", 1, height=height, width=width, parts=parts, timesteps=timesteps, lanes=lanes)
    check_number("accumulator", 1, weight_bits=weight_bits, current_bits=current_bits)
    check_kernel("accumulator", kernel)
    check_places("accumulator", height, out_rows=out_rows)
    check_places("accumulator", width, out_columns=out_columns)
    kernel_rows, columns = kernel
    groups = bias.depth
    check_number("accumulator", row_padding(width, groups, kernel, parts), padding=padding)
    words = groups * (width + padding)
    rows = waiting_rows(kernel, parts)
    word_bits = lanes * kernel_rows * columns * weight_bits
    fields = timesteps * lanes * kernel_rows
    check_table("accumulator", lanes * current_bits, groups, bias=bias)
    check_width("accumulator", word_bits + timesteps + 1, src=src.data)
    check_width("accumulator", lanes * timesteps * current_bits, dst=dst.data)

    event_word = src.data(word_bits, 0)
    event_mask = src.data(word_bits + timesteps, word_bits)
    event_last = src.data(word_bits + timesteps)
    mask, weight_word = Signal(intbv(0)[timesteps:]), Signal(intbv(0)[word_bits:])
    # An event is added or, before the first one, the window filled; a pixel ends; the next step moves the window.
    step, add, shift, moves = [Signal(bool(0)) for _ in range(4)]
    primed, valid, blocked = [Signal(bool(0)) for _ in range(3)]
    has_event, is_silent, stall_in, stall_out = [Signal(bool(0)) for _ in range(4)]
    group_index, bias_word = counter(groups), Signal(intbv(0)[bias.width :])
    next_parity, next_emits, leaving_emits = [Signal(bool(0)) for _ in range(3)]
    own = Signal(intbv(0)[columns:])
    line = LineAccess(words, kernel, parts) if rows else None
    entering, leaving = [Signal(intbv(0)[fields * current_bits :]) for _ in range(2)]
    # Field (t * lanes + lane) * kernel_rows + a, for row a.
    sums = [signed(current_bits) for _ in range(fields)]

    find_column = column_position(
        clk, rst, shift, group_index, next_parity, next_emits, line, height=height, width=width, out_rows=out_rows,
        out_columns=out_columns, parts=parts, padding=padding, kernel=kernel, groups=groups,
    )  # fmt: skip
    tag_columns = column_tags(
        clk, rst, shift, next_parity, next_emits, own, leaving_emits, primed, positions=width + padding, kernel=kernel
    )  # fmt: skip
    bias_rom = parameter_memory(load)(clk, shift, group_index, bias_word, table=bias)
    add_events = sum_window(
        clk, step, moves, add, mask, own, weight_word, entering, leaving, kernel=kernel, timesteps=timesteps, lanes=lanes,
        weight_bits=weight_bits, current_bits=current_bits,
    )  # fmt: skip
    sum_fields = unpack(leaving, sums)
    final_fields = pack([sums[(t * lanes + p) * kernel_rows] for p in range(lanes) for t in range(timesteps)], dst.data)
    activity_counts = activity(clk, rst, add, stall_in, stall_out, has_event, is_silent, counts)

    if rows:
        waiting = Signal(intbv(0)[timesteps * lanes * len(rows) * current_bits :])
        waiting_fields = pack([sums[n * kernel_rows + a] for n in range(timesteps * lanes) for a in rows], waiting)
        stored_word, fresh = Signal(intbv(0)[len(waiting) :]), Signal(bool(0))
        same_row = Signal(bool(0)) if kernel_rows > 1 and parts > 1 else None
        keep_rows = line_buffer(
            clk, rst, shift, line, waiting, stored_word, fresh, same_row, words=words, kernel=kernel, parts=parts,
            timesteps=timesteps, lanes=lanes, current_bits=current_bits,
        )  # fmt: skip
        begin_column = column_start(
            fresh, bias_word, stored_word, entering, same_row, kernel=kernel, parts=parts, timesteps=timesteps, lanes=lanes,
            current_bits=current_bits,
        )  # fmt: skip
    else:
        all_biases = ConcatSignal(*[bias_word] * timesteps) if timesteps > 1 else bias_word

        @always_comb
        def enter_bias():
            entering.next = all_biases

    @always_comb
    def unpack_event():
        weight_word.next = event_word
        mask.next = event_mask

    @always_comb
    def offer_currents():
        dst.valid.next = valid
        blocked.next = valid and not dst.ready

    @always_comb
    def control_window():
        add.next = src.valid and primed and not blocked
        step.next = not primed or (src.valid and not blocked)
        shift.next = not primed or (src.valid and event_last and not blocked)

    @always_comb
    def classify_cycle():
        src.ready.next = add
        has_event.next = add and mask != 0
        is_silent.next = add and mask == 0
        stall_out.next = src.valid and blocked
        stall_in.next = not add and not (src.valid and blocked)

    @always(clk.posedge)
    def emit_currents():
        if rst:
            valid.next = False
        elif shift:
            valid.next = leaving_emits
        elif dst.ready:
            valid.next = False

    @always(clk.posedge)
    def await_move():
        if rst:
            moves.next = False
        elif step:
            moves.next = shift

    return instances()
