"""From words to bytes."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_width
from .packets import BYTE_BITS, WORD_BITS
from .stream import counter

BYTES = WORD_BITS // BYTE_BITS


@block
def word_bytes(clk, rst, src, dst):
    """Splits words into their bytes, the lowest first.

    Ports:
        src  sink    32  words
        dst  source  8   four bytes for each

    Timing: a byte a cycle, latency 1; the next word is taken with the last byte of the one before.
    """
    check_width("word_bytes", WORD_BITS, src=src.data)
    check_width("word_bytes", BYTE_BITS, dst=dst.data)
    byte_bits, last_byte = BYTE_BITS, BYTES - 1
    word, place = Signal(intbv(0)[WORD_BITS:]), counter(BYTES)
    full, room = Signal(bool(0)), Signal(bool(0))

    @always_comb
    def handshake():
        room.next = not full or (dst.ready and place == last_byte)
        src.ready.next = not rst and (not full or (dst.ready and place == last_byte))
        dst.valid.next = full
        dst.data.next = word[byte_bits:]

    @always(clk.posedge)
    def shift_word():
        if src.valid and room:
            word.next = src.data
        elif dst.ready:
            word.next = word >> byte_bits
        if rst:
            full.next = False
            place.next = 0
        elif src.valid and room:
            full.next = True
            place.next = 0
        elif full and dst.ready:
            if place == last_byte:
                full.next = False
            else:
                place.next = place + 1

    return instances()
