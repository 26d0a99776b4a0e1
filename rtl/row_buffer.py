"""The row buffer: two rows of spikes, one being filled while the other is scanned."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .memory import ram
from .stream import counter


@block
def row_buffer(clk, rst, src, full, free_row, freed_bank, read, read_addr, word, peek_addr, peek, pixels, chunks):
    """Stores the beats of a row as chunks of spikes, pixel by pixel, with flags that say which chunks hold a spike.

    A row arrives as `chunks` times `pixels` beats, column by column within a channel group; beat k belongs to chunk
    k // pixels of pixel k % pixels. Word (bank * pixels + pixel) * chunks + chunk of the memory holds it.

    Ports:
        src           sink             spike stream; ready while the bank being filled is free
        full          out  2           bit b: bank b holds a whole row
        free_row       in   1           bank `freed_bank` has been scanned and is free again
        freed_bank  in   1
        read          in   1           load `word` at this edge
        read_addr     in   index       word to load
        word          out  beat width  one cycle after the read
        peek_addr     in   index       bank * pixels + pixel
        peek          out  chunks      flags of that pixel, in the same cycle: bit k: chunk k holds a spike

    Parameters:
        pixels: pixels in a row (1 when the whole row is scanned as one)
        chunks: beats for each pixel
    """
    beats = pixels * chunks
    last_pixel, last_chunk = pixels - 1, chunks - 1
    flags = [Signal(intbv(0)[chunks:]) for _ in range(2 * pixels)]
    pixel, chunk = counter(pixels), counter(chunks)
    bank = Signal(intbv(0)[1:])
    write_addr = counter(2 * beats)
    flag_addr = counter(2 * pixels)
    free, write = Signal(bool(0)), Signal(bool(0))
    occupied = Signal(intbv(0)[2:])

    store = ram(clk, write, write_addr, src.data, read, read_addr, word, 2 * beats)

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
        full.next = occupied

    @always(clk.posedge)
    def mark():
        updated = intbv(0)[chunks:]
        if write:
            updated[:] = 0
            if chunk != 0:
                updated[:] = flags[flag_addr]
            updated[chunk] = src.data != 0
            flags[flag_addr].next = updated

    @always(clk.posedge)
    def walk():
        if rst:
            pixel.next = 0
            chunk.next = 0
            bank.next = 0
            write_addr.next = 0
            flag_addr.next = 0
            occupied.next = 0
        else:
            if free_row:
                occupied.next[freed_bank] = 0
            if write:
                if pixel != last_pixel:
                    pixel.next = pixel + 1
                    write_addr.next = write_addr + chunks
                    flag_addr.next = flag_addr + 1
                elif chunk != last_chunk:
                    pixel.next = 0
                    chunk.next = chunk + 1
                    if bank == 0:
                        write_addr.next = chunk + 1
                        flag_addr.next = 0
                    else:
                        write_addr.next = beats + chunk + 1
                        flag_addr.next = pixels
                else:
                    pixel.next = 0
                    chunk.next = 0
                    bank.next = not bank
                    occupied.next[bank] = 1
                    if bank == 0:
                        write_addr.next = beats
                        flag_addr.next = pixels
                    else:
                        write_addr.next = 0
                        flag_addr.next = 0

    return instances()
