"""The positions of a scanner: which pixel of which part is scanned next."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .stream import counter, index_bits


def position_width(words: int) -> int:
    """Width of a position: the address of the pixel's first word in the lowest bits, then whether it is empty, then whether
    it ends a part. words: of the row buffer."""
    return index_bits(words) + 2


@block
def scan_position(
    clk, rst, full, freed, freed_bank, pixel_addr, dst, *, parts, width, padding, chunks, scans, flush, banks
):  # fmt: skip
    """Gives the positions of a frame in the order part, scan, column, and after its last part those that flush it.

    A part is scanned once its bank is full. When its last position has been given it is taken: its bank is still full
    until the scanner has read it, but the next position is one of the next part.

    Ports:
        full        in   banks   of row_buffer(): bit b: bank b holds a whole part
        freed       in   1       bank `freed_bank` has been read and is free again
        freed_bank  in   index   0 .. banks - 1
        pixel_addr  out  index   bank * width + column: where the row buffer has the flags of the pixel
        dst         source       positions, position_width(banks * width * chunks) bits; an empty one has no spikes

    Parameters: those of scanner()

    Timing: a position a cycle. Two columns, a padding of one, one scan; bank 0 is freed later:

        full[0]      ___/~~~~~~~~~~~~~~~~~~~~
        dst.valid    ___/~~~~~~~~~~~\\________
        column       ---|0  |1  |2  |0  ------
        empty        ___________/~~~\\________
        ends a part  ___________/~~~\\________
        taken[0]     _______________/~~~~~~~~
    """
    check_number("scan_position", 1, parts=parts, width=width, chunks=chunks, scans=scans)
    check_number("scan_position", 0, padding=padding, flush=flush)
    check_number("scan_position", 2, banks=banks)
    check_width("scan_position", banks, full=full)
    check_width("scan_position", index_bits(banks), freed_bank=freed_bank)
    check_width("scan_position", index_bits(banks * width), pixel_addr=pixel_addr)
    check_width("scan_position", position_width(banks * width * chunks), dst=dst.data)
    last_part, last_scan, last_column, last_bank = parts - 1, scans - 1, width + padding - 1, banks - 1
    last_pixel = width - 1
    taken = Signal(intbv(0)[banks:])
    bank, part, scan, column = counter(banks), counter(parts), counter(scans), counter(width + padding)
    # Empty positions that are still to come, and where the bank begins among the flags and among the words.
    flushing = counter(flush + 1)
    pixel_base, word_base = counter(banks * width), counter(banks * width * chunks)
    place, word_addr = counter(banks * width), counter(banks * width * chunks)
    available, look, empty, ends_part = [Signal(bool(0)) for _ in range(4)]
    position = ConcatSignal(ends_part, empty, word_addr)

    @always_comb
    def find_available():
        available.next = flushing != 0 or (full[bank] and not taken[bank])

    @always_comb
    def find_end():
        ends_part.next = flushing == 0 and column == last_column and scan == last_scan

    if padding > 0:

        @always_comb
        def find_empty():
            empty.next = flushing != 0 or column > last_pixel

    else:

        @always_comb
        def find_empty():
            empty.next = flushing != 0

    @always_comb
    def give_position():
        dst.valid.next = available
        dst.data.next = position
        look.next = available and dst.ready
        pixel_addr.next = place

    @always(clk.posedge)
    def mark_taken():
        if rst:
            taken.next = 0
        else:
            if freed:
                taken.next[freed_bank] = 0
            if look and ends_part:
                taken.next[bank] = 1

    @always(clk.posedge)
    def count_positions():
        if rst:
            part.next = 0
            scan.next = 0
            column.next = 0
            flushing.next = 0
        elif look:
            if flushing != 0:
                flushing.next = flushing - 1
            elif column != last_column:
                column.next = column + 1
            else:
                column.next = 0
                if scan != last_scan:
                    scan.next = scan + 1
                else:
                    scan.next = 0
                    if part != last_part:
                        part.next = part + 1
                    else:
                        part.next = 0
                        flushing.next = flush

    # The padding has no flags and no words: the addresses stay at the last pixel.
    @always(clk.posedge)
    def advance_address():
        if rst:
            bank.next = 0
            pixel_base.next = 0
            word_base.next = 0
            place.next = 0
            word_addr.next = 0
        elif look and flushing == 0:
            if column != last_column:
                if column < last_pixel:
                    place.next = place + 1
                    word_addr.next = word_addr + chunks
            elif not ends_part:
                place.next = pixel_base
                word_addr.next = word_base
            elif bank != last_bank:
                bank.next = bank + 1
                pixel_base.next = pixel_base + width
                place.next = pixel_base + width
                word_base.next = word_base + width * chunks
                word_addr.next = word_base + width * chunks
            else:
                bank.next = 0
                pixel_base.next = 0
                place.next = 0
                word_base.next = 0
                word_addr.next = 0

    return instances()
