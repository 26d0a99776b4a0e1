"""Memories of weights, biases and thresholds that a host fills: the bus to them, and the memory at its end."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from myhdl import Signal, always, always_comb, block, concat, instances, intbv

from .checks import check_number, check_width
from .memory import Table, ram, rom
from .stream import counter, index_bits

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


def parameter_memory(load: Load | None) -> Callable:
    """The block that holds a Table, with the ports of rom(): a rom(), or in a loadable core a loaded_memory()."""
    return rom if load is None else partial(loaded_memory, load=load)


@block
def loaded_memory(clk, read, read_addr, q, load, *, table):
    """A memory in the place of a rom() that picks its words from a bus; infers block RAM.

    Ports:
        read       in   1      load q at this edge; q holds its value otherwise
        read_addr  in   index  0 .. table.depth - 1
        q          out  width  one cycle after the read; unknown for a word that has not come
        load       in          see Load

    Parameters:
        table: a LoadedTable

    Timing: a word is there one cycle after its last piece.
    """
    check_width("loaded_memory", index_bits(table.depth), read_addr=read_addr)
    check_width("loaded_memory", table.width, q=q)
    check_number("loaded_memory", table.end, pieces_on_the_bus=load.position.max - 1)
    pieces, first, end = pieces_of(table.width), table.first, table.end
    last_piece, last_address = pieces - 1, table.depth - 1
    held_bits = LOAD_BITS * last_piece
    tail_bits = table.width - held_bits

    mine, full = Signal(bool(0)), Signal(bool(0))
    address = counter(table.depth)
    word = Signal(intbv(0)[table.width :])

    memory = ram(clk, full, address, word, read, read_addr, q, depth=table.depth)

    @always_comb
    def claim():
        mine.next = load.write and load.position >= first and load.position < end

    if pieces > 1:
        piece = counter(pieces)
        held = Signal(intbv(0)[held_bits:])

        @always_comb
        def assemble():
            full.next = mine and piece == last_piece
            word.next = concat(load.data[tail_bits:], held)

        @always(clk.posedge)
        def collect():
            if load.restart:
                piece.next = 0
            elif mine:
                if piece == last_piece:
                    piece.next = 0
                else:
                    piece.next = piece + 1

    else:

        @always_comb
        def assemble():
            full.next = mine
            word.next = load.data[tail_bits:]

    if pieces == 2:

        @always(clk.posedge)
        def shift():
            if mine:
                held.next = load.data

    elif pieces > 2:

        @always(clk.posedge)
        def shift():
            if mine:
                held.next = concat(load.data, held[held_bits:LOAD_BITS])

    @always(clk.posedge)
    def walk():
        if load.restart:
            address.next = 0
        elif full:
            if address == last_address:
                address.next = 0
            else:
                address.next = address + 1

    return instances()
