"""The signals of an AXI4-Stream, and the width of its data."""

from myhdl import Signal, intbv

from .checks import check_number
from .errors import DesignError

MAX_DATA_BITS = 1024
"""What the DMA engines of the FPGA vendors take."""


class AxiStream:
    """An AXI4-Stream in packets: TVALID, TREADY, TDATA of `width` bits, TLAST on the last beat of a packet.

    All bytes of a beat count, so there is no TKEEP and no TSTRB.
    """

    def __init__(self, width: int):
        check_number("AxiStream", 1, width=width)
        self.tvalid = Signal(bool(0))
        self.tready = Signal(bool(0))
        self.tdata = Signal(intbv(0)[width:])
        self.tlast = Signal(bool(0))


def data_bits(bits: int) -> int:
    """Width of TDATA for a payload of `bits`: a power of two from 8 up, as DMA engines have it."""
    check_number("AXI4-Stream", 1, bits=bits)
    width = max(8, 1 << (bits - 1).bit_length())
    if width > MAX_DATA_BITS:
        raise DesignError(f"AXI4-Stream: beats of {bits} bits; allowed: up to {MAX_DATA_BITS}")
    return width
