"""The row buffer: a ring of banks of spikes, filled in turn while those before are scanned."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .memory import ram
from .stream import counter, index_bits


@block
def row_buffer(clk, rst, src, full, free_bank, freed_bank, read, read_addr, word, peek_addr, peek, *, pixels, chunks, banks):
    """Stores beats as chunks of spikes, pixel by pixel, with flags that say which chunks hold a spike.

    A bank holds a part of a row: `chunks` times `pixels` beats, column by column within a channel group; beat k belongs to
    chunk k // pixels of pixel k % pixels. Word (bank * pixels + pixel) * chunks + chunk of the memory holds it. The banks
    are filled in turn.

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
    """
    check_number("row_buffer", 1, pixels=pixels, chunks=chunks)
    check_number("row_buffer", 2, banks=banks)
    check_width("row_buffer", len(word), src=src.data, word=word)
    check_width("row_buffer", banks, full=full)
    check_width("row_buffer", index_bits(banks), freed_bank=freed_bank)
    check_width("row_buffer", index_bits(banks * pixels * chunks), read_addr=read_addr)
    check_width("row_buffer", index_bits(banks * pixels), peek_addr=peek_addr)
    check_width("row_buffer", chunks, peek=peek)
    beats = pixels * chunks
    last_pixel, last_chunk, last_bank = pixels - 1, chunks - 1, banks - 1
    flags = [Signal(intbv(0)[chunks:]) for _ in range(banks * pixels)]
    pixel, chunk, bank = counter(pixels), counter(chunks), counter(banks)
    # The chunk as one bit of all, so that no cycle decodes it.
    place = Signal(intbv(1)[chunks:])
    # Where the bank being filled begins in the memory and in the flags, and where this beat goes.
    word_base, flag_base = counter(banks * beats), counter(banks * pixels)
    write_addr, flag_addr = counter(banks * beats), counter(banks * pixels)
    free, write = Signal(bool(0)), Signal(bool(0))
    # Banks that take no more beats, and those of them that may be scanned.
    occupied, scannable = Signal(intbv(0)[banks:]), Signal(intbv(0)[banks:])
    # The beat that is being flagged; it has gone into the memory.
    flagging, beginning, completing = [Signal(bool(0)) for _ in range(3)]
    flagged_addr, flagged_bank = counter(banks * pixels), counter(banks)
    # The beat's flag in its place, the flags of its pixel without it, and with it.
    own, earlier, updated = [Signal(intbv(0)[chunks:]) for _ in range(3)]

    store = ram(clk, write, write_addr, src.data, read, read_addr, word, depth=banks * beats)

    @always_comb
    def handshake():
        free.next = not occupied[bank]

    @always_comb
    def accept():
        src.ready.next = free
        write.next = src.valid and free

    @always_comb
    def show_flags():
        peek.next = flags[peek_addr]

    @always_comb
    def show_full():
        full.next = scannable

    @always(clk.posedge)
    def take():
        if rst:
            flagging.next = False
            completing.next = False
        else:
            flagging.next = write
            completing.next = write and pixel == last_pixel and place[last_chunk]
        own.next = 0
        if src.data != 0:
            own.next = place
        beginning.next = place[0]
        flagged_addr.next = flag_addr
        flagged_bank.next = bank

    if pixels == 1:

        @always(clk.posedge)
        def keep():
            if flagging:
                earlier.next = updated

    else:
        # The beat that is flagged meanwhile is another pixel's.
        @always(clk.posedge)
        def fetch():
            earlier.next = flags[flag_addr]

    @always_comb
    def update():
        if beginning:
            updated.next = own
        else:
            updated.next = own | earlier

    @always(clk.posedge)
    def flag():
        if flagging:
            flags[flagged_addr].next = updated

    @always(clk.posedge)
    def complete():
        if rst:
            scannable.next = 0
        else:
            if free_bank:
                scannable.next[freed_bank] = 0
            if completing:
                scannable.next[flagged_bank] = 1

    @always(clk.posedge)
    def walk():
        if rst:
            pixel.next = 0
            chunk.next = 0
            place.next = 1
            bank.next = 0
            word_base.next = 0
            flag_base.next = 0
            write_addr.next = 0
            flag_addr.next = 0
            occupied.next = 0
        else:
            if free_bank:
                occupied.next[freed_bank] = 0
            if write:
                if pixel != last_pixel:
                    pixel.next = pixel + 1
                    write_addr.next = write_addr + chunks
                    flag_addr.next = flag_addr + 1
                elif not place[last_chunk]:
                    pixel.next = 0
                    chunk.next = chunk + 1
                    place.next = place << 1
                    write_addr.next = word_base + chunk + 1
                    flag_addr.next = flag_base
                else:
                    pixel.next = 0
                    chunk.next = 0
                    place.next = 1
                    occupied.next[bank] = 1
                    if bank != last_bank:
                        bank.next = bank + 1
                        word_base.next = word_base + beats
                        write_addr.next = word_base + beats
                        flag_base.next = flag_base + pixels
                        flag_addr.next = flag_base + pixels
                    else:
                        bank.next = 0
                        word_base.next = 0
                        write_addr.next = 0
                        flag_base.next = 0
                        flag_addr.next = 0

    return instances()
