"""The line buffer of the accumulators: partial sums of the rows that are not finished."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel
from .memory import ram
from .stream import counter, index_bits, pack, signed, unpack


def waiting_rows(kernel: tuple[int, int], parts: int) -> range:
    """Rows of a column that wait in the line buffer: not the first, which is final, unless a row has several parts."""
    return range(0 if parts > 1 else 1, kernel[0])


@block
def line_buffer(
    clk, rst, shift, line, leaving, biases, entering, *, words, kernel, parts, timesteps, lanes, current_bits
):  # fmt: skip
    """Keeps what leaves the window of sums, and gives the column that enters it: from the bias, or from what was kept.

    Ports:
        shift     in   1  the window moves by a column at this edge
        line      in      a LineAccess: what to do with the column that enters the window two shifts later
        leaving   in      the column that left the window at the last shift: waiting_rows() for each timestep and lane
        biases    in      lanes fields of current_bits, of the column that enters
        entering  out     the column that enters the window at the next shift, field (t * lanes + lane) * rows + row

    Parameters:
        words: columns of a row, all groups together
        kernel, parts, timesteps, lanes, current_bits: those of accumulator(); rows, columns = kernel

    Timing: a column is written one cycle after it has left the window, columns + 2 shifts after it was asked for at `line`.
    Column A, kernel 3:

        shift     ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
        line      |A  |---------------------------
        entering  ----|A  |-----------------------
        window    --------|A          |-----------
        leaving   --------------------|A  |-------
        written   --------------------|A  |-------
    """
    check_kernel("line_buffer", kernel)
    kernel_rows, columns = kernel
    check_number("line_buffer", 1, words=words, parts=parts, timesteps=timesteps, lanes=lanes, current_bits=current_bits)
    rows = len(waiting_rows(kernel, parts))
    check_number("line_buffer", 1, waiting_rows=rows)
    neurons = timesteps * lanes
    check_width("line_buffer", index_bits(words), line_addr=line.addr)
    check_width("line_buffer", neurons * rows * current_bits, leaving=leaving)
    check_width("line_buffer", lanes * current_bits, biases=biases)
    check_width("line_buffer", neurons * kernel_rows * current_bits, entering=entering)
    # Slots 0 .. columns - 1 are the window's columns, slot `columns` is the one that enters it next.
    keeps = Signal(intbv(0)[columns + 1 :])
    addr = [counter(words) for _ in range(columns + 1)]
    fresh, store = Signal(bool(0)), Signal(bool(0))
    store_addr = counter(words)
    stored_word = Signal(intbv(0)[neurons * rows * current_bits :])
    # One more than is used: HDL also holds the index after the last slot, in a branch that is never taken.
    stored = [signed(current_bits) for _ in range(neurons * rows + 1)]
    begins = [signed(current_bits) for _ in range(lanes)]
    enters = [signed(current_bits) for _ in range(neurons * kernel_rows)]

    memory = ram(clk, store, store_addr, leaving, shift, line.addr, stored_word, depth=words)
    stored_fields = unpack(stored_word, stored[:-1])
    bias_fields = unpack(biases, begins)
    entering_fields = pack(enters, entering)

    @always(clk.posedge)
    def move_columns():
        if rst:
            keeps.next = 0
        elif shift:
            for b in range(columns):
                keeps.next[b] = keeps[b + 1]
                addr[b].next = addr[b + 1]
            keeps.next[columns] = line.keeps
            addr[columns].next = line.addr
            fresh.next = line.fresh

    @always(clk.posedge)
    def store_column():
        store.next = shift and keeps[0]
        store_addr.next = addr[0]

    if parts == 1:
        # In the next row the output of row a is the one of row a - 1.
        @always_comb
        def enter():
            for n in range(neurons):
                for a in range(kernel_rows):
                    enters[n * kernel_rows + a].next = begins[n % lanes]
                    if a != kernel_rows - 1 and not fresh:
                        enters[n * kernel_rows + a].next = stored[n * rows + a]

    elif kernel_rows == 1:

        @always_comb
        def enter():
            for n in range(neurons):
                enters[n].next = begins[n % lanes]
                if not fresh:
                    enters[n].next = stored[n]

    else:
        same_row = Signal(bool(0))

        @always(clk.posedge)
        def move_same_row():
            if shift:
                same_row.next = line.same_row

        @always_comb
        def enter():
            for n in range(neurons):
                for a in range(kernel_rows):
                    enters[n * kernel_rows + a].next = begins[n % lanes]
                    if same_row:
                        enters[n * kernel_rows + a].next = stored[n * kernel_rows + a]
                    elif a != kernel_rows - 1 and not fresh:
                        enters[n * kernel_rows + a].next = stored[n * kernel_rows + a + 1]

    return instances()
