"""The stream: the one interface between blocks, and the helpers that pack its payload.

Rules, for every stream of the design:

1. A transfer happens at a rising clock edge at which `valid` and `ready` are both high.
2. Once `valid` is high it stays high, and the payload does not change, until the transfer.
3. `valid` never waits for `ready`.
4. `ready` may rise and fall as it likes.

A **spike stream** carries in each beat the spikes of `lanes` channels of one pixel for all timesteps, bit
`lane * timesteps + t`, in the order frame, row, channel group, column. Lanes of the last group beyond the last channel
are always 0.
"""

from myhdl import ConcatSignal, Signal, always_comb, block, intbv

from .errors import DesignError


class Stream:
    """The signals of one stream.

    valid: 1 bit, driven by the source. ready: 1 bit, driven by the sink. data: `width` bits, driven by the source.
    """

    def __init__(self, width: int):
        self.valid = Signal(bool(0))
        self.ready = Signal(bool(0))
        self.data = Signal(intbv(0)[width:])


def index_bits(count: int) -> int:
    """Width of an index 0 .. count - 1, at least one bit."""
    return max(1, (count - 1).bit_length())


def groups_of(channels: int, lanes: int) -> int:
    """Number of channel groups of `lanes` channels each; the last may be incomplete."""
    return -(-channels // lanes)


def check_lanes(name: str, lanes: int, channels: int):
    """Refuse a number of lanes that a layer of `channels` outputs cannot have."""
    if not 1 <= lanes <= channels:
        raise DesignError(f"layer {name}: {lanes} lanes; allowed: 1 to {channels}, its number of outputs")


def counter(count: int, value: int = 0):
    """A register for 0 .. count - 1."""
    return Signal(intbv(value, min=0, max=max(count, 2)))


def signed(width: int):
    """A two's complement signal of `width` bits."""
    return Signal(intbv(0, min=-(2 ** (width - 1)), max=2 ** (width - 1)))


@block
def take_field(vector, part, low, high, is_signed):
    if is_signed:

        @always_comb
        def take():
            part.next = vector[high:low].signed()

    else:

        @always_comb
        def take():
            part.next = vector[high:low]

    return take


@block
def take_whole(vector, part, low, high):
    @always_comb
    def take():
        value = intbv(0, min=low, max=high)
        value[:] = vector.signed()
        part.next = value

    return take


@block
def take_bit(vector, part, index):
    @always_comb
    def take():
        part.next = vector[index]

    return take


@block
def unpack(vector, parts):
    """Split a vector into equal fields, the lowest first.

    MyHDL's own shadow slices lose their value in Verilog when they are elements of a list.

    Ports:
        vector  in   len(parts) * width bits
        parts   out  list of signals of `width` bits each, signed or unsigned, or of single bits
    """
    width = len(parts[0])
    if parts[0].max is None:
        return [take_bit(vector, parts[i], i) for i in range(len(parts))]
    is_signed = parts[0].min < 0
    if is_signed and len(parts) == 1:
        # A process: Icarus 11 aborts on `assign parts[0] = $signed(vector)`.
        return take_whole(vector, parts[0], parts[0].min, parts[0].max)
    return [take_field(vector, parts[i], i * width, (i + 1) * width, is_signed) for i in range(len(parts))]


@block
def pack(parts, vector):
    """Join fields to a vector, the first in the lowest bits.

    Ports:
        parts   in   list of signals of `width` bits each, or of single bits
        vector  out  len(parts) * width bits
    """
    width = len(parts[0])
    first = parts[0]
    if len(parts) == 1 and first.max is None:

        @always_comb
        def combine():
            vector.next = first

    elif len(parts) == 1:

        @always_comb
        def combine():
            vector.next = first[width:]

    else:
        joined = ConcatSignal(*reversed(parts))

        @always_comb
        def combine():
            vector.next = joined

    return combine
