"""The kernel of a convolution: how far it reaches, and which places of a map leave as outputs.

Output y of a map of the input's size is the sum of w[i] * x[y - size // 2 + i], for each axis. An output window says which of
these outputs leave: those of a range of rows and a range of columns. A stride is the range's step, less padding a later start.
"""

from .checks import check_number
from .errors import DesignError

KERNELS = range(1, 8)
"""Rows, and columns, that a kernel may have."""


def reach(size: int) -> tuple[int, int]:
    """Inputs of an output before its own place, and after it, on an axis of `size` taps."""
    return size // 2, (size - 1) // 2


def check_kernel(where: str, kernel):
    """Refuse what is not (rows, columns) of a kernel."""
    if type(kernel) is not tuple or len(kernel) != 2 or any(type(n) is not int or n not in KERNELS for n in kernel):
        raise DesignError(f"{where}: kernel {kernel!r}; allowed: (rows, columns), each {KERNELS[0]} to {KERNELS[-1]}")


def check_places(where: str, size: int, **axes):
    """Refuse what is not a rising range of places 0 .. size - 1, at least one."""
    check_number(where, 1, size=size)
    for name, places in axes.items():
        if type(places) is not range or not places or places.step < 1 or places[0] < 0 or places[-1] >= size:
            raise DesignError(f"{where}: {name} {places!r}; allowed: a range of some of 0 to {size - 1}")


def leaves_all(height: int, width: int, out_rows: range, out_columns: range) -> bool:
    """Whether each place of a map leaves."""
    return len(out_rows) == height and len(out_columns) == width


def near_slots(positions: int, middle: int, columns: int) -> tuple[int, int]:
    """Of a window of columns the first that may be of the same scan as the middle one, and the first after them that may not.

    positions: columns of a scan. All are within the scan of the middle one and its neighbours, so that one bit, which differs
    between neighbouring scans, tells which are of its own.
    """
    return max(0, middle - positions + 1), min(columns, middle + positions)


def flags_of(places: range, size: int, first: int = 0) -> tuple[int, ...]:
    """For each number 0 .. size - 1, whether the place that many after `first` is one of these: 1 or 0."""
    return tuple(int(first + number in places) for number in range(size))
