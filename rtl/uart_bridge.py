"""The bridge from a serial line to the buses of an AXI shell."""

from myhdl import Signal, block, instances, intbv

from .axi_lite import WORD_BITS
from .axi_stream import data_bits
from .bridge_control import bridge_control
from .bus_master import bus_master
from .checks import check_width
from .memory import ram
from .packet_receiver import packet_receiver
from .packet_sender import packet_sender
from .packets import BYTE_BITS, MAX_WORDS, UNUSED_BITS
from .stream import Stream
from .uart_receiver import uart_receiver
from .uart_transmitter import uart_transmitter
from .word_beats import word_beats
from .word_bytes import word_bytes


@block
def uart_bridge(clk, rst, rxd, txd, bus, images, results, *, line):
    """Carries out the requests that come over a serial line, see packets.py: reads and writes registers, sends images, fetches
    results.

    Ports:
        rxd      in      1  from the host
        txd      out     1  to the host
        bus      master     AXI4-Lite
        images   source     an AXI stream of image packets
        results  sink       an AXI stream of result packets

    Parameters:
        line: a packets.Line

    Timing: a request is carried out once it has come whole, and its answer begins once it is carried out.
    """
    check_width("uart_bridge", WORD_BITS, results=results.tdata)
    check_width("uart_bridge", data_bits(len(images.tdata)), images=images.tdata)
    octet, head, word, value, answer_word, sent_word = [
        Signal(intbv(0)[bits:]) for bits in (BYTE_BITS, WORD_BITS, WORD_BITS, WORD_BITS, WORD_BITS, WORD_BITS)
    ]
    arrived, broken, busy, complete, stored, read = [Signal(bool(0)) for _ in range(6)]
    stored_addr, read_addr, answer_addr, sent_addr = [Signal(intbv(0)[BYTE_BITS:]) for _ in range(4)]
    stored_word, answer_head = Signal(intbv(0)[WORD_BITS:]), Signal(intbv(0)[WORD_BITS:])
    asks, writes, done, failed = [Signal(bool(0)) for _ in range(4)]
    address, unused = Signal(intbv(0)[len(bus.awaddr) :]), Signal(intbv(0)[UNUSED_BITS:])
    load, ending, restart, empty, answers, start, replying, sends = [Signal(bool(0)) for _ in range(8)]
    words, reply_octets = Stream(WORD_BITS), Stream(BYTE_BITS)

    receiver = uart_receiver(clk, rst, rxd, octet, arrived, broken, divider=line.divider)
    packets_in = packet_receiver(
        clk, rst, octet, arrived, broken, busy, stored, stored_addr, stored_word, head, complete, timeout=line.timeout
    )
    request = ram(clk, stored, stored_addr, stored_word, read, read_addr, word, depth=MAX_WORDS + 1)
    control = bridge_control(
        clk, rst, head, complete, busy, read, read_addr, word, asks, writes, address, done, value, failed, load, unused,
        ending, restart, empty, results, answers, answer_addr, answer_word, answer_head, start, replying, timeout=line.timeout,
    )  # fmt: skip
    master = bus_master(clk, rst, bus, asks, writes, address, word, done, value, failed)
    beats = word_beats(clk, rst, load, word, unused, ending, restart, empty, images)
    answer = ram(clk, answers, answer_addr, answer_word, sends, sent_addr, sent_word, depth=MAX_WORDS + 1)
    packets_out = packet_sender(clk, rst, start, answer_head, sends, sent_addr, sent_word, replying, words)
    bytes_out = word_bytes(clk, rst, words, reply_octets)
    transmitter = uart_transmitter(clk, rst, reply_octets, txd, divider=line.divider)

    return instances()
