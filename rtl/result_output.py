"""The result output of the AXI shell: the read-out's result as a packet of words."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_choice, check_number, check_width
from .stream import counter, index_bits

RESULT_BITS = 32
INVALID_BIT = 31
"""Bit of a result's first word that marks a packet with another length than an image has."""


@block
def result_output(clk, rst, core_rst, src, mark, dst, sent, active, *, classes, score_bits, is_signed):
    """Sends each result as a packet of 1 + classes words: the class, with INVALID_BIT, then the score of each class.

    A score has the width of a word: with zeros above it, or its sign.

    Ports:
        core_rst  in      1   the source of results is in reset; a packet that has begun is sent whole all the same
        src       sink        results, see readout()
        mark      sink    1   one for each result: its image packet had a wrong length
        dst       source      an AXI stream of packets, 32 bits
        sent      out     1   this edge sends the last word of a packet
        active    out     1   a packet is under way

    Timing: one word a cycle; a packet takes classes + 2 cycles.
    """
    check_number("result_output", 1, 2**INVALID_BIT, classes=classes)
    check_number("result_output", 1, RESULT_BITS, score_bits=score_bits)
    check_choice("result_output", (False, True), is_signed=is_signed)
    check_width("result_output", index_bits(classes) + classes * score_bits, src=src.data)
    check_width("result_output", 1, mark=mark.data)
    check_width("result_output", RESULT_BITS, dst=dst.tdata)
    class_bits = index_bits(classes)
    last_word, last_bit, word_bits = classes, INVALID_BIT, RESULT_BITS
    scores_bits = classes * score_bits
    total_bits = class_bits + scores_bits
    load, sending = Signal(bool(0)), Signal(bool(0))
    word = counter(classes + 1)
    head = Signal(intbv(0)[RESULT_BITS:])
    scores, score = Signal(intbv(0)[scores_bits:]), Signal(intbv(0)[RESULT_BITS:])
    invalid = Signal(bool(0))

    @always_comb
    def handshake():
        load.next = src.valid and mark.valid and not sending and not core_rst
        src.ready.next = mark.valid and not sending and not core_rst
        mark.ready.next = src.valid and not sending and not core_rst
        active.next = sending
        sent.next = sending and dst.tready and word == last_word
        invalid.next = mark.data != 0

    @always_comb
    def drive_output():
        dst.tvalid.next = sending
        dst.tlast.next = word == last_word
        dst.tdata.next = head

    if is_signed:

        @always_comb
        def widen_score():
            wide = intbv(0, min=-(2**last_bit), max=2**last_bit)
            wide[:] = scores[score_bits:].signed()
            score.next = wide[word_bits:]

    else:

        @always_comb
        def widen_score():
            score.next = scores[score_bits:]

    @always(clk.posedge)
    def send_words():
        first = intbv(0)[RESULT_BITS:]
        if load:
            first[:] = src.data[class_bits:]
            first[last_bit] = invalid
            head.next = first
            scores.next = src.data[total_bits:class_bits]
        elif dst.tready:
            head.next = score
            scores.next = scores >> score_bits
        if rst:
            sending.next = False
            word.next = 0
        elif load:
            sending.next = True
            word.next = 0
        elif sending and dst.tready:
            word.next = 0 if word == last_word else word + 1
            if word == last_word:
                sending.next = False

    return instances()
