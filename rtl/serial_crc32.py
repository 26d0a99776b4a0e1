"""The checksum of the words of a packet, a bit a cycle: CRC-32 of IEEE 802.3."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_width
from .crc32 import ALL_ONES, POLYNOMIAL, WORD_BITS
from .stream import counter


@block
def serial_crc32(clk, restart, write, data, crc, busy):
    """As crc32(), for words that come slowly, in a fraction of its logic.

    Ports:
        restart  in   1   no word has come; 0 is their checksum
        write    in   1   take a word at this edge; `busy` is low
        data     in   32  the word
        crc      out  32  checksum of all words taken, while `busy` is low
        busy     out  1   the last word is not in the checksum yet

    Timing: a word takes 33 cycles.
    """
    check_width("serial_crc32", WORD_BITS, data=data, crc=crc)
    state, word = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:])
    left, working, odd = counter(WORD_BITS + 1), Signal(bool(0)), Signal(bool(0))

    @always_comb
    def find_bit():
        working.next = left != 0
        odd.next = state[0] ^ word[0]

    @always(clk.posedge)
    def count_bits():
        if restart:
            left.next = 0
        elif write:
            left.next = WORD_BITS
        elif working:
            left.next = left - 1

    @always(clk.posedge)
    def add_bit():
        if write:
            word.next = data
        else:
            word.next = word >> 1
        if restart:
            state.next = ALL_ONES
        elif working:
            state.next = state >> 1
            if odd:
                state.next = (state >> 1) ^ POLYNOMIAL

    @always_comb
    def drive_crc():
        crc.next = state ^ ALL_ONES
        busy.next = working

    return instances()
