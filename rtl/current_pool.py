"""The pool of currents: maximum or sum of a window of currents, before the neurons."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances, intbv, modbv

from .checks import check_choice, check_number, check_width
from .delay_line import delay_line
from .stream import counter, pack, signed, unpack
from .window_axis import AxisPosition, Windows, window_axis

OPERATIONS = ("max", "sum")


@dataclass(frozen=True, kw_only=True)
class CurrentPool:
    """Parameters of a pool of currents. op: max or sum. kernel: rows and columns of a window; windows lie side by side.

    bits: signed width of the currents that come in.
    """

    op: str
    kernel: tuple[int, int]
    bits: int

    def __post_init__(self):
        check_choice("current_pool", OPERATIONS, op=self.op)
        check_number("current_pool", 1, rows=self.kernel[0], columns=self.kernel[1], bits=self.bits)

    def windows(self, axis: int, size: int) -> Windows:
        """The windows along an axis, 0 or 1, of a map of that size."""
        return Windows(size=size, kernel=self.kernel[axis], stride=self.kernel[axis])


@block
def current_pool(clk, rst, src, dst, *, fields, rows, columns, groups, bits, pool):
    """Gives, for each field, the maximum or the sum of the currents of a window; incomplete last rows and columns are dropped.

    One operation a beat: at a window's first column the current meets the result of the rows above, which a delay line keeps, at
    the other ones that of the columns before. The register of the result is also that of the output.

    Ports:
        src  sink    currents, `fields` fields of pool.bits, in the order frame, row, channel group, column
        dst  source  pooled currents, `fields` fields of `bits`, in the same order

    Parameters:
        rows, columns: of the map that comes in
        groups: beats for each position of the map
        bits: width of a pooled current
        pool: CurrentPool

    Timing: one beat a cycle; a window leaves one cycle after its last beat. Two columns and one row in a window:

        src  |A  |B  |C  |D  |-------
        dst  --------|A,B|---|C,D|---
    """
    check_number("current_pool", 1, fields=fields, rows=rows, columns=columns, groups=groups)
    check_number("current_pool", pool.bits, bits=bits)
    check_width("current_pool", fields * pool.bits, src=src.data)
    check_width("current_pool", fields * bits, dst=dst.data)
    row_windows, column_windows = pool.windows(0, rows), pool.windows(1, columns)
    last_group = groups - 1

    group_index = counter(groups)
    valid, take, ends_row, keep, complete, fresh = [Signal(bool(0)) for _ in range(6)]
    column, row = AxisPosition("ends", "last"), AxisPosition("ends")
    opening_column, opening_row = AxisPosition("begins"), AxisPosition("begins")
    # The currents of this beat, of the window in this row so far, of the rows above, and what the first of them meets.
    currents = [signed(pool.bits) for _ in range(fields)]
    partners, pooled = [[signed(bits) for _ in range(fields)] for _ in range(2)]
    # Sums wrap behind the last window, where they are nobody's.
    results = [Signal(modbv(0, min=-(2 ** (bits - 1)), max=2 ** (bits - 1))) for _ in range(fields)]

    walk_columns = window_axis(clk, rst, take, column, opening_column, windows=column_windows)
    walk_rows = window_axis(clk, rst, ends_row, row, opening_row, windows=row_windows)
    current_fields = unpack(src.data, currents)
    pooled_fields = pack(pooled, dst.data)

    # A window of one row meets nothing from above.
    if row_windows.open:
        above, below = [Signal(intbv(0)[fields * bits :]) for _ in range(2)]
        aboves = [signed(bits) for _ in range(fields)]
        below_fields = pack(results, below)
        above_fields = unpack(above, aboves)
        places = groups * column_windows.count
        keep_row = delay_line(clk, rst if places > 1 else None, keep, below, above, places=places)

        @always_comb
        def find_keep():
            keep.next = take and column.ends

        @always_comb
        def choose_partner():
            for i in range(fields):
                partners[i].next = pooled[i]
                if opening_column.begins:
                    partners[i].next = aboves[i]

    else:

        @always_comb
        def choose_partner():
            for i in range(fields):
                partners[i].next = pooled[i]

    @always_comb
    def handshake():
        src.ready.next = dst.ready or not valid
        dst.valid.next = valid
        take.next = src.valid and (dst.ready or not valid)

    @always_comb
    def find_place():
        fresh.next = opening_column.begins and opening_row.begins
        ends_row.next = take and column.last and group_index == last_group
        complete.next = take and column.ends and row.ends

    if pool.op == "max":

        @always_comb
        def combine():
            for i in range(fields):
                results[i].next = currents[i]
                if not fresh and partners[i] > currents[i]:
                    results[i].next = partners[i]

    else:

        @always_comb
        def combine():
            for i in range(fields):
                results[i].next = currents[i]
                if not fresh:
                    results[i].next = partners[i] + currents[i]

    @always(clk.posedge)
    def register_result():
        if take:
            for i in range(fields):
                pooled[i].next = results[i]
        if rst:
            valid.next = False
        elif complete:
            valid.next = True
        elif dst.ready:
            valid.next = False

    @always(clk.posedge)
    def advance_group():
        if rst:
            group_index.next = 0
        elif take and column.last:
            group_index.next = 0 if group_index == last_group else group_index + 1

    return instances()
