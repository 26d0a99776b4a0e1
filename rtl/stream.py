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

from .checks import check_choice, check_number, check_width
from .errors import DesignError


class Stream:
    """The signals of one stream.

    valid: 1 bit, driven by the source. ready: 1 bit, driven by the sink. data: `width` bits, driven by the source.
    """

    def __init__(self, width: int):
        check_number("Stream", 1, width=width)
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
def take_field(vector, part, *, low, high, is_signed):
    check_number("take_field", 0, low=low)
    check_number("take_field", low + 1, len(vector), high=high)
    check_choice("take_field", (False, True), is_signed=is_signed)
    if is_signed:

        @always_comb
        def slice_vector():
            part.next = vector[high:low].signed()

    else:

        @always_comb
        def slice_vector():
            part.next = vector[high:low]

    return slice_vector


@block
def take_whole(vector, part, *, low, high):
    check_width("take_whole", (high - low - 1).bit_length(), vector=vector)

    @always_comb
    def slice_vector():
        value = intbv(0, min=low, max=high)
        value[:] = vector.signed()
        part.next = value

    return slice_vector


@block
def take_bit(vector, part, *, index):
    check_number("take_bit", 0, len(vector) - 1, index=index)

    @always_comb
    def slice_vector():
        part.next = vector[index]

    return slice_vector


def check_fields(where: str, parts, vector):
    """Refuse fields that are not all of one width and sign, or do not fill a vector."""
    check_number(where, 1, parts=len(parts))
    kinds = {(len(part), part.min is None, (part.min or 0) < 0) for part in parts}
    if len(kinds) > 1:
        raise DesignError(f"{where}: parts of {len(kinds)} kinds; allowed: one width and sign for all")
    check_width(where, len(parts) * len(parts[0]), vector=vector)


@block
def unpack(vector, parts):
    """Split a vector into equal fields, the lowest first.

    MyHDL's own shadow slices lose their value in Verilog when they are elements of a list.

    Ports:
        vector  in   len(parts) * width bits
        parts   out  list of signals of `width` bits each, signed or unsigned, or of single bits
    """
    check_fields("unpack", parts, vector)
    width = len(parts[0])
    if parts[0].max is None:
        return [take_bit(vector, parts[i], index=i) for i in range(len(parts))]
    is_signed = parts[0].min < 0
    if is_signed and len(parts) == 1:
        # A process: Icarus 11 aborts on `assign parts[0] = $signed(vector)`.
        return take_whole(vector, parts[0], low=parts[0].min, high=parts[0].max)
    return [take_field(vector, parts[i], low=i * width, high=(i + 1) * width, is_signed=is_signed) for i in range(len(parts))]


@block
def pack(parts, vector):
    """Join fields to a vector, the first in the lowest bits.

    Ports:
        parts   in   list of signals of `width` bits each, or of single bits
        vector  out  len(parts) * width bits
    """
    check_fields("pack", parts, vector)
    width = len(parts[0])
    first = parts[0]
    if len(parts) == 1 and first.max is None:

        @always_comb
        def join_fields():
            vector.next = first

    elif len(parts) == 1:

        @always_comb
        def join_fields():
            vector.next = first[width:]

    else:
        joined = ConcatSignal(*reversed(parts))

        @always_comb
        def join_fields():
            vector.next = joined

    return join_fields
