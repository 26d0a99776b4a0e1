"""The position of the accumulators: the column that enters their window next."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel, check_places, flags_of, leaves_all, reach
from .stream import counter, index_bits


class LineAccess:
    """What a column has to do with the line buffer, for the column that enters the window next.

    keeps: 1 bit, its sums wait in the line buffer when it leaves; not in the columns that flush a frame. addr: where, in
    0 .. words - 1. next_addr: that of the column after it. fresh: 1 bit, it begins with the bias. same_row: 1 bit, it goes on
    with the sums of the part before; there only for a kernel of more than one row and more than one part. Otherwise it goes on
    with the sums of the row before, or for a kernel of one row with those of the part before.
    """

    def __init__(self, words: int, kernel: tuple[int, int], parts: int):
        self.keeps, self.fresh = Signal(bool(0)), Signal(bool(0))
        self.addr, self.next_addr = counter(words), counter(words)
        if kernel[0] > 1 and parts > 1:
            self.same_row = Signal(bool(0))


@block
def column_position(
    clk, rst, shift, group_index, parity, emits, line=None, *, height, width, out_rows, out_columns, parts, padding, kernel,
    groups,
):  # fmt: skip
    """Counts columns in the order frame, row, part, group, column; after the last row come those that flush the frame.

    An output leaves once the last row that reaches it has been scanned, so a frame has (rows - 1) // 2 rows more, and after
    them (columns - 1) // 2 columns.

    Ports:
        shift        in   1      the window moves by a column at this edge
        group_index  out  index  group of the column: the address of its bias
        parity       out  1      differs between the columns of neighbouring scans
        emits        out  1      its first row is a final current of the output window when it leaves the window of sums
        line         out         a LineAccess, None where nothing waits

    Parameters: those of accumulator(); groups: channel groups

    Timing: a column for each shift. Two columns, one group, no padding, kernel 3, the end of a frame:

        shift    ~~~~~~~~~~~~~~~~~~~~
        column   |0  |1  |0  |0  |1
        row      |3      |0  |0
        flushes  ________/~~~\\______
        parity   ________/~~~\\______
    """
    check_number("column_position", 1, height=height, width=width, parts=parts, groups=groups)
    check_number("column_position", 0, padding=padding)
    check_kernel("column_position", kernel)
    check_places("column_position", height, out_rows=out_rows)
    check_places("column_position", width, out_columns=out_columns)
    check_width("column_position", index_bits(groups), group_index=group_index)
    kernel_rows, kernel_columns = kernel
    flush_rows, flush_columns = reach(kernel_rows)[1], reach(kernel_columns)[1]
    positions, rows = width + padding, height + flush_rows
    words = groups * positions
    last_row, last_part, last_group, last_column = rows - 1, parts - 1, groups - 1, positions - 1
    column, channel_group, part, row = counter(positions), counter(groups), counter(parts), counter(rows)
    tail = counter(flush_columns + 1)
    # An even kernel reaches one column further ahead than the columns that flush: these are of the next frame's first scan,
    # so that the column after them is not of the last scan's parity. Nothing is ever read of them.
    parity_turn = 1 if kernel_columns % 2 else 0
    last_of_row, scan_parity = Signal(bool(0)), Signal(bool(0))

    @always_comb
    def find_last_part():
        last_of_row.next = part == last_part or row >= height

    @always_comb
    def give_column():
        group_index.next = channel_group
        parity.next = scan_parity

    if leaves_all(height, width, out_rows, out_columns):

        @always_comb
        def find_emits():
            emits.next = tail == 0 and row >= flush_rows and last_of_row and column < width

    else:
        row_flags, column_flags = flags_of(out_rows, rows, -flush_rows), flags_of(out_columns, positions)
        row_leaves, column_leaves = [Signal(intbv(0)[1:]) for _ in range(2)]

        @always_comb
        def look_up_row():
            row_leaves.next = row_flags[row]

        @always_comb
        def look_up_column():
            column_leaves.next = column_flags[column]

        @always_comb
        def find_emits():
            emits.next = tail == 0 and row_leaves != 0 and last_of_row and column_leaves != 0

    if line is not None:
        check_width("column_position", index_bits(words), line_addr=line.addr)
        word_addr, following_addr = counter(words), counter(words)

        @always_comb
        def give_access():
            line.keeps.next = tail == 0
            line.addr.next = word_addr
            line.next_addr.next = following_addr
            line.fresh.next = part == 0 and (kernel_rows == 1 or row == 0)

        @always_comb
        def find_following():
            following_addr.next = word_addr
            if tail == 0:
                if column == last_column and channel_group == last_group:
                    following_addr.next = 0
                else:
                    following_addr.next = word_addr + 1

        @always(clk.posedge)
        def advance_address():
            if rst:
                word_addr.next = 0
            elif shift:
                word_addr.next = following_addr

    if hasattr(line, "same_row"):

        @always_comb
        def give_same_row():
            line.same_row.next = part != 0

    @always(clk.posedge)
    def count_columns():
        if rst:
            column.next = 0
            channel_group.next = 0
            part.next = 0
            row.next = 0
            tail.next = 0
            scan_parity.next = 0
        elif shift:
            if tail != 0:
                tail.next = tail - 1
                if tail == parity_turn:
                    scan_parity.next = not scan_parity
            elif column != last_column:
                column.next = column + 1
            else:
                column.next = 0
                scan_parity.next = not scan_parity
                if channel_group != last_group:
                    channel_group.next = channel_group + 1
                else:
                    channel_group.next = 0
                    if not last_of_row:
                        part.next = part + 1
                    else:
                        part.next = 0
                        if row != last_row:
                            row.next = row + 1
                        else:
                            row.next = 0
                            tail.next = flush_columns

    return instances()
