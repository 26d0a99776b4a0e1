"""From words to the beats of an image packet."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .axi_stream import data_bits
from .checks import check_width
from .packets import UNUSED_BITS, WORD_BITS
from .stream import counter, index_bits


@block
def word_beats(clk, rst, load, word, unused, ending, restart, empty, dst):
    """Makes beats of an AXI stream, whose width is a power of two from 8 bits up, of words, the lowest bits first.

    Ports:
        load     in      1   take a word at this edge; `empty` is high
        word     in      32
        unused   in      2   beats of this word that are none; for streams of less than a word
        ending   in      1   the packet ends with this word
        restart  in      1   forget the words that do not yet make a beat; no word comes at this edge
        empty    out     1   a word can be taken
        dst      source      an AXI stream of packets

    Timing: a beat a cycle; a word every other cycle at most.
    """
    check_width("word_beats", WORD_BITS, word=word)
    check_width("word_beats", UNUSED_BITS, unused=unused)
    bits, word_bits = len(dst.tdata), WORD_BITS
    check_width("word_beats", data_bits(bits), dst=dst.tdata)
    closing = Signal(bool(0))

    if bits < WORD_BITS:
        beats = WORD_BITS // bits
        last_index = beats - 1
        held, left, last_left = Signal(intbv(0)[WORD_BITS:]), counter(beats), counter(beats)
        full = Signal(bool(0))

        @always_comb
        def count_beats():
            last_left.next = 0
            if unused < last_index:
                last_left.next = last_index - unused

        @always_comb
        def drive_beats():
            empty.next = not full
            dst.tvalid.next = full
            dst.tdata.next = held[bits:]
            dst.tlast.next = closing and left == 0

        @always(clk.posedge)
        def split_word():
            if load:
                held.next = word
                closing.next = ending
                left.next = last_left
            elif dst.tready:
                held.next = held >> bits
                if left != 0:
                    left.next = left - 1
            if rst:
                full.next = False
            elif load:
                full.next = True
            elif dst.tready and left == 0:
                full.next = False

    else:
        words = bits // WORD_BITS
        last_word = words - 1
        beat, place, full = Signal(intbv(0)[bits:]), Signal(intbv(0)[index_bits(words) :]), Signal(bool(0))

        @always_comb
        def drive_beats():
            empty.next = not full
            dst.tvalid.next = full
            dst.tdata.next = beat
            dst.tlast.next = closing

        @always(clk.posedge)
        def join_words():
            if load:
                closing.next = ending
                beat.next = beat >> word_bits
                beat.next[bits : bits - word_bits] = word
            if rst or restart:
                place.next = 0
            elif load:
                place.next = 0 if place == last_word else place + 1
            if rst:
                full.next = False
            elif load:
                full.next = place == last_word
            elif dst.tready:
                full.next = False

    return instances()
