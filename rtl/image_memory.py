"""The image memory: two banks of words, of which one is read again and again while the other one is filled."""

from myhdl import Signal, always, always_comb, block, instances

from .checks import check_number, check_width
from .memory import ram
from .stream import counter

BANKS = 2


@block
def image_memory(clk, rst, src, dst, *, words, scans):
    """Keeps an image and gives it `scans` times, word by word, while the next one arrives.

    Ports:
        src  sink    words of an image
        dst  source  the same words, all of an image `scans` times before those of the next

    Parameters:
        words: of an image

    Timing: one word a cycle in, one out, without a gap between scans and images while images have come; the first two
    cycles after an image's last word. Two words, two scans:

        src        |A  |A' |B  |B' |C  |--------
        src.ready  ~~~~~~~~~~~~~~~~\\_______/~~~~
        dst        ------------|A  |A' |A  |A' |
    """
    check_number("image_memory", 1, words=words, scans=scans)
    check_width("image_memory", len(dst.data), src=src.data, dst=dst.data)
    last_word, last_scan, last_addr = words - 1, scans - 1, BANKS * words - 1
    # Whole images that are held, not those whose last word has been read.
    level = counter(BANKS + 1)
    write_word, write_addr = counter(words), counter(BANKS * words)
    word, base, addr, scan = counter(words), counter(BANKS * words), counter(BANKS * words), counter(scans)
    write, read, completed, freed, valid = [Signal(bool(0)) for _ in range(5)]

    memory = ram(clk, write, write_addr, src.data, read, addr, dst.data, depth=BANKS * words)

    @always_comb
    def accept_word():
        src.ready.next = level != BANKS
        write.next = src.valid and level != BANKS
        completed.next = src.valid and level != BANKS and write_word == last_word

    @always_comb
    def read_word():
        read.next = level != 0 and (dst.ready or not valid)
        freed.next = level != 0 and (dst.ready or not valid) and word == last_word and scan == last_scan
        dst.valid.next = valid

    @always(clk.posedge)
    def count_images():
        if rst:
            level.next = 0
        elif completed and not freed:
            level.next = level + 1
        elif freed and not completed:
            level.next = level - 1

    @always(clk.posedge)
    def advance_write():
        if rst:
            write_word.next = 0
            write_addr.next = 0
        elif write:
            write_word.next = 0 if write_word == last_word else write_word + 1
            write_addr.next = 0 if write_addr == last_addr else write_addr + 1

    @always(clk.posedge)
    def advance_read():
        if rst:
            word.next = 0
            scan.next = 0
            base.next = 0
            addr.next = 0
        elif read:
            if word != last_word:
                word.next = word + 1
                addr.next = addr + 1
            else:
                word.next = 0
                if scan != last_scan:
                    scan.next = scan + 1
                    addr.next = base
                else:
                    scan.next = 0
                    addr.next = 0 if addr == last_addr else addr + 1
                    base.next = 0 if addr == last_addr else addr + 1

    @always(clk.posedge)
    def show_word():
        if rst:
            valid.next = False
        elif dst.ready or not valid:
            valid.next = level != 0

    return instances()
