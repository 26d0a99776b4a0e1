"""Pooling windows along one axis of a map, and the position among them."""

from dataclasses import dataclass

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number
from .errors import DesignError
from .stream import counter


@dataclass(frozen=True, kw_only=True)
class Windows:
    """The windows along an axis: window o holds positions o * stride - padding to o * stride - padding + kernel - 1.

    size: positions of the map; those beyond it are 0. An incomplete last window is dropped, as torch's pools do.
    """

    size: int
    kernel: int
    stride: int
    padding: int = 0

    def __post_init__(self):
        check_number("window_axis", 1, size=self.size, kernel=self.kernel, stride=self.stride)
        check_number("window_axis", 0, self.kernel // 2, padding=self.padding)
        if self.size + 2 * self.padding < self.kernel:
            raise DesignError(f"window_axis: kernel {self.kernel}; allowed: 1 to {self.size + 2 * self.padding}, the map's size "
                              "with its padding")  # fmt: skip

    @property
    def count(self) -> int:
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def step(self) -> int:
        """Positions from one window to the next; those of a single window do not overlap with a second one."""
        return self.stride if self.count > 1 else max(self.stride, self.kernel)

    @property
    def last_end(self) -> int:
        """Last position of the last window, beyond the map where that window is cut off."""
        return (self.count - 1) * self.step - self.padding + self.kernel - 1

    @property
    def positions(self) -> int:
        """Positions that are walked: the map's, and so many more that no two windows end at the last one."""
        return max(self.size, self.last_end - self.step + 2)

    @property
    def has_empty(self) -> bool:
        """Whether positions beyond the map are walked."""
        return self.positions > self.size

    @property
    def is_cut(self) -> bool:
        """Whether the last window ends beyond the last position, and so is given there."""
        return self.last_end > self.positions - 1

    @property
    def first_phase(self) -> int:
        """Of the first position: positions since a window began, or would have begun."""
        return self.padding % self.step

    @property
    def end_phase(self) -> int:
        """Of the positions at which a window ends."""
        return (self.kernel - 1) % self.step

    @property
    def first_end(self) -> int:
        """Position at which the first window ends."""
        return self.kernel - 1 - self.padding

    @property
    def open(self) -> int:
        """Windows that are open between two positions, at most."""
        return -(-(self.kernel - 1) // self.step)

    @property
    def end_place(self) -> int:
        """Place of the window that ends, among those that a position lies in: place 0 has the one that began last."""
        return (self.kernel - 1) // self.step

    @property
    def cut_place(self) -> int:
        """Place of the last window at the last position."""
        return (self.positions - 1 + self.padding) // self.step - (self.count - 1)

    @property
    def gives_cut(self) -> bool:
        """Whether the last window is given from a place of its own."""
        return self.open > 0 and self.is_cut and self.cut_place != self.end_place

    @property
    def keeps_over_end(self) -> bool:
        """Whether what was open at the end of one walk must be cleared at the beginning of the next."""
        return self.open > 0 and (self.end_place > 0 or self.first_phase > 0)


class AxisPosition:
    """What window_axis() says of the current position: those of its signals that are named, for one reader."""

    def __init__(self, *names: str):
        for name in names:
            setattr(self, name, Signal(bool(0)))


@block
def window_axis(clk, rst, step, at, opening, *, windows):
    """Walks along an axis of a map, again and again, and says where its windows begin and end.

    Ports:
        step     in   1  move to the next position at this edge
        at       out     an AxisPosition. ends: a window ends here. last: it is the last position. empty: it lies beyond the map
        opening  out     an AxisPosition. begins: a window begins here. first: it is the first position. cut: it is the last one,
                         and the last window is cut off

    Parameters:
        windows: Windows

    Timing: all comes out of registers. Size 5, kernel 3, stride 2, padding 1: three windows, the last one cut off:

        position  |0  |1  |2  |3  |4  |0
        begins    ____/~~~\\___/~~~\\_____
        ends      ____/~~~\\___/~~~~~~~\\_
        cut       ________________/~~~\\_
    """
    check_number("window_axis", 1, positions=windows.positions)
    size, last_position = windows.size, windows.positions - 1
    first_phase, last_phase, end_phase = windows.first_phase, windows.step - 1, windows.end_phase
    first_end = windows.first_end
    position, phase = counter(windows.positions), counter(windows.step, first_phase)
    ends_whole = Signal(bool(0))

    if first_end >= windows.step:
        # Windows that would have begun further before the map have this phase, too.
        @always_comb
        def find_whole():
            ends_whole.next = phase == end_phase and position >= first_end

    else:

        @always_comb
        def find_whole():
            ends_whole.next = phase == end_phase

    if windows.is_cut:

        @always_comb
        def find_end():
            at.ends.next = ends_whole or position == last_position

    else:

        @always_comb
        def find_end():
            at.ends.next = ends_whole

    if hasattr(opening, "begins"):

        @always_comb
        def find_begin():
            opening.begins.next = phase == 0

    if hasattr(opening, "first"):

        @always_comb
        def find_first():
            opening.first.next = position == 0

    if hasattr(at, "last"):

        @always_comb
        def find_last():
            at.last.next = position == last_position

    if hasattr(opening, "cut"):

        @always_comb
        def find_cut():
            opening.cut.next = position == last_position

    if hasattr(at, "empty"):

        @always_comb
        def find_empty():
            at.empty.next = position >= size

    @always(clk.posedge)
    def advance():
        if rst:
            position.next = 0
            phase.next = first_phase
        elif step:
            if position == last_position:
                position.next = 0
                phase.next = first_phase
            else:
                position.next = position + 1
                phase.next = 0 if phase == last_phase else phase + 1

    return instances()
