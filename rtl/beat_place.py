"""The place of a beat in the row buffer: where its chunk goes, and its flag."""

from myhdl import always, block, instances

from .checks import check_number, check_width
from .stream import index_bits


@block
def beat_place(
    clk, rst, write, word_base, flag_base, next_word_base, next_flag_base, pixel, chunk, place, write_addr, flag_addr,
    column=None, *, pixels, chunks, banks, columns,
):  # fmt: skip
    """Counts the beats of a part, pixel after pixel of a chunk; where several columns are one pixel, column after column of it.

    Ports:
        write           in   1       a beat is written at this edge
        word_base       in   index   where the bank being filled begins in the memory; next_word_base: the one after it
        flag_base       in   index   the same in the flags; next_flag_base
        pixel           out  index   of the beat that comes
        chunk           out  index   of the beat that comes, that of the first column of its pixel
        place           out  chunks  the beat's chunk as one bit of all
        write_addr      out  index   its word
        flag_addr       out  index   its flags
        column          out  index   of its pixel; None where a pixel has one

    Parameters: those of row_buffer()

    Timing: a beat a cycle. Two pixels, two chunks:

        write       /~~~~~~~~~~~~~~~\\_
        pixel       |0  |1  |0  |1  |0
        chunk       |0      |1      |0
        write_addr  |0  |2  |1  |3  |4
    """
    check_number("beat_place", 1, pixels=pixels, chunks=chunks)
    check_number("beat_place", 2, banks=banks)
    check_number("beat_place", 1, chunks, columns=columns)
    words, flags = index_bits(banks * pixels * chunks), index_bits(banks * pixels)
    check_width("beat_place", words, word_base=word_base, next_word_base=next_word_base, write_addr=write_addr)
    check_width("beat_place", flags, flag_base=flag_base, next_flag_base=next_flag_base, flag_addr=flag_addr)
    check_width("beat_place", chunks, place=place)
    check_width("beat_place", index_bits(pixels), pixel=pixel)
    check_width("beat_place", index_bits(chunks), chunk=chunk)
    if column is not None:
        check_width("beat_place", index_bits(columns), column=column)
    last_pixel, last_chunk = pixels - 1, chunks - 1

    if column is None:

        @always(clk.posedge)
        def advance_position():
            if rst:
                pixel.next = 0
                chunk.next = 0
                place.next = 1
                write_addr.next = 0
                flag_addr.next = 0
            elif write:
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
                    write_addr.next = next_word_base
                    flag_addr.next = next_flag_base

    else:
        last_column, to_next_pixel = columns - 1, chunks - columns + 1

        @always(clk.posedge)
        def advance_position():
            if rst:
                column.next = 0
                pixel.next = 0
                chunk.next = 0
                place.next = 1
                write_addr.next = 0
                flag_addr.next = 0
            elif write:
                column.next = 0
                if column != last_column:
                    column.next = column + 1
                    place.next = place << 1
                    write_addr.next = write_addr + 1
                elif pixel != last_pixel:
                    pixel.next = pixel + 1
                    place.next = place >> last_column
                    write_addr.next = write_addr + to_next_pixel
                    flag_addr.next = flag_addr + 1
                elif not place[last_chunk]:
                    pixel.next = 0
                    chunk.next = chunk + columns
                    place.next = place << 1
                    write_addr.next = word_base + chunk + columns
                    flag_addr.next = flag_base
                else:
                    pixel.next = 0
                    chunk.next = 0
                    place.next = 1
                    write_addr.next = next_word_base
                    flag_addr.next = next_flag_base

    return instances()
