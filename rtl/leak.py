"""The leak of a potential."""

from myhdl import always, block, instances, intbv

from .checks import check_number, check_signed, check_width
from .stream import index_bits


@block
def leak(clk, fires, remaining, leaked, factor=None, *, multiplier, shift):
    """leaked = (m * remaining) >> shift, rounded down. It is a part of its neuron's module.

    Ports:
        fires      in   1              load the leaked potential at this edge
        remaining  in   width          signed; the potential, its reset done
        leaked     out  width          signed; m is at most 2**shift, so that it is no wider
        factor     in   as multiplier  m, up to `multiplier`; None: m is `multiplier`

    Parameters:
        multiplier: m, or the largest that `factor` may be
        shift: 2**shift divides

    Timing: latency 1.
    """
    check_number("leak", 0, shift=shift)
    check_number("leak", 0, 2**shift, multiplier=multiplier)
    check_signed("leak", len(remaining), remaining=remaining, leaked=leaked)
    product_low, product_high = remaining.min * max(multiplier, 1), remaining.max * max(multiplier, 1)

    if factor is None:

        @always(clk.posedge)
        def multiply_and_shift():
            product = intbv(0, min=product_low, max=product_high)
            if fires:
                # Widened first: in VHDL a product with a constant has the width of the other factor.
                product[:] = remaining
                product[:] = product * multiplier
                leaked.next = product >> shift

    else:
        check_width("leak", index_bits(multiplier + 1), factor=factor)

        @always(clk.posedge)
        def multiply_and_shift():
            product = intbv(0, min=product_low, max=product_high)
            if fires:
                product[:] = remaining * factor
                leaked.next = product >> shift

    return instances()
