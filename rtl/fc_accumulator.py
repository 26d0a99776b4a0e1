"""The accumulators of a fully connected layer: an event adds its weights to the partial sums of a group of neurons."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_table, check_width
from .delay_line import delay_line
from .group_walk import group_walk
from .loaded_memory import parameter_memory
from .stream import counter, pack, signed, unpack


def has_state(parts: int, groups: int) -> bool:
    """Whether partial sums wait in a memory: one group keeps its own where they are, and one part needs none before it."""
    return parts > 1 and groups > 1


@block
def fc_accumulator(clk, rst, src, dst, counts, load=None, *, parts, timesteps, lanes, weight_bits, current_bits, bias):
    """Adds each event's weights to the partial sums of one group of neurons, group after group for each part of input.

    Between parts the partial sums of the other groups wait in a memory, whose words come to a register one scan before they
    are used. The scan of the last part gives the currents.

    Ports:
        src     sink         events with their weights, from weight_fetch(), a part of input as one pixel; field `lane` of the
                             word is the weight of that lane's neuron
        dst     source       currents, lanes * timesteps fields of current_bits, field lane * timesteps + t
        counts  out  160     activity counters
        load    in           of a loadable core, see loading.Load

    Parameters:
        parts: parts of a frame
        weight_bits: width of a weight
        bias: Table, one word for each group: lanes fields of current_bits

    Timing: one event a cycle; a frame takes the sum of max(1, events) over all parts and groups.
    """
    check_number("fc_accumulator", 1, parts=parts, timesteps=timesteps, lanes=lanes)
    check_number("fc_accumulator", 1, weight_bits=weight_bits, current_bits=current_bits)
    groups = bias.depth
    word_bits = lanes * weight_bits
    check_table("fc_accumulator", lanes * current_bits, groups, bias=bias)
    check_width("fc_accumulator", word_bits + timesteps + 1, src=src.data)
    check_width("fc_accumulator", lanes * timesteps * current_bits, dst=dst.data)
    low, high = -(2 ** (current_bits - 1)), 2 ** (current_bits - 1)
    last_part, last_group = parts - 1, groups - 1
    fields = lanes * timesteps

    event_word = src.data(word_bits, 0)
    event_mask = src.data(word_bits + timesteps, word_bits)
    event_last = src.data(word_bits + timesteps)
    mask = Signal(intbv(0)[timesteps:])
    add, shift, blocked = [Signal(bool(0)) for _ in range(3)]
    weight_word = Signal(intbv(0)[word_bits:])
    taps = [signed(weight_bits) for _ in range(lanes)]

    # The scan after the next one, of which the bias is read; of the next one, whether its part is the first and the last; of
    # the current one, whether its part is the last. Two steps after reset bring the first scan.
    read_part, read_group, next_read_group = counter(parts), counter(groups), counter(groups)
    next_is_first, next_is_last, is_last = [Signal(bool(0)) for _ in range(3)]
    filled, primed = Signal(bool(0)), Signal(bool(0))
    valid = Signal(bool(0))
    has_event, is_silent, stall_in = [Signal(bool(0)) for _ in range(3)]

    sums = [signed(current_bits) for _ in range(fields)]
    totals = [signed(current_bits) for _ in range(fields)]
    finals = [signed(current_bits) for _ in range(fields)]
    biases = [signed(current_bits) for _ in range(lanes)]
    bias_word = Signal(intbv(0)[bias.width :])

    weight_fields = unpack(weight_word, taps)
    walk_groups = group_walk(clk, rst, shift, next_read_group, columns=1, groups=groups)
    bias_rom = parameter_memory(load)(clk, shift, read_group, bias_word, table=bias)
    bias_fields = unpack(bias_word, biases)
    final_fields = pack(finals, dst.data)
    count_activity = activity(clk, rst, add, stall_in, blocked, has_event, is_silent, counts)

    @always_comb
    def unpack_event():
        weight_word.next = event_word
        mask.next = event_mask

    @always_comb
    def find_step():
        blocked.next = src.valid and event_last and valid and not dst.ready
        add.next = src.valid and primed and not (event_last and valid and not dst.ready)
        shift.next = not primed or (src.valid and event_last and not (valid and not dst.ready))

    @always_comb
    def classify_cycle():
        src.ready.next = add
        dst.valid.next = valid
        has_event.next = add and mask != 0
        is_silent.next = add and mask == 0
        stall_in.next = not add and not blocked

    @always_comb
    def add_weights():
        for p in range(lanes):
            for t in range(timesteps):
                totals[p * timesteps + t].next = sums[p * timesteps + t]
                if add and mask[t]:
                    totals[p * timesteps + t].next = sums[p * timesteps + t] + taps[p]

    if has_state(parts, groups):
        total_word, kept_word, stored_word = [Signal(intbv(0)[fields * current_bits :]) for _ in range(3)]
        stored = [signed(current_bits) for _ in range(fields)]
        total_fields = pack(totals, total_word)
        stored_fields = unpack(stored_word, stored)
        # The scan that ends gives the register the sums of the scan after the next one, of `groups` scans before that one.
        if groups > 2:
            keep_sums = delay_line(clk, rst if groups > 3 else None, shift, total_word, kept_word, places=groups - 2)
        else:

            @always_comb
            def keep_sums():
                kept_word.next = total_word

        @always(clk.posedge)
        def register_stored():
            if shift:
                stored_word.next = kept_word

    else:
        stored = totals

    @always(clk.posedge)
    def register_sums():
        for p in range(lanes):
            for t in range(timesteps):
                if not shift:
                    sums[p * timesteps + t].next = totals[p * timesteps + t]
                else:
                    if next_is_first:
                        sums[p * timesteps + t].next = biases[p]
                    else:
                        sums[p * timesteps + t].next = stored[p * timesteps + t]
                    if is_last:
                        finals[p * timesteps + t].next = totals[p * timesteps + t]

    @always(clk.posedge)
    def emit_currents():
        if rst:
            valid.next = False
        elif shift and primed and is_last:
            valid.next = True
        elif dst.ready:
            valid.next = False

    @always(clk.posedge)
    def advance_scan():
        read_group.next = next_read_group
        if rst:
            filled.next = False
            primed.next = False
            read_part.next = 0
        elif shift:
            filled.next = True
            primed.next = primed or filled
            if read_group == last_group:
                read_part.next = 0 if read_part == last_part else read_part + 1
            next_is_first.next = read_part == 0
            next_is_last.next = read_part == last_part
            is_last.next = next_is_last

    return instances()
