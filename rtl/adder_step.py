"""One pipelined step of an adder tree."""

from myhdl import always, block, instances, intbv

from .checks import check_number, check_width
from .stream import pack, signed, unpack

FAN_IN = 4
"""Terms that one step adds: two adders, one after the other, go into a cycle."""


@block
def adder_step(clk, step, terms, sums, *, lanes, groups, padded, bits):
    """Adds the terms of each lane by fours.

    Ports:
        step   in   1  load the sums at this edge
        terms  in   lanes * groups * FAN_IN fields of `bits`, signed, lane by lane
        sums   out  lanes * padded fields of `bits`: of each lane the sum of each group, then zeros; a cycle later

    Parameters:
        padded: fields for each lane in `sums`, `groups` or more, so that the next step has whole groups
    """
    check_number("adder_step", 1, lanes=lanes, groups=groups, bits=bits)
    check_number("adder_step", groups, padded=padded)
    check_width("adder_step", lanes * groups * FAN_IN * bits, terms=terms)
    check_width("adder_step", lanes * padded * bits, sums=sums)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1)
    fields = [signed(bits) for _ in range(lanes * groups * FAN_IN)]
    totals = [signed(bits) for _ in range(lanes * padded)]
    term_fields = unpack(terms, fields)
    sum_fields = pack(totals, sums)

    @always(clk.posedge)
    def add_terms():
        left = intbv(0, min=low, max=high)
        right = intbv(0, min=low, max=high)
        if step:
            for p in range(lanes):
                for g in range(padded):
                    totals[p * padded + g].next = 0
                for g in range(groups):
                    left[:] = fields[(p * groups + g) * FAN_IN] + fields[(p * groups + g) * FAN_IN + 1]
                    right[:] = fields[(p * groups + g) * FAN_IN + 2] + fields[(p * groups + g) * FAN_IN + 3]
                    totals[p * padded + g].next = left + right

    return instances()
