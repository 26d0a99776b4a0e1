"""What a read-out of potentials gets of a neuron in one timestep."""

from myhdl import always, block, instances

from .checks import check_signed
from .stream import signed


@block
def membrane_value(clk, fires, charged, value, charges=None, earlier=None):
    """The potential of a timestep, or the largest up to it.

    Ports:
        fires    in   1      as of the neuron() beside it; load `value` at this edge
        charged  in   width  signed; the potential that neuron() has charged
        value    out  width  signed; `charged`, or `earlier` if that is higher
        charges  in   1      as of the neuron(); load `earlier` at this edge
        earlier  in   width  signed; value of the timestep before; None, as `charges`: `charged` alone counts

    Timing: latency 2, as neuron():

        charges  __/~~~\\_______
        earlier  --|m  |-------
        charged  ------|v  |---
        fires    ______/~~~\\___
        value    ----------|max
    """
    check_signed("membrane_value", len(value), charged=charged, value=value)

    if earlier is None:

        @always(clk.posedge)
        def give_value():
            if fires:
                value.next = charged

    else:
        check_signed("membrane_value", len(value), earlier=earlier)
        kept = signed(len(value))

        @always(clk.posedge)
        def keep_earlier():
            if charges:
                kept.next = earlier

        @always(clk.posedge)
        def give_value():
            if fires:
                value.next = charged
                if kept > charged:
                    value.next = kept

    return instances()
