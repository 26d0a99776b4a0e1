"""The crop of a map: its last rows and columns are taken and dropped."""

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number, check_width
from .stream import counter


@block
def crop(clk, rst, src, dst, *, rows, columns, groups, kept_rows, kept_columns):
    """Passes the beats of the first rows and columns of each map on, and drops the others.

    Ports:
        src  sink    spike stream of a map of `rows` and `columns`; ready for a beat that is dropped
        dst  source  spike stream of its first kept_rows and kept_columns

    Parameters:
        groups: beats for each pixel
        kept_rows, kept_columns: 1 up to all, but not all of both

    Timing: a beat passes within its cycle. Three columns, two of them kept:

        src   |A  |B  |C  |
        dst   |A  |B  |----
    """
    check_number("crop", 1, rows=rows, columns=columns, groups=groups)
    check_number("crop", 1, rows, kept_rows=kept_rows)
    check_number("crop", 1, columns, kept_columns=kept_columns)
    check_width("crop", len(dst.data), src=src.data, dst=dst.data)
    last_row, last_column, last_group = rows - 1, columns - 1, groups - 1
    row, column, group_index = counter(rows), counter(columns), counter(groups)
    keep, take = [Signal(bool(0)) for _ in range(2)]

    if kept_rows < rows and kept_columns < columns:

        @always_comb
        def find_keep():
            keep.next = row < kept_rows and column < kept_columns

    elif kept_rows < rows:

        @always_comb
        def find_keep():
            keep.next = row < kept_rows

    else:
        check_number("crop", 1, columns - 1, kept_columns=kept_columns)

        @always_comb
        def find_keep():
            keep.next = column < kept_columns

    @always_comb
    def pass_beats():
        dst.valid.next = src.valid and keep
        dst.data.next = src.data
        src.ready.next = dst.ready or not keep
        take.next = src.valid and (dst.ready or not keep)

    @always(clk.posedge)
    def advance_position():
        if rst:
            row.next = 0
            column.next = 0
            group_index.next = 0
        elif take:
            column.next = 0 if column == last_column else column + 1
            if column == last_column:
                group_index.next = 0 if group_index == last_group else group_index + 1
                if group_index == last_group:
                    row.next = 0 if row == last_row else row + 1

    return instances()
