"""The lowest bit that is set: the choice of what comes next, wherever set bits are taken one by one."""

from myhdl import always_comb, block, instances, intbv

from .checks import check_width
from .stream import index_bits


@block
def lowest_one(flags, index, rest, is_last):
    """Finds the lowest set bit of a vector, and the others.

    Ports:
        flags    in   n bits
        index    out  number of the lowest bit that is set, 0 when none is
        rest     out  n bits, flags without that bit
        is_last  out  1       it is the last: at most one bit is set, and rest is 0
    """
    size = len(flags)
    check_width("lowest_one", index_bits(size), index=index)
    check_width("lowest_one", size, flags=flags, rest=rest)

    # Both in one process: a number made of more than one bit, for a moment, might be out of range.
    @always_comb
    def find_lowest():
        # A carry runs through in less time than a chain of gates. In VHDL a difference is signed.
        value = intbv(0, min=-(2**size), max=2**size)
        value[:] = flags
        value[:] = value & (value - 1)
        number = intbv(0)[len(index) :]
        number[:] = 0
        for k in range(size):
            if flags[k] and not value[k]:
                number[:] = number | k
        index.next = number
        rest.next = value[size:]

    # Not by `rest`: whole stages wait for it, and two bits of four are found in one LUT, without a carry.
    @always_comb
    def find_last():
        several = False
        in_group = False
        earlier = False
        for k in range(size):
            if flags[k]:
                if in_group:
                    several = True
                in_group = True
            if k % 4 == 3:
                if in_group and earlier:
                    several = True
                if in_group:
                    earlier = True
                in_group = False
        is_last.next = not (several or (in_group and earlier))

    return instances()
