"""The checksum of 32-bit words: CRC-32 of IEEE 802.3."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_width

WORD_BITS = 32
POLYNOMIAL = 0xEDB88320
"""x^32 + x^26 + x^23 + x^22 + x^16 + x^12 + x^11 + x^10 + x^8 + x^7 + x^5 + x^4 + x^2 + x + 1, its highest power in bit 0."""
ALL_ONES = 0xFFFFFFFF


@block
def crc32(clk, restart, write, data, crc):
    """CRC-32 of a sequence of words, as zlib.crc32 gives it for their bytes, the lowest byte of each word first.

    Ports:
        restart  in   1   no word has come; 0 is their checksum
        write    in   1   take a word at this edge
        data     in   32  the word
        crc      out  32  checksum of all words taken

    Timing: one word a cycle.
    """
    check_width("crc32", WORD_BITS, data=data, crc=crc)
    state = Signal(intbv(0)[WORD_BITS:])

    @always(clk.posedge)
    def add_word():
        mixed = intbv(0)[WORD_BITS:]
        if restart:
            state.next = ALL_ONES
        elif write:
            mixed[:] = state ^ data
            for step in range(WORD_BITS):  # noqa: B007 (VHDL takes no name of an underscore)
                if mixed[0]:
                    mixed[:] = (mixed >> 1) ^ POLYNOMIAL
                else:
                    mixed[:] = mixed >> 1
            state.next = mixed

    @always_comb
    def drive_crc():
        crc.next = state ^ ALL_ONES

    return instances()
