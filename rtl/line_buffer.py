"""The line buffer of the accumulators: partial sums of the rows that are not finished."""

from myhdl import Signal, always, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel
from .memory import ram
from .stream import counter, index_bits


def waiting_rows(kernel: tuple[int, int], parts: int) -> range:
    """Rows of a column that wait in the line buffer: not the first, which is final, unless a row has several parts."""
    return range(0 if parts > 1 else 1, kernel[0])


@block
def line_buffer(
    clk, rst, shift, line, leaving, stored_word, fresh, same_row=None, *, words, kernel, parts, timesteps, lanes, current_bits
):  # fmt: skip
    """Keeps the columns that leave the window of sums, and gives those that enter it what was kept.

    A block RAM takes most of a cycle to answer, so its word is read one shift ahead, into a register.

    Ports:
        shift        in   1  the window moves by a column at this edge
        line         in      a LineAccess: what to do with the column that enters the window at the next shift
        leaving      in      the column that left the window at the last shift: waiting_rows() for each timestep and lane
        stored_word  out     what was kept for the column that entered the window at the last shift, in the same order
        fresh        out  1  line.fresh of that column
        same_row     out  1  line.same_row of that column; None where there is none

    Parameters:
        words: columns of a row, all groups together
        kernel, parts, timesteps, lanes, current_bits: those of accumulator(); rows, columns = kernel

    Timing: a column is written one cycle after it has left the window, columns + 2 shifts after it was read. Column A,
    kernel 3:

        shift            ~~~~~~~~~~~~~~~~~~~~~~~~~~
        line.next_addr   |A  |---------------------
        read_word        ----|A  |-----------------
        line.addr        ----|A  |-----------------
        stored_word      --------|A  |-------------
        window           --------|A          |-----
        leaving          --------------------|A  |-
        written          --------------------|A  |-
    """
    check_kernel("line_buffer", kernel)
    columns = kernel[1]
    check_number("line_buffer", 1, words=words, parts=parts, timesteps=timesteps, lanes=lanes, current_bits=current_bits)
    rows = len(waiting_rows(kernel, parts))
    check_number("line_buffer", 1, waiting_rows=rows)
    check_width("line_buffer", index_bits(words), line_addr=line.addr)
    check_width("line_buffer", timesteps * lanes * rows * current_bits, leaving=leaving, stored_word=stored_word)
    last = columns - 1
    # Of the window's columns. One address more than is used: HDL also holds the index after the last, in a loop without turns.
    keeps = Signal(intbv(0)[columns:])
    addr = [counter(words) for _ in range(columns + 1)]
    store = Signal(bool(0))
    store_addr = counter(words)
    read_word = Signal(intbv(0)[len(stored_word) :])

    memory = ram(clk, store, store_addr, leaving, shift, line.next_addr, read_word, depth=words)

    @always(clk.posedge)
    def register_word():
        if shift:
            stored_word.next = read_word

    @always(clk.posedge)
    def move_columns():
        if rst:
            keeps.next = 0
        elif shift:
            for b in range(last):
                keeps.next[b] = keeps[b + 1]
                addr[b].next = addr[b + 1]
            keeps.next[last] = line.keeps
            addr[last].next = line.addr
            fresh.next = line.fresh

    @always(clk.posedge)
    def store_column():
        store.next = shift and keeps[0]
        store_addr.next = addr[0]

    if same_row is not None:

        @always(clk.posedge)
        def move_same_row():
            if shift:
                same_row.next = line.same_row

    return instances()
