"""The receiver of packets: bytes in, whole packets with the right checksum out."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .packets import BYTE_BITS, LENGTH_LOW, MARK, MAX_WORDS, WORD_BITS
from .serial_crc32 import serial_crc32
from .stream import counter


@block
def packet_receiver(clk, rst, data, arrived, broken, busy, write, write_addr, write_data, head, complete, *, timeout):
    """Collects the words of a packet, and says when a whole one has come with the right checksum.

    Where a byte is no part of a packet, all that follows is ignored until the line has been silent for `timeout` cycles: a byte
    that is broken, the first of a packet without the mark, a wrong checksum, a byte while the packet before is worked on. A
    packet that stops in the middle is given up after the same time.

    Ports:
        data, arrived, broken  in        see uart_receiver()
        busy                   in   1    the packet before is worked on: none can be taken
        write                  out  1    a word of the payload has come
        write_addr             out  8    its place
        write_data             out  32   the word
        head                   out  32   the packet's header
        complete               out  1    a packet has come, for one cycle

    Parameters:
        timeout: cycles

    Timing: `complete` follows the last byte by one cycle. Bytes come 10 cycles after each other or more.
    """
    check_number("packet_receiver", 1, timeout=timeout)
    check_width("packet_receiver", BYTE_BITS, data=data, write_addr=write_addr)
    check_width("packet_receiver", WORD_BITS, write_data=write_data, head=head)
    byte_bits, word_bits, mark, last_cycle = BYTE_BITS, WORD_BITS, MARK, timeout - 1
    mark_low, length_low, last_byte = BYTE_BITS // 2, LENGTH_LOW, WORD_BITS // BYTE_BITS - 1

    skipping, wrong, ended, sums, restart = [Signal(bool(0)) for _ in range(5)]
    word_ends, is_head, is_checksum, is_payload, silent = [Signal(bool(0)) for _ in range(5)]
    silence = counter(timeout)
    byte_place = counter(WORD_BITS // BYTE_BITS)
    # Of the header, the payload and the checksum.
    word_place = counter(MAX_WORDS + 2)
    held, word = Signal(intbv(0)[WORD_BITS - BYTE_BITS :]), Signal(intbv(0)[WORD_BITS:])
    header_word, crc, summing = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:]), Signal(bool(0))
    length, last_place = Signal(intbv(0)[BYTE_BITS:]), counter(MAX_WORDS + 2)

    checksum = serial_crc32(clk, restart, sums, word, crc, summing)

    @always_comb
    def form_word():
        word.next = 0
        word.next[word_bits - byte_bits :] = held
        word.next[word_bits : word_bits - byte_bits] = data

    @always_comb
    def find_word():
        word_ends.next = arrived and not skipping and not busy and byte_place == last_byte
        length.next = header_word[word_bits:length_low]
        is_head.next = word_place == 0
        silent.next = silence == last_cycle

    @always_comb
    def find_last_place():
        last_place.next = length + 1

    @always_comb
    def find_place():
        is_checksum.next = word_place != 0 and word_place == last_place
        is_payload.next = word_place != 0 and word_place <= length

    @always_comb
    def find_end():
        ended.next = word_ends and is_checksum and word == crc and not summing
        wrong.next = (
            broken
            or (arrived and busy)
            or (arrived and is_head and byte_place == 0 and data[byte_bits:mark_low] != mark)
            or (word_ends and is_checksum and (word != crc or summing))
        )

    @always_comb
    def drive_sum():
        # Nothing between two packets leaves a trace in the checksum.
        restart.next = rst or (is_head and byte_place == 0)
        sums.next = word_ends and not is_checksum

    @always_comb
    def drive_output():
        write.next = word_ends and is_payload
        write_addr.next = 0
        if word_place != 0:
            write_addr.next = word_place - 1
        write_data.next = word
        head.next = header_word

    @always(clk.posedge)
    def measure_silence():
        if rst or arrived or broken:
            silence.next = 0
        elif not silent:
            silence.next = silence + 1

    @always(clk.posedge)
    def skip_bytes():
        # Power comes up in the middle of anything.
        if rst or wrong:
            skipping.next = True
        elif silent:
            skipping.next = False

    @always(clk.posedge)
    def collect_bytes():
        if arrived:
            held.next = word[word_bits:byte_bits]
        if word_ends and is_head:
            header_word.next = word
        complete.next = ended and not rst

    @always(clk.posedge)
    def advance_place():
        if rst or skipping or wrong or busy or ended:
            byte_place.next = 0
            word_place.next = 0
        elif arrived:
            if byte_place == last_byte:
                byte_place.next = 0
                word_place.next = word_place + 1
            else:
                byte_place.next = byte_place + 1
        elif silent:
            byte_place.next = 0
            word_place.next = 0

    return instances()
