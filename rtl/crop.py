"""The crop of a map: its last rows and columns are taken and dropped."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number, check_width
from .stream import counter


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Parameters of a crop. rows, columns: of the map that comes in. groups: beats for each pixel of it.

    kept_rows, kept_columns: 1 up to all, but not all of both.
    """

    rows: int
    columns: int
    groups: int
    kept_rows: int
    kept_columns: int

    def __post_init__(self):
        check_number("crop", 1, rows=self.rows, columns=self.columns, groups=self.groups)
        check_number("crop", 1, self.rows, kept_rows=self.kept_rows)
        check_number("crop", 1, self.columns - (self.kept_rows == self.rows), kept_columns=self.kept_columns)

    @property
    def kept_beats(self) -> int:
        """Beats of a map that are kept."""
        return self.kept_rows * self.kept_columns * self.groups


@block
def crop(clk, rst, src, dst, *, sizes):
    """Passes the beats of the first rows and columns of each map on, and drops the others.

    Ports:
        src  sink    spike stream of a map of sizes.rows and sizes.columns; ready for a beat that is dropped
        dst  source  spike stream of its first sizes.kept_rows and sizes.kept_columns

    Parameters:
        sizes: a Crop

    Timing: a beat passes within its cycle. Three columns, two of them kept:

        src   |A  |B  |C  |
        dst   |A  |B  |----
    """
    check_width("crop", len(dst.data), src=src.data, dst=dst.data)
    kept_rows, kept_columns = sizes.kept_rows, sizes.kept_columns
    last_row, last_column, last_group = sizes.rows - 1, sizes.columns - 1, sizes.groups - 1
    row, column, group_index = counter(sizes.rows), counter(sizes.columns), counter(sizes.groups)
    keep, take = [Signal(bool(0)) for _ in range(2)]

    if kept_rows < sizes.rows and kept_columns < sizes.columns:

        @always_comb
        def find_keep():
            keep.next = row < kept_rows and column < kept_columns

    elif kept_rows < sizes.rows:

        @always_comb
        def find_keep():
            keep.next = row < kept_rows

    else:

        @always_comb
        def find_keep():
            keep.next = column < kept_columns

    @always_comb
    def pass_beats():
        dst.valid.next = src.valid and keep
        dst.data.next = src.data
        src.ready.next = not keep or (src.valid and dst.ready)
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
