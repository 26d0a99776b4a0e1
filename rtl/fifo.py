"""The first-in first-out queue of words, for all queues of the design."""

from myhdl import Signal, always, always_comb, block, intbv

from .checks import check_number, check_width
from .stream import counter


@block
def fifo(clk, rst, src, dst, *, depth):
    """First-in first-out queue; a word that enters an empty queue is at its head in the next cycle.

    Ports:
        src  sink    ready while fewer than `depth` words are inside
        dst  source  valid while at least one word is inside

    Parameters:
        depth: words it holds, 1 or more, any number

    Timing: one word in and one out a cycle (depth 1: every other cycle), latency 1. Two words pass an empty queue of two or
    more places, the sink ready in cycles 2 and 3:

        cycle      0  1  2  3  4
        src_valid  1  1  0  0  0
        src_data   a  b
        dst_valid  0  1  1  1  0
        dst_data      a  a  b
        dst_ready  0  0  1  1  0
    """
    check_number("fifo", 1, depth=depth)
    check_width("fifo", len(dst.data), src=src.data, dst=dst.data)
    last = depth - 1
    mem = [Signal(intbv(0)[len(dst.data) :]) for _ in range(depth)]
    head, tail = counter(depth), counter(depth)
    level = counter(depth + 1)
    push, pop = Signal(bool(0)), Signal(bool(0))
    # Registers of their own beside the level, since whole stages wait for them.
    has_room, has_words = Signal(bool(0)), Signal(bool(0))

    @always_comb
    def handshake():
        src.ready.next = has_room
        dst.valid.next = has_words
        push.next = src.valid and has_room
        pop.next = dst.ready and has_words

    @always_comb
    def read_head():
        dst.data.next = mem[head]

    @always(clk.posedge)
    def write_tail():
        if push:
            mem[tail].next = src.data

    @always(clk.posedge)
    def advance_head_and_tail():
        if rst:
            head.next = 0
            tail.next = 0
        else:
            if push:
                tail.next = 0 if tail == last else tail + 1
            if pop:
                head.next = 0 if head == last else head + 1

    @always(clk.posedge)
    def count_words():
        if rst:
            level.next = 0
            has_room.next = True
            has_words.next = False
        elif push and not pop:
            level.next = level + 1
            has_room.next = level != last
            has_words.next = True
        elif pop and not push:
            level.next = level - 1
            has_room.next = True
            has_words.next = level != 1

    return handshake, read_head, write_tail, advance_head_and_tail, count_words
