"""The OR-pool stage: max-pooling of spikes."""

from dataclasses import dataclass
from functools import cached_property

from myhdl import Signal, always, always_comb, block, instances, intbv

from .activity import activity
from .checks import check_number, check_ports
from .delay_line import delay_line
from .open_windows import open_windows, opening_of
from .stage import Stage
from .stream import counter
from .window_axis import AxisPosition, Windows, window_axis


@dataclass(frozen=True, kw_only=True)
class Pool(Stage):
    """Parameters of an OR-pool stage.

    height, width: its input map. groups: beats for each pixel. kernel, stride, padding: of a window, (rows, columns); beyond the
    map are no spikes.
    """

    kind = "pool"

    height: int
    width: int
    groups: int
    kernel: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int] = (0, 0)

    def __post_init__(self):
        check_number("pool", 1, height=self.height, width=self.width)
        check_number("pool", 1, groups=self.groups, lanes=self.lanes, timesteps=self.timesteps)
        for axis, size in enumerate((self.height, self.width)):
            self._windows(axis, size)

    def _windows(self, axis: int, size: int) -> Windows:
        return Windows(size=size, kernel=self.kernel[axis], stride=self.stride[axis], padding=self.padding[axis])

    @cached_property
    def rows(self) -> Windows:
        """The windows from top to bottom."""
        return self._windows(0, self.height)

    @cached_property
    def columns(self) -> Windows:
        """The windows from left to right."""
        return self._windows(1, self.width)

    @property
    def row_windows(self) -> int:
        """Windows that begin in a row, which wait for the rows below."""
        return self.groups * self.columns.count

    @property
    def empty_positions(self) -> int:
        """Positions beyond the map that are passed for each map."""
        return self.groups * (self.rows.positions * self.columns.positions - self.height * self.width)

    @property
    def input_bits(self) -> int:
        return self.output_bits

    @property
    def input_beats(self) -> int:
        return self.groups * self.height * self.width

    @property
    def output_beats(self) -> int:
        return self.row_windows * self.rows.count


@block
def pool(clk, rst, src, dst, counts, *, stage):
    """OR of the spikes of windows, in rows and columns; an incomplete last window is dropped.

    A beat is added to the windows that are open in its row; what a window has in this row is added to what it had in the rows
    above, which a delay line keeps. A window that the right or lower edge cuts off is given at the edge.

    Ports:
        src     sink    spike stream
        dst     source  spike stream of stage.rows.count rows and stage.columns.count columns
        counts  out     activity counters: busy in each cycle in which it takes a beat, or passes an empty position

    Timing: one beat in a cycle; a window leaves one cycle after its last beat. Only where several windows would end at an edge,
    which takes a padding as large as the stride, empty positions are passed there, a cycle each. 2 x 2 windows, two columns,
    beats A and B of the upper row, C and D of the lower one:

        src   |A  |B  |C  |D  |-------
        dst   ----------------|ABCD|--
    """
    check_ports("pool", stage, src, dst)
    bits, rows, columns, last_group = stage.output_bits, stage.rows, stage.columns, stage.groups - 1

    group_index = counter(stage.groups)
    beat, across, joined, pooled = [Signal(intbv(0)[bits:]) for _ in range(4)]
    valid, empty, step, ends_row, keep, complete = [Signal(bool(0)) for _ in range(6)]
    stall_in, stall_out, never = [Signal(bool(0)) for _ in range(3)]
    column = AxisPosition("ends", "last", *["empty"] * columns.has_empty)
    row = AxisPosition("ends", *["empty"] * rows.has_empty)
    opening_columns, opening_rows = opening_of(columns), opening_of(rows)
    waiting, still_waiting, above, below = None, None, None, None

    walk_columns = window_axis(clk, rst, step, column, opening_columns, windows=columns)
    walk_rows = window_axis(clk, rst, ends_row, row, opening_rows, windows=rows)
    if columns.open:
        waiting, still_waiting = [Signal(intbv(0)[columns.open * bits :]) for _ in range(2)]

        @always(clk.posedge)
        def register_waiting():
            if step:
                waiting.next = still_waiting

    if rows.open:
        above, below = [Signal(intbv(0)[rows.open * bits :]) for _ in range(2)]
        keep_row = delay_line(clk, rst if stage.row_windows > 1 else None, keep, below, above, places=stage.row_windows)

        @always_comb
        def find_keep():
            keep.next = step and column.ends

    join_columns = open_windows(waiting, beat, opening_columns, still_waiting, across, windows=columns, bits=bits)
    join_rows = open_windows(above, across, opening_rows, below, joined, windows=rows, bits=bits)
    count_activity = activity(clk, rst, step, stall_in, stall_out, never, never, counts)

    if columns.has_empty and rows.has_empty:

        @always_comb
        def find_empty():
            empty.next = column.empty or row.empty

    elif columns.has_empty:

        @always_comb
        def find_empty():
            empty.next = column.empty

    elif rows.has_empty:

        @always_comb
        def find_empty():
            empty.next = row.empty

    if columns.has_empty or rows.has_empty:

        @always_comb
        def take_beat():
            src.ready.next = (dst.ready or not valid) and not empty
            step.next = (src.valid or empty) and (dst.ready or not valid)
            beat.next = 0
            if not empty:
                beat.next = src.data

        @always_comb
        def classify_cycle():
            stall_in.next = not src.valid and not empty
            stall_out.next = (src.valid or empty) and valid and not dst.ready
            never.next = False

    else:

        @always_comb
        def take_beat():
            src.ready.next = dst.ready or not valid
            step.next = src.valid and (dst.ready or not valid)
            beat.next = src.data

        @always_comb
        def classify_cycle():
            stall_in.next = not src.valid
            stall_out.next = src.valid and valid and not dst.ready
            never.next = False

    @always_comb
    def give_result():
        dst.valid.next = valid
        dst.data.next = pooled

    @always_comb
    def find_end():
        ends_row.next = step and column.last and group_index == last_group
        complete.next = step and column.ends and row.ends

    @always(clk.posedge)
    def register_result():
        if complete:
            pooled.next = joined
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
        elif step and column.last:
            group_index.next = 0 if group_index == last_group else group_index + 1

    return instances()
