"""The header of the bridge's answer."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_width
from .packets import BYTE_BITS, MARK, MAX_WORDS, OK, VERSION, WORD_BITS
from .stream import counter


@block
def answer_header(clk, begins, number, puts, fails, status, place, head):
    """Collects what an answer's header says, and keeps it until the next request, in case that is a repetition.

    Ports:
        begins  in   1   a request begins: no word has come, and nothing is wrong
        number  in   8   its sequence number, at `begins`
        puts    in   1   a word of the payload is stored at this edge
        fails   in   1   the request is refused or given up; words that came before are none, one that comes now counts
        status  in   8   why, at `fails`
        place   out  8   place of the next word
        head    out  32  the header
    """
    check_width("answer_header", BYTE_BITS, number=number, status=status, place=place)
    check_width("answer_header", WORD_BITS, head=head)
    byte_bits, word_bits, first_byte = BYTE_BITS, WORD_BITS, MARK << BYTE_BITS // 2 | VERSION
    count, reason, held_number = counter(MAX_WORDS + 2), Signal(intbv(0)[BYTE_BITS:]), Signal(intbv(0)[BYTE_BITS:])
    fields = ConcatSignal(count(BYTE_BITS, 0), reason, held_number)

    @always(clk.posedge)
    def hold_number():
        if begins:
            held_number.next = number

    @always(clk.posedge)
    def hold_status():
        if fails:
            reason.next = status
        elif begins:
            reason.next = OK

    @always(clk.posedge)
    def count_words():
        if begins:
            count.next = 0
        elif puts:
            count.next = count + 1
        elif fails:
            count.next = 0

    @always_comb
    def drive_header():
        place.next = count[byte_bits:]
        head.next = first_byte
        head.next[word_bits:byte_bits] = fields

    return instances()
