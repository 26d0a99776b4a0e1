"""The row buffer: a ring of banks of spikes, filled in turn while those before are scanned."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .beat_place import beat_place
from .checks import check_number, check_width
from .chunk_flags import chunk_flags
from .errors import DesignError
from .memory import ram
from .stream import counter, index_bits


@block
def row_buffer(
    clk, rst, src, full, free_bank, freed_bank, read, read_addr, word, peek_addr, peek, *, pixels, chunks, banks, columns=1
):  # fmt: skip
    """Stores beats as chunks of spikes, pixel by pixel, with flags that say which chunks hold a spike.

    A bank holds a part of a row: `chunks` times `pixels` beats, column by column within a channel group; beat k belongs to
    chunk k // pixels of pixel k % pixels. Word (bank * pixels + pixel) * chunks + chunk of the memory holds it. The banks
    are filled in turn. Where several columns side by side are one pixel, beat k belongs to chunk
    k // (pixels * columns) * columns + k % columns of pixel k // columns % pixels.

    Ports:
        src         sink             spike stream; ready while the bank being filled is free
        full        out  banks       bit b: bank b holds a whole part, with its flags, which come a cycle after the beats
        free_bank   in   1           bank `freed_bank` has been scanned and is free again
        freed_bank  in   index       0 .. banks - 1
        read        in   1           load `word` at this edge
        read_addr   in   index       word to load
        word        out  beat width  one cycle after the read
        peek_addr   in   index       bank * pixels + pixel
        peek        out  chunks      flags of that pixel, in the same cycle: bit k: chunk k holds a spike

    Parameters:
        pixels: pixels in a row (1 when the whole row is scanned as one)
        chunks: beats for each pixel of a part
        banks: 2 or more
        columns: beats of a channel group for each pixel, one after the other; they divide the chunks

    Timing: a beat a cycle, and a read a cycle. The last beat of a part in bank 0, a read of its first word, and its end:

        src        |B  |----------------------
        full[0]    ________/~~~~~~~~~~~\\______
        read       ____________/~~~\\__________
        word       ----------------|W  |------
        free_bank  ________________/~~~\\______
    """
    check_number("row_buffer", 1, pixels=pixels, chunks=chunks)
    check_number("row_buffer", 2, banks=banks)
    check_number("row_buffer", 1, chunks, columns=columns)
    if chunks % columns:
        raise DesignError(f"row_buffer: {chunks} chunks of {columns} columns; allowed: as many chunks for each column")
    check_width("row_buffer", len(word), src=src.data, word=word)
    check_width("row_buffer", banks, full=full)
    check_width("row_buffer", index_bits(banks), freed_bank=freed_bank)
    check_width("row_buffer", index_bits(banks * pixels * chunks), read_addr=read_addr)
    check_width("row_buffer", index_bits(banks * pixels), peek_addr=peek_addr)
    check_width("row_buffer", chunks, peek=peek)
    beats = pixels * chunks
    last_pixel, last_chunk, last_bank = pixels - 1, chunks - 1, banks - 1
    pixel, chunk, bank = counter(pixels), counter(chunks), counter(banks)
    # The chunk as one bit of all, so that no cycle decodes it.
    place = Signal(intbv(1)[chunks:])
    # Where the bank being filled begins in the memory and in the flags, and where this beat goes.
    word_base, flag_base = counter(banks * beats), counter(banks * pixels)
    write_addr, flag_addr = counter(banks * beats), counter(banks * pixels)
    next_word_base, next_flag_base = counter(banks * beats), counter(banks * pixels)
    free, write, ends_part = [Signal(bool(0)) for _ in range(3)]
    # Banks that take no more beats.
    occupied = Signal(intbv(0)[banks:])
    same_pixel = Signal(bool(0)) if pixels > 1 and columns > 1 else None
    column = counter(columns) if same_pixel is not None else None

    store = ram(clk, write, write_addr, src.data, read, read_addr, word, depth=banks * beats)

    mark_chunks = chunk_flags(
        clk, rst, write, src.data, place, flag_addr, bank, ends_part, free_bank, freed_bank, full, peek_addr, peek,
        same_pixel, pixels=pixels, chunks=chunks, banks=banks,
    )  # fmt: skip

    @always_comb
    def find_free():
        free.next = not occupied[bank]

    @always_comb
    def accept_beat():
        src.ready.next = free
        write.next = src.valid and free
        ends_part.next = src.valid and free and pixel == last_pixel and place[last_chunk]

    @always_comb
    def find_next_bank():
        next_word_base.next = 0
        next_flag_base.next = 0
        if bank != last_bank:
            next_word_base.next = word_base + beats
            next_flag_base.next = flag_base + pixels

    @always(clk.posedge)
    def advance_bank():
        if rst:
            bank.next = 0
            word_base.next = 0
            flag_base.next = 0
            occupied.next = 0
        else:
            if free_bank:
                occupied.next[freed_bank] = 0
            if ends_part:
                occupied.next[bank] = 1
                bank.next = 0 if bank == last_bank else bank + 1
                word_base.next = next_word_base
                flag_base.next = next_flag_base

    find_place = beat_place(
        clk, rst, write, word_base, flag_base, next_word_base, next_flag_base, pixel, chunk, place, write_addr, flag_addr, column,
        pixels=pixels, chunks=chunks, banks=banks, columns=columns,
    )  # fmt: skip

    if column is not None:

        @always_comb
        def find_same_pixel():
            same_pixel.next = column != 0

    return instances()
