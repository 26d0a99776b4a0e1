"""The memory between passes: what the neurons of a layer keep while an image goes through several times."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .memory import ram
from .stream import counter


@block
def pass_memory(clk, rst, take, recalled, give, word, *, beats, passes):
    """Keeps a word for each beat of a map from one pass to the next; an image's first pass starts from 0.

    Ports:
        take      in   1      a beat begins at this edge
        recalled  out  width  of the beat that begins next: its word in the pass before, 0 in the first pass
        give      in   1      the next beat has come to its end, and `word` is what it leaves
        word      in   width

    Parameters:
        beats: of a map
        passes: of an image, 2 or more

    Timing: a beat begins and one ends in each cycle. A word can be recalled in the second cycle after `give`; with fewer
    beats than that takes, whoever drives `take` waits. Beats A and B, in pass 0 and in pass 1:

        take      __/~~~~~~~\\___________/~~~\\_
        recalled  --|0      |-----------|A  |B
        give      __________/~~~~~~~\\________
        word      ----------|A  |B  |--------
    """
    check_number("pass_memory", 1, beats=beats)
    check_number("pass_memory", 2, passes=passes)
    check_width("pass_memory", len(word), word=word, recalled=recalled)
    last_beat, last_pass = beats - 1, passes - 1
    beat, next_beat, ending_beat, pass_index = counter(beats), counter(beats), counter(beats), counter(passes)
    stored = Signal(intbv(0)[len(word) :])
    always_read = Signal(bool(0))

    memory = ram(clk, give, ending_beat, word, always_read, next_beat, stored, depth=beats)

    @always_comb
    def recall():
        always_read.next = True
        recalled.next = 0
        if pass_index != 0:
            recalled.next = stored

    @always_comb
    def find_next_beat():
        next_beat.next = beat
        if rst:
            next_beat.next = 0
        elif take:
            if beat == last_beat:
                next_beat.next = 0
            else:
                next_beat.next = beat + 1

    @always(clk.posedge)
    def count_beats():
        beat.next = next_beat
        if rst:
            pass_index.next = 0
        elif take and beat == last_beat:
            if pass_index == last_pass:
                pass_index.next = 0
            else:
                pass_index.next = pass_index + 1

    @always(clk.posedge)
    def count_endings():
        if rst:
            ending_beat.next = 0
        elif give:
            if ending_beat == last_beat:
                ending_beat.next = 0
            else:
                ending_beat.next = ending_beat + 1

    return instances()
