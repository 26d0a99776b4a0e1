"""The result output of the AXI shell: the read-out's result as a packet of words."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .stream import counter, index_bits

RESULT_BITS = 32
INVALID_BIT = 31
"""Bit of a result's first word that marks a packet with another length than an image has."""


@block
def result_output(clk, rst, core_rst, src, mark, dst, sent, active, *, classes, count_bits):
    """Sends each result as a packet of 1 + classes words: the class, with INVALID_BIT, then the count of each class.

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
    check_number("result_output", 1, RESULT_BITS, count_bits=count_bits)
    check_width("result_output", index_bits(classes) + classes * count_bits, src=src.data)
    check_width("result_output", 1, mark=mark.data)
    check_width("result_output", RESULT_BITS, dst=dst.tdata)
    class_bits = index_bits(classes)
    last_word, last_bit = classes, INVALID_BIT
    counts_bits = classes * count_bits
    total_bits = class_bits + counts_bits
    load, sending = Signal(bool(0)), Signal(bool(0))
    word = counter(classes + 1)
    head = Signal(intbv(0)[RESULT_BITS:])
    counts = Signal(intbv(0)[counts_bits:])
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

    @always(clk.posedge)
    def send_words():
        first = intbv(0)[RESULT_BITS:]
        if load:
            first[:] = src.data[class_bits:]
            first[last_bit] = invalid
            head.next = first
            counts.next = src.data[total_bits:class_bits]
        elif dst.tready:
            head.next = counts[count_bits:]
            counts.next = counts >> count_bits
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
