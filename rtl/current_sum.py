"""The sums of a MAC array, joined to the currents of a beat: over words of inputs, and over timesteps."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_table, check_width
from .group_walk import group_walk
from .loaded_memory import parameter_memory
from .stream import counter, pack, signed, unpack


def part_bits(current_bits: int, words: int) -> int:
    """Signed width of a sum of some products, of one word of several: the difference of two sums that each fit a current."""
    return current_bits + 1 if words else current_bits


@block
def current_sum(clk, rst, src, dst, load=None, *, lanes, words, timesteps, repeat, current_bits, bias):
    """Adds the sums of the words of a group of outputs to its bias, for each timestep, and gives all timesteps in one beat.

    Ports:
        src   sink    lanes fields of part_bits(): of each word of a group all timesteps, one after the other
        dst   source  currents, lanes * timesteps * repeat fields of current_bits, field (lane * timesteps + t) * repeat + r
        load  in      of a loadable core, see loading.Load

    Parameters:
        words: of a group, 0: src has whole currents, the bias included
        timesteps: that differ
        repeat: fields with the same current
        bias: Table, one word for each group: lanes fields of current_bits; None where src has whole currents

    Timing: one beat a cycle at src; the currents come a cycle after the last one of theirs. Two words, two timesteps:

        src        |A0 |A1 |A0'|A1'|B0 |B1 |
        dst.valid  ________________/~~~\\____
        dst        ----------------|A  |----
    """
    check_number("current_sum", 1, lanes=lanes, timesteps=timesteps, repeat=repeat, current_bits=current_bits)
    check_number("current_sum", 0, words=words)
    check_width("current_sum", lanes * part_bits(current_bits, words), src=src.data)
    check_width("current_sum", lanes * timesteps * repeat * current_bits, dst=dst.data)
    beats = max(1, words) * timesteps
    last_beat, newest = beats - 1, timesteps - 1
    beat = counter(beats)
    take, valid = [Signal(bool(0)) for _ in range(2)]
    parts = [signed(part_bits(current_bits, words)) for _ in range(lanes)]
    # The sums of a lane move down by a timestep with each beat, so that the oldest is the one that the beat belongs to.
    sums = [signed(current_bits) for _ in range(lanes * timesteps)]
    currents = [signed(current_bits) for _ in range(lanes * timesteps * repeat)]

    part_fields = unpack(src.data, parts)
    current_fields = pack(currents, dst.data)

    @always_comb
    def handshake():
        src.ready.next = dst.ready or not valid
        take.next = src.valid and (dst.ready or not valid)
        dst.valid.next = valid

    @always(clk.posedge)
    def count_beats():
        if rst:
            beat.next = 0
            valid.next = False
        elif take:
            beat.next = 0 if beat == last_beat else beat + 1
            valid.next = beat == last_beat
        elif dst.ready:
            valid.next = False

    if words == 0:

        @always(clk.posedge)
        def join_timesteps():
            if take:
                for p in range(lanes):
                    for t in range(newest):
                        sums[p * timesteps + t].next = sums[p * timesteps + t + 1]
                    sums[p * timesteps + newest].next = parts[p]

    else:
        check_table("current_sum", lanes * current_bits, bias.depth, bias=bias)
        groups = bias.depth
        always_read = Signal(bool(0))
        next_group = counter(groups)
        bias_word = Signal(intbv(0)[bias.width :])
        biases = [signed(current_bits) for _ in range(lanes)]
        starts = [signed(current_bits) for _ in range(lanes)]

        walk = group_walk(clk, rst, take, next_group, columns=beats, groups=groups)
        bias_rom = parameter_memory(load)(clk, always_read, next_group, bias_word, table=bias)
        bias_fields = unpack(bias_word, biases)

        @always_comb
        def find_starts():
            always_read.next = True
            for p in range(lanes):
                starts[p].next = sums[p * timesteps]
                if beat < timesteps:
                    starts[p].next = biases[p]

        @always(clk.posedge)
        def add_words():
            if take:
                for p in range(lanes):
                    for t in range(newest):
                        sums[p * timesteps + t].next = sums[p * timesteps + t + 1]
                    sums[p * timesteps + newest].next = starts[p] + parts[p]

    @always_comb
    def repeat_currents():
        for i in range(lanes * timesteps):
            for r in range(repeat):
                currents[i * repeat + r].next = sums[i]

    return instances()
