"""The answer of the bridge: its words, and why there are none."""

from myhdl import Signal, always_comb, block, instances, intbv

from .answer_header import answer_header
from .bridge_states import ASK, COLLECT, DECIDE, GIVE, IDLE, STATE_BITS
from .checks import check_width
from .packets import BAD_ACCESS, BAD_REQUEST, BYTE_BITS, KIND_BITS, NOTHING, OTHER_VERSION, READ, WORD_BITS


@block
def bridge_answer(
    clk, state, kind, begins, number, spoken, sound, refused, done, value, failed, empty, index, is_last, stalled, given, result,
    write, write_addr, write_data, head,
):  # fmt: skip
    """Stores the words of an answer, and makes its header.

    Ports:
        state, kind                    in    3, 4       of bridge_control()
        begins, number, spoken, sound  in               see request_fields()
        refused                        in    1          in DECIDE: the word cannot be carried out
        done, value, failed            in               see bus_master()
        empty                          in               see word_beats()
        index, is_last                 in    8, 1       the word of the request that is looked at
        stalled                        in    1          nothing has moved for so long that the request is given up
        given, result                  in    1, 32      a word of a result comes
        write, write_addr, write_data  out   1, 8, 32   a word of the answer
        head                           out   32         its header
    """
    check_width("bridge_answer", STATE_BITS, state=state)
    check_width("bridge_answer", KIND_BITS, kind=kind)
    check_width("bridge_answer", BYTE_BITS, number=number, index=index, write_addr=write_addr)
    check_width("bridge_answer", WORD_BITS, value=value, result=result, write_data=write_data, head=head)
    puts, fails, status = Signal(bool(0)), Signal(bool(0)), Signal(intbv(0)[BYTE_BITS:])

    header = answer_header(clk, begins, number, puts, fails, status, write_addr, head)

    @always_comb
    def find_failure():
        fails.next = stalled
        status.next = NOTHING
        if state == IDLE:
            fails.next = begins and (not spoken or not sound)
            status.next = BAD_REQUEST if spoken else OTHER_VERSION
        elif state == DECIDE:
            fails.next = refused
            status.next = BAD_REQUEST
        elif state == ASK:
            fails.next = done and failed
            status.next = BAD_ACCESS

    @always_comb
    def put_word():
        puts.next = False
        write_data.next = value
        if state == ASK:
            puts.next = done and not failed and kind == READ
        elif state == COLLECT:
            puts.next = given
            write_data.next = result
        elif state == GIVE:
            # How many words the core has taken.
            puts.next = (empty and is_last) or stalled
            write_data.next = index
            if empty:
                write_data.next = index + 1

    @always_comb
    def drive_write():
        write.next = puts

    return instances()
