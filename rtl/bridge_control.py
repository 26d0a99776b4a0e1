"""The control of the bridge: carries out requests, one after the other."""

from myhdl import Signal, always, always_comb, block, instances, intbv, modbv

from .bridge_answer import bridge_answer
from .bridge_states import ASK, COLLECT, DECIDE, FETCH, GIVE, IDLE, REPLY, REPLYING
from .checks import check_number, check_width
from .packets import (
    BYTE_BITS,
    HELLO,
    KIND_BITS,
    MAX_WORDS,
    READ,
    SEND_LAST,
    TAKE,
    UNUSED_BITS,
    WORD_BITS,
    WRITE,
)
from .registers import WORD_BYTES
from .request_fields import request_fields
from .stall_timer import stall_timer
from .stream import counter


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
    check_width("bridge_control", WORD_BITS, head=head, word=word, value=value, results=results.tdata)
    check_width("bridge_control", WORD_BITS, write_data=write_data, answer=answer)
    check_width("bridge_control", BYTE_BITS, read_addr=read_addr, write_addr=write_addr)
    check_width("bridge_control", UNUSED_BITS, unused=unused)
    address_bits, word_bits, count_bits = len(address), WORD_BITS, BYTE_BITS
    # Bits of its word that are no part of an address have to be 0; one at least.
    check_number("bridge_control", 3, WORD_BITS - 1, address_bits=address_bits)
    check_width("bridge_control", address_bits, address=address)

    state = counter(8)
    kind, number, length = [Signal(intbv(0)[bits:]) for bits in (KIND_BITS, BYTE_BITS, BYTE_BITS)]
    index = Signal(modbv(0)[BYTE_BITS:])  # of the request's words; it goes round, as `place` does
    offered, begins, spoken, sound, sends, refused = [Signal(bool(0)) for _ in range(6)]
    is_last, asked, waits, given_up, stalled = [Signal(bool(0)) for _ in range(5)]
    left_out = Signal(intbv(0)[UNUSED_BITS:])
    left, place = counter(MAX_WORDS + 1), Signal(modbv(0)[address_bits:])

    fields = request_fields(clk, rst, head, offered, begins, number, kind, left_out, length, spoken, sound, sends)
    timer = stall_timer(clk, waits, given_up, timeout=timeout)
    answers = bridge_answer(
        clk, state, kind, begins, number, spoken, sound, refused, done, value, failed, empty, index, is_last, stalled,
        results.tvalid, results.tdata, write, write_addr, write_data, answer,
    )  # fmt: skip

    @always_comb
    def check_word():
        is_last.next = left == 1
        # An address, or how many registers to read.
        refused.next = not sends and index == 0 and (word[word_bits:address_bits] != 0 or left == 1)
        if kind == READ and index != 0:
            refused.next = word == 0 or word > MAX_WORDS

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
            elif refused:
                state.next = REPLY
            elif index == 0:
                state.next = FETCH
        elif state == ASK:
            if done and (failed or is_last):
                state.next = REPLY
            elif done and kind == WRITE:
                state.next = FETCH
        elif state == GIVE:
            if (empty and is_last) or stalled:
                state.next = REPLY
            elif empty:
                state.next = FETCH
        elif state == COLLECT:
            if (results.tvalid and results.tlast) or stalled:
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
    def drive_request():
        offered.next = state == IDLE and complete
        busy.next = state != IDLE
        read.next = state == FETCH
        read_addr.next = index
        asks.next = state == ASK and not asked
        writes.next = kind == WRITE
        address.next = place

    @always_comb
    def find_stall():
        waits.next = (state == GIVE and not empty) or (state == COLLECT and not results.tvalid)

    @always_comb
    def give_up():
        stalled.next = waits and given_up

    @always_comb
    def drive_streams():
        load.next = state == GIVE and empty
        ending.next = kind == SEND_LAST and is_last
        unused.next = 0
        if kind == SEND_LAST and is_last:
            unused.next = left_out
        restart.next = offered and kind == HELLO
        results.tready.next = state == COLLECT

    @always_comb
    def drive_start():
        start.next = state == REPLY

    return instances()
