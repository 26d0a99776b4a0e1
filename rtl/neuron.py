"""A neuron: one timestep of leaky integrate-and-fire."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import RESETS, check_choice, check_number, check_signed, check_width
from .errors import DesignError
from .leak import leak
from .stream import index_bits, signed


def check_numbers(reset: str, multiplier: int, shift: int, potential_bits: int, current, theta, **potentials):
    """Refuse a reset and a leak that no neuron has, and ports that do not fit to its potential. Ports may be None."""
    check_choice("neuron", RESETS, reset=reset)
    check_number("neuron", 0, shift=shift)
    check_number("neuron", 0, 2**shift, multiplier=multiplier)
    check_number("neuron", 1, potential_bits=potential_bits)
    check_number("neuron", 1, potential_bits, current_bits=len(current))
    check_signed("neuron", len(current), current=current)
    check_signed("neuron", potential_bits, **{name: port for name, port in potentials.items() if port is not None})
    if theta is not None:
        check_number("neuron", 1, potential_bits, theta_bits=len(theta))
        check_signed("neuron", len(theta), theta=theta)


@block
def neuron(
    clk, charges, fires, current, theta=None, carried_theta=None, spike=None, potential=None, spiked=None, leaked=None,
    factor=None, carried_factor=None, membrane=None, *, reset, multiplier, shift, potential_bits,
):  # fmt: skip
    """Takes one neuron through one timestep: v = potential + current, a spike if v > theta, then reset and leak.

    Two pipeline stages: one charges, the other compares, resets and leaks. leak(v) = (multiplier * v) >> shift. With
    subtract_delayed the reset of the timestep before is part of the charge. None stands for a port that nobody needs.

    Ports:
        charges         in   1                         load the charged potential and what comes with it at this edge
        fires           in   1                         load all outputs except `membrane` at this edge; None: there are none
        current         in   potential_bits or less    signed
        theta           in   potential_bits or less    signed; threshold of the charge; None: no spike matters
        carried_theta   out  as theta                  threshold of the fired potential, for the timestep that follows
        spike           out  1                         after firing
        potential       in   potential_bits            signed; leaked in the timestep before, None: 0
        spiked          in   1                         with subtract_delayed and a potential: the spike of the timestep before
        leaked          out  potential_bits            signed; for the timestep that follows, None: there is none
        factor          in   as multiplier             multiplier of the charge's own, up to `multiplier`; None: `multiplier`
        carried_factor  out  as multiplier             factor of the fired potential, for the timestep that follows
        membrane        out  potential_bits            signed; the charged potential, before its reset

    Parameters:
        reset: subtract, subtract_delayed, zero or none
        multiplier: of the leak, or the largest that `factor` may be
        potential_bits: signed width that holds every potential, see Lif

    Timing: latency 2.

        charges              __/~~~\\_______
        potential, current   --|v  |-------
        charged potential    ------|v+a|---
        fires                ______/~~~\\___
        spike, leaked        ----------|s
    """
    check_numbers(
        reset, multiplier, shift, potential_bits, current, theta, potential=potential, leaked=leaked, membrane=membrane
    )
    resets = leaked is not None and reset in ("subtract", "zero")
    needs_spike = reset == "subtract_delayed" and potential is not None
    if (spiked is None) == needs_spike or (theta is None and (needs_spike or resets or spike is not None)):
        raise DesignError("neuron: a threshold or a spike is missing; allowed: both where the reset needs them")
    low, high = -(2 ** (potential_bits - 1)), 2 ** (potential_bits - 1)
    charged, crosses = signed(potential_bits), Signal(bool(0))
    remaining, kept_factor = signed(potential_bits) if resets else charged, None

    if potential is None:

        @always(clk.posedge)
        def charge():
            if charges:
                charged.next = current

    elif spiked is not None:

        @always(clk.posedge)
        def charge():
            v = intbv(0, min=low, max=high)
            if charges:
                v[:] = potential
                if spiked:
                    v[:] = v - theta
                charged.next = v + current

    else:

        @always(clk.posedge)
        def charge():
            if charges:
                charged.next = potential + current

    if resets or spike is not None or carried_theta is not None:
        kept_theta = signed(len(theta))

        @always(clk.posedge)
        def keep_theta():
            if charges:
                kept_theta.next = theta

    if carried_theta is not None:
        check_signed("neuron", len(theta), carried_theta=carried_theta)

        @always(clk.posedge)
        def carry_theta():
            if fires:
                carried_theta.next = kept_theta

    if resets or spike is not None:

        @always_comb
        def compare():
            crosses.next = charged > kept_theta

    if spike is not None:

        @always(clk.posedge)
        def fire():
            if fires:
                spike.next = crosses

    if resets and reset == "subtract":

        @always_comb
        def reset_potential():
            remaining.next = charged
            if crosses:
                remaining.next = charged - kept_theta

    elif resets:

        @always_comb
        def reset_potential():
            remaining.next = charged
            if crosses:
                remaining.next = 0

    if factor is not None:
        check_width("neuron", index_bits(multiplier + 1), factor=factor)
        kept_factor = Signal(intbv(0)[len(factor) :])

        @always(clk.posedge)
        def keep_factor():
            if charges:
                kept_factor.next = factor

    if carried_factor is not None:
        check_width("neuron", len(factor), carried_factor=carried_factor)

        @always(clk.posedge)
        def carry_factor():
            if fires:
                carried_factor.next = kept_factor

    if membrane is not None:

        @always_comb
        def give_membrane():
            membrane.next = charged

    if leaked is not None:
        leak_potential = leak(clk, fires, remaining, leaked, kept_factor, multiplier=multiplier, shift=shift)

    return instances()
