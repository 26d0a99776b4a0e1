"""The control of the bridge: carries out requests, one after the other."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .answer_header import answer_header
from .checks import check_number, check_width
from .packets import (
    BAD_ACCESS,
    BAD_REQUEST,
    BYTE_BITS,
    HELLO,
    KIND_BITS,
    MAX_WORDS,
    NOTHING,
    OTHER_VERSION,
    READ,
    SEND_LAST,
    TAKE,
    WORD_BITS,
    WRITE,
)
from .registers import WORD_BYTES
from .request_fields import request_fields
from .stall_timer import stall_timer
from .stream import counter

IDLE, FETCH, DECIDE, ASK, GIVE, COLLECT, REPLY, REPLYING = range(8)
"""States: waits for a request; reads a word of it; looks at the word; waits for the bus; waits for the image stream; waits for a
result; begins the answer; waits until it is sent."""


@block
def bridge_control(
    clk, rst, head, complete, busy, read, read_addr, word, asks, writes, address, done, value, failed, load, unused, ending,
    restart, empty, results, write, write_addr, write_data, answer, start, replying, *, timeout,
):  # fmt: skip
    """Carries out what packets.py describes.

    Ports:
        head, complete                 in               see packet_receiver()
        busy                           out   1          a request is carried out
        read, read_addr                out   1, 8       read a word of the request at this edge
        word                           in    32         the word, one cycle later; what the bus and the image stream get
        asks, writes, address          out              see bus_master()
        done, value, failed            in
        load, unused, ending, restart  out              see word_beats()
        empty                          in
        results                        sink             an AXI stream of result packets
        write, write_addr, write_data  out   1, 8, 32   a word of the answer
        answer, start                  out   32, 1      header of the answer, and the pulse that sends it
        replying                       in    1          it is sent

    Parameters:
        timeout: cycles without progress after which a request is given up
    """
    check_number("bridge_control", 1, timeout=timeout)
    check_width("bridge_control", WORD_BITS, word=word, value=value, results=results.tdata, write_data=write_data)
    check_width("bridge_control", BYTE_BITS, read_addr=read_addr)
    address_bits, word_bits, count_bits = len(address), WORD_BITS, BYTE_BITS + 1

    state = counter(8)
    kind = Signal(intbv(0)[KIND_BITS:])
    number, length, status, index = [Signal(intbv(0)[BYTE_BITS:]) for _ in range(4)]
    offered, begins, spoken, sound, sends, no_address, no_count = [Signal(bool(0)) for _ in range(7)]
    is_last, asked, waits, given_up, puts, fails = [Signal(bool(0)) for _ in range(6)]
    left, place = counter(MAX_WORDS + 1), Signal(intbv(0)[address_bits:])

    fields = request_fields(clk, rst, head, offered, begins, number, kind, unused, length, spoken, sound, sends)
    timer = stall_timer(clk, waits, given_up, timeout=timeout)
    header = answer_header(clk, begins, number, puts, fails, status, write_addr, answer)

    @always_comb
    def check_word():
        is_last.next = left == 1
        no_address.next = not sends and index == 0 and (word[word_bits:address_bits] != 0 or left == 1)
        no_count.next = kind == READ and index != 0 and (word == 0 or word > MAX_WORDS)

    @always(clk.posedge)
    def run_request():
        if rst:
            state.next = IDLE
        elif state == IDLE:
            if offered:
                state.next = FETCH
                if not begins or not spoken or not sound or kind == HELLO:
                    state.next = REPLY
                elif kind == TAKE:
                    state.next = COLLECT
        elif state == FETCH:
            state.next = DECIDE
        elif state == DECIDE:
            state.next = ASK
            if sends:
                state.next = GIVE
            elif no_address or no_count:
                state.next = REPLY
            elif index == 0:
                state.next = FETCH
        elif state == ASK:
            if done and (failed or is_last):
                state.next = REPLY
            elif done and kind == WRITE:
                state.next = FETCH
        elif state == GIVE:
            if (empty and is_last) or (waits and given_up):
                state.next = REPLY
            elif empty:
                state.next = FETCH
        elif state == COLLECT:
            if (results.tvalid and results.tlast) or (waits and given_up):
                state.next = REPLY
        elif state == REPLY:
            state.next = REPLYING
        elif not replying:
            state.next = IDLE

    @always(clk.posedge)
    def walk_request():
        if state == IDLE:
            index.next = 0
            left.next = length
        elif state == DECIDE and not sends and (index == 0 or kind == READ):
            index.next = index + 1
            left.next = left - 1
            if index != 0:
                left.next = word[count_bits:]
        elif (state == ASK and done) or (state == GIVE and empty):
            index.next = index + 1
            left.next = left - 1

    @always(clk.posedge)
    def walk_registers():
        asked.next = state == ASK and not done
        if state == DECIDE and index == 0:
            place.next = word[address_bits:]
        elif state == ASK and done and kind == READ:
            place.next = place + WORD_BYTES

    @always_comb
    def find_failure():
        fails.next = False
        status.next = BAD_REQUEST
        if state == IDLE:
            fails.next = begins and (not spoken or not sound)
            if not spoken:
                status.next = OTHER_VERSION
        elif state == DECIDE:
            fails.next = no_address or no_count
        elif state == ASK:
            fails.next = done and failed
            status.next = BAD_ACCESS
        else:
            fails.next = waits and given_up
            status.next = NOTHING

    @always_comb
    def put_word():
        puts.next = False
        write_data.next = value
        if state == ASK:
            puts.next = done and not failed and kind == READ
        elif state == COLLECT:
            puts.next = results.tvalid
            write_data.next = results.tdata
        elif state == GIVE:
            # How many words the core has taken.
            puts.next = (empty and is_last) or (waits and given_up)
            write_data.next = index
            if empty:
                write_data.next = index + 1

    @always_comb
    def drive_request():
        offered.next = state == IDLE and complete
        busy.next = state != IDLE
        read.next = state == FETCH
        read_addr.next = index
        asks.next = state == ASK and not asked
        writes.next = kind == WRITE
        address.next = place

    @always_comb
    def drive_streams():
        waits.next = (state == GIVE and not empty) or (state == COLLECT and not results.tvalid)
        load.next = state == GIVE and empty
        ending.next = kind == SEND_LAST and is_last
        restart.next = offered and kind == HELLO
        results.tready.next = state == COLLECT

    @always_comb
    def drive_answer():
        write.next = puts
        start.next = state == REPLY

    return instances()
