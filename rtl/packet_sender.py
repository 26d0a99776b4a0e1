"""The sender of packets: header, payload from a memory, checksum."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_width
from .packets import BYTE_BITS, LENGTH_LOW, MAX_WORDS, WORD_BITS
from .serial_crc32 import serial_crc32
from .stream import counter


@block
def packet_sender(clk, rst, start, head, read, read_addr, read_data, active, dst):
    """Sends a packet: its header, as many words of a memory as the header says, and the checksum of these.

    Ports:
        start      in      1   send a packet; none is under way
        head       in      32  its header, until it is sent
        read       out     1   read the memory at this edge
        read_addr  out     8   place of the word
        read_data  in      32  the word, one cycle later
        active     out     1   a packet is under way
        dst        source  32  the words

    Timing: the first word comes 2 cycles after `start`, each of the others 34 cycles after the one before was taken.
    """
    check_width("packet_sender", WORD_BITS, head=head, read_data=read_data, dst=dst.data)
    check_width("packet_sender", BYTE_BITS, read_addr=read_addr)
    word_bits, length_low = WORD_BITS, LENGTH_LOW
    sending, full, sums, restart, summing, is_checksum = [Signal(bool(0)) for _ in range(6)]
    place = counter(MAX_WORDS + 2)
    length, last_place = Signal(intbv(0)[BYTE_BITS:]), counter(MAX_WORDS + 2)
    word, crc = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:])

    checksum = serial_crc32(clk, restart, sums, word, crc, summing)

    @always_comb
    def find_place():
        length.next = head[word_bits:length_low]

    @always_comb
    def find_last_place():
        last_place.next = length + 1

    @always_comb
    def find_checksum():
        is_checksum.next = place != 0 and place == last_place

    @always_comb
    def select_word():
        if place == 0:
            word.next = head
        elif is_checksum:
            word.next = crc
        else:
            word.next = read_data

    @always_comb
    def drive_sum():
        restart.next = not sending
        sums.next = full and dst.ready and not is_checksum

    @always_comb
    def drive_output():
        active.next = sending
        dst.valid.next = full
        dst.data.next = word
        read.next = sending and not full
        read_addr.next = 0
        if place != 0:
            read_addr.next = place - 1

    @always(clk.posedge)
    def advance_place():
        if rst:
            sending.next = False
            full.next = False
        elif not sending:
            sending.next = start
            full.next = False
            place.next = 0
        elif not full:
            full.next = not summing
        elif dst.ready:
            full.next = False
            if is_checksum:
                sending.next = False
            else:
                place.next = place + 1

    return instances()
