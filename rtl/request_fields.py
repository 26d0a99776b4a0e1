"""The fields of a request's header."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_width
from .packets import (
    BYTE_BITS,
    HELLO,
    KIND_BITS,
    KIND_LOW,
    LENGTH_LOW,
    READ,
    SEND,
    SEND_LAST,
    SEQUENCE_LOW,
    TAKE,
    UNUSED_BITS,
    UNUSED_LOW,
    VERSION,
    WORD_BITS,
    WRITE,
)


@block
def request_fields(clk, rst, head, offered, begins, number, kind, unused, length, spoken, sound, sends):
    """Splits a header, and says whether a request can be like that, and whether it is to be carried out.

    Ports:
        head     in   32
        offered  in   1   a request has come, for one cycle
        begins   out  1   it is no repetition of the one before, with `offered`
        number   out  8   sequence number
        kind     out  4
        unused   out  2   beats of the last word to leave out
        length   out  8   words of the payload
        spoken   out  1   its version is the bridge's
        sound    out  1   there is this kind, and it can have this length
        sends    out  1   it brings a part of an image
    """
    check_width("request_fields", WORD_BITS, head=head)
    check_width("request_fields", BYTE_BITS, number=number, length=length)
    check_width("request_fields", KIND_BITS, kind=kind)
    check_width("request_fields", UNUSED_BITS, unused=unused)
    half, word_bits, low_number, low_kind, low_length = BYTE_BITS // 2, WORD_BITS, SEQUENCE_LOW, KIND_LOW, LENGTH_LOW
    high_kind, low_unused, high_unused = KIND_LOW + KIND_BITS, KIND_LOW + UNUSED_LOW, KIND_LOW + UNUSED_LOW + UNUSED_BITS
    which, words = Signal(intbv(0)[KIND_BITS:]), Signal(intbv(0)[BYTE_BITS:])
    this_number, last_number = Signal(intbv(0)[BYTE_BITS:]), Signal(intbv(0)[BYTE_BITS:])
    brings, understood, known, is_new = [Signal(bool(0)) for _ in range(4)]

    @always_comb
    def split_head():
        which.next = head[high_kind:low_kind]
        words.next = head[word_bits:low_length]
        this_number.next = head[low_kind:low_number]
        unused.next = head[high_unused:low_unused]
        understood.next = head[half:] == VERSION

    @always_comb
    def find_kind():
        brings.next = which == SEND or which == SEND_LAST  # noqa: SIM109
        is_new.next = not understood or not known or this_number != last_number or which == HELLO

    @always_comb
    def check_length():
        sound.next = False
        if which == HELLO or which == TAKE:  # noqa: SIM109
            sound.next = words == 0
        elif which == READ:
            sound.next = words == 2
        elif brings or which == WRITE:
            sound.next = words != 0

    @always(clk.posedge)
    def remember_number():
        if rst:
            known.next = False
        elif offered and is_new:
            known.next = understood
            last_number.next = this_number

    @always_comb
    def drive_fields():
        begins.next = offered and is_new
        number.next = this_number
        spoken.next = understood
        kind.next = which
        length.next = words
        sends.next = brings

    return instances()
