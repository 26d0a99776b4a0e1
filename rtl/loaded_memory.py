"""A memory in the place of a ROM, which a host fills: weights, biases and thresholds of a loadable core."""

from collections.abc import Callable
from functools import partial

from myhdl import Signal, always, always_comb, block, concat, instances, intbv

from .checks import check_number, check_width
from .loading import LOAD_BITS, Load, pieces_of
from .memory import ram, rom
from .stream import counter, index_bits


def parameter_memory(load: Load | None) -> Callable:
    """The block that holds a Table, with the ports of rom(): a rom(), or in a loadable core a loaded_memory()."""
    return rom if load is None else partial(loaded_memory, load=load)


@block
def loaded_memory(clk, read, read_addr, q, load, *, table):
    """A memory in the place of a rom() that picks its words from a bus; infers block RAM.

    Ports:
        read       in   1      load q at this edge; q holds its value otherwise
        read_addr  in   index  0 .. table.depth - 1
        q          out  width  one cycle after the read; unknown for a word that is not loaded
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
    def find_own_pieces():
        mine.next = load.write and load.position >= first and load.position < end

    if pieces > 1:
        piece = counter(pieces)
        held = Signal(intbv(0)[held_bits:])

        @always_comb
        def assemble_word():
            full.next = mine and piece == last_piece
            word.next = concat(load.data[tail_bits:], held)

        @always(clk.posedge)
        def count_pieces():
            if load.restart:
                piece.next = 0
            elif mine:
                piece.next = 0 if piece == last_piece else piece + 1

    else:

        @always_comb
        def assemble_word():
            full.next = mine
            word.next = load.data[tail_bits:]

    if pieces == 2:

        @always(clk.posedge)
        def shift_pieces():
            if mine:
                held.next = load.data

    elif pieces > 2:

        @always(clk.posedge)
        def shift_pieces():
            if mine:
                held.next = concat(load.data, held[held_bits:LOAD_BITS])

    @always(clk.posedge)
    def advance_address():
        if load.restart:
            address.next = 0
        elif full:
            address.next = 0 if address == last_address else address + 1

    return instances()
