"""The position of the image window: which column of the buffered rows is read next."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .kernel import check_kernel, check_places, flags_of, reach
from .stream import counter, index_bits


@block
def window_position(
    clk, rst, advance, level, available, column, center, parity, row_exists, rows_out, leaves=None, *, height, width, out_rows,
    out_columns, kernel, groups,
):  # fmt: skip
    """Scans each row of outputs once for each channel group, as soon as the rows under the kernel have come.

    Ports:
        advance     in   1       the window takes a column at this edge, if one is available
        level       in   index   whole rows that have come and are still needed, 0 .. rows + 1
        available   out  1       the column may be read
        column      out  index   0 .. width - 1
        center      out  index   bank of the output's row, 0 .. rows
        parity      out  1       differs between neighbouring scans
        row_exists  out  rows    bit a: row a - rows // 2 from the output's is in the image
        rows_out    out  index   rows that are not needed after this edge, 0 .. rows // 2 + 1
        leaves      out  1       the column may be read, and its window leaves; None if all do

    Parameters: those of image_window(); rows, columns = kernel

    Timing: a column a cycle. Two columns, one group, kernel 3, three rows, the second one of outputs waits for the third row:

        level      |2          |3          |
        available  /~~~~~~~\\___/~~~~~~~~~~~
        column     |0  |1  |0      |1  |0
        center     |0      |1          |2
    """
    check_number("window_position", 1, height=height, width=width, groups=groups)
    check_kernel("window_position", kernel)
    check_places("window_position", height, out_rows=out_rows)
    check_places("window_position", width, out_columns=out_columns)
    rows, (rows_before, rows_after) = kernel[0], reach(kernel[0])
    banks = rows + 1
    check_width("window_position", index_bits(banks + 1), level=level)
    check_width("window_position", index_bits(width), column=column)
    check_width("window_position", index_bits(banks), center=center)
    check_width("window_position", rows, row_exists=row_exists)
    check_width("window_position", index_bits(rows_before + 2), rows_out=rows_out)
    last_row, last_group, last_column, last_bank = height - 1, groups - 1, width - 1, banks - 1
    row, group_index = counter(height), counter(groups)
    needed = counter(banks + 1)
    step = Signal(bool(0))
    # By output row: resident rows that it needs, from max(0, row - rows_before) on; bit a: its row a - rows_before is in the
    # image.
    rows_needed = tuple(min(y + rows_after, last_row) - max(y - rows_before, 0) + 1 for y in range(height))
    existing_rows = tuple(sum(1 << a for a in range(rows) if 0 <= y + a - rows_before < height) for y in range(height))

    @always_comb
    def look_up_needed():
        needed.next = rows_needed[row]

    @always_comb
    def look_up_existing():
        row_exists.next = existing_rows[row]

    @always_comb
    def find_available():
        available.next = level >= needed
        step.next = advance and level >= needed

    if height > rows_before:

        @always_comb
        def free_rows():
            rows_out.next = 0
            if step and column == last_column and group_index == last_group:
                if row == last_row:
                    rows_out.next = rows_before + 1
                elif row >= rows_before:
                    rows_out.next = 1

    else:

        @always_comb
        def free_image():
            rows_out.next = 0
            if step and column == last_column and group_index == last_group and row == last_row:
                rows_out.next = height

    if leaves is not None:
        row_flags, column_flags = flags_of(out_rows, height), flags_of(out_columns, width)
        row_leaves, column_leaves = [Signal(intbv(0)[1:]) for _ in range(2)]

        @always_comb
        def look_up_row():
            row_leaves.next = row_flags[row]

        @always_comb
        def look_up_column():
            column_leaves.next = column_flags[column]

        @always_comb
        def find_leaves():
            leaves.next = level >= needed and row_leaves != 0 and column_leaves != 0

    @always(clk.posedge)
    def advance_position():
        if rst:
            column.next = 0
            group_index.next = 0
            row.next = 0
            center.next = 0
            parity.next = False
        elif step:
            if column != last_column:
                column.next = column + 1
            else:
                column.next = 0
                parity.next = not parity
                if group_index != last_group:
                    group_index.next = group_index + 1
                else:
                    group_index.next = 0
                    if center != last_bank:
                        center.next = center + 1
                    else:
                        center.next = 0
                    if row != last_row:
                        row.next = row + 1
                    else:
                        row.next = 0

    return instances()
