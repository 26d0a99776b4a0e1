"""Loading a network into a core: the bus that brings weights, biases and thresholds, and the tables that it fills."""

from dataclasses import dataclass

from myhdl import Signal, intbv

from .checks import check_number
from .memory import Table
from .stream import counter

LOAD_BITS = 32
"""Width of the pieces in which words come."""


def pieces_of(width: int) -> int:
    """Pieces of a word of `width` bits: its bits from the lowest up, the last piece filled with zeros."""
    return -(-width // LOAD_BITS)


@dataclass(frozen=True)
class LoadedTable(Table):
    """A Table whose place a memory takes that is loaded: `path` is but its name, `words` are no part of the design.

    first: position of its first piece among those of all memories; its words follow each other from word 0 up.
    """

    first: int

    def __post_init__(self):
        super().__post_init__()
        check_number(f"table {self.path}", 0, first=self.first)

    def part(self, first: int, end: int) -> "LoadedTable":
        """Words first .. end - 1: they are loaded where the whole table's are."""
        place = self.first + first * pieces_of(self.width)
        return LoadedTable(f"{self.path}_{first}", self.width, self.words[first:end], place)

    @property
    def end(self) -> int:
        """Position after its last piece."""
        return self.first + self.depth * pieces_of(self.width)


class Load:
    """The bus that fills the memories of a core, with `pieces` pieces in all.

    restart: 1 bit, the next piece is the first one; none comes now. write: 1 bit, a piece is on the bus. position: which.
    data: the piece.
    """

    def __init__(self, pieces: int):
        check_number("Load", 1, pieces=pieces)
        self.restart = Signal(bool(0))
        self.write = Signal(bool(0))
        self.position = counter(pieces + 1)
        self.data = Signal(intbv(0)[LOAD_BITS:])
