"""Words of inputs from pixels: several pixels in a word, or several words for a pixel."""

from myhdl import Signal, always, always_comb, block, concat, instances, intbv

from .checks import check_number, check_width
from .errors import DesignError
from .stream import counter, groups_of


def words_of_image(pixels: int, pixel_bits: int, word_bits: int) -> int:
    """Words that an image makes."""
    if word_bits < pixel_bits:
        return pixels * groups_of(pixel_bits, word_bits)
    return groups_of(pixels * pixel_bits, word_bits)


@block
def pixel_words(clk, rst, src, dst, *, pixels, pixel_bits, word_bits):
    """Joins pixels to words, the first in the lowest bits, or cuts each pixel into words, the lowest bits first.

    The last word of an image may lack pixels: those that it has are in its highest bits, and below them are pixels of the word
    before. The last word of a pixel may lack bits: its highest are 0.

    Ports:
        src  sink    pixels of pixel_bits
        dst  source  words of word_bits

    Parameters:
        pixels: of an image
        word_bits: fewer than a pixel has, or those of 2 to `pixels` whole pixels

    Timing: one pixel a cycle at src, or one word at dst. Words of two pixels come with the second one; three pixels A, B, C:

        src        |A  |B  |C  |A  |
        dst.valid  ____/~~~~~~~\\____
        dst        ----|AB |BC |----

    Two words of a pixel, A and A':

        src        |A  |B      |--------
        src.ready  ~~~~\\___/~~~\\___/~~~~
        dst        ----|A  |A' |B  |B' |
    """
    check_number("pixel_words", 1, pixels=pixels, pixel_bits=pixel_bits)
    check_number("pixel_words", 1, pixels * pixel_bits, word_bits=word_bits)
    if word_bits >= pixel_bits and (word_bits == pixel_bits or word_bits % pixel_bits):
        raise DesignError(
            f"pixel_words: word_bits {word_bits}; allowed: less than {pixel_bits}, or a multiple from {2 * pixel_bits} up"
        )
    check_width("pixel_words", pixel_bits, src=src.data)
    check_width("pixel_words", word_bits, dst=dst.data)
    per_word, parts = word_bits // pixel_bits, groups_of(pixel_bits, word_bits)
    last_place, last_pixel, last_part = per_word - 1, pixels - 1, parts - 1

    if parts > 1:
        held = Signal(intbv(0)[parts * word_bits :])
        holding, take = [Signal(bool(0)) for _ in range(2)]
        part = counter(parts)

        @always_comb
        def handshake():
            src.ready.next = not holding or (dst.ready and part == last_part)
            take.next = src.valid and (not holding or (dst.ready and part == last_part))
            dst.valid.next = holding
            dst.data.next = held[word_bits:]

        @always(clk.posedge)
        def shift_parts():
            if take:
                held.next = src.data
            elif holding and dst.ready:
                held.next = held >> word_bits

        @always(clk.posedge)
        def count_parts():
            if rst:
                holding.next = False
                part.next = 0
            elif take:
                holding.next = True
                part.next = 0
            elif holding and dst.ready:
                if part == last_part:
                    holding.next = False
                else:
                    part.next = part + 1

    else:
        kept_bits = word_bits - pixel_bits
        kept = Signal(intbv(0)[kept_bits:])
        ends_word, take = [Signal(bool(0)) for _ in range(2)]
        place, pixel = counter(per_word), counter(pixels)

        @always_comb
        def find_end():
            ends_word.next = place == last_place or pixel == last_pixel

        @always_comb
        def handshake():
            src.ready.next = src.valid and (dst.ready or not ends_word)
            take.next = src.valid and (dst.ready or not ends_word)
            dst.valid.next = src.valid and ends_word
            dst.data.next = concat(src.data, kept)

        if per_word == 2:

            @always(clk.posedge)
            def shift_pixels():
                if take:
                    kept.next = src.data

        else:

            @always(clk.posedge)
            def shift_pixels():
                if take:
                    kept.next = concat(src.data, kept[kept_bits:pixel_bits])

        @always(clk.posedge)
        def count_pixels():
            if rst:
                place.next = 0
                pixel.next = 0
            elif take:
                place.next = 0 if ends_word else place + 1
                pixel.next = 0 if pixel == last_pixel else pixel + 1

    return instances()
