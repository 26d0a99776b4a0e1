"""A neuron: one timestep of leaky integrate-and-fire."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import NEURON_KINDS, check_choice, check_number, check_signed
from .stream import signed


@block
def neuron(
    clk, charges, fires, current, theta, charged_theta, spike, potential=None, spiked=None, leaked=None, *,
    kind, multiplier, shift, potential_bits,
):  # fmt: skip
    """Takes one neuron through one timestep: v = potential + current, a spike if v > theta, then reset and leak.

    Two pipeline stages: one charges, the other compares, resets and leaks. leak(v) = (multiplier * v) >> shift. With
    subtract_delayed the reset of the timestep before is part of the charge.

    Ports:
        charges        in   1                         load the charged potential and its threshold at this edge
        fires          in   1                         load the spike and the leaked potential at this edge
        current        in   potential_bits or less    signed
        theta          in   potential_bits or less    signed; threshold of the charge
        charged_theta  out  as theta                  threshold of the charged potential
        spike          out  1                         after firing
        potential      in   potential_bits            signed; leaked in the timestep before, None: 0
        spiked         in   1                         with subtract_delayed and a potential: the spike of the timestep before
        leaked         out  potential_bits            signed; for the timestep that follows, None: there is none

    Parameters:
        kind: subtract, subtract_delayed or zero
        potential_bits: signed width that holds every potential, see Lif

    Timing: latency 2.

        charges              __/~~~\\_______
        potential, current   --|v  |-------
        charged potential    ------|v+a|---
        fires                ______/~~~\\___
        spike, leaked        ----------|s
    """
    check_choice("neuron", NEURON_KINDS, kind=kind)
    check_number("neuron", 0, shift=shift)
    check_number("neuron", 0, 2**shift, multiplier=multiplier)
    check_number("neuron", 1, potential_bits=potential_bits)
    check_number("neuron", 1, potential_bits, current_bits=len(current), theta_bits=len(theta))
    check_signed("neuron", len(current), current=current)
    check_signed("neuron", len(theta), theta=theta, charged_theta=charged_theta)
    resets_at_once, resets_to_zero = kind == "subtract", kind == "zero"
    low, high = -(2 ** (potential_bits - 1)), 2 ** (potential_bits - 1)
    product_low, product_high = low * max(multiplier, 1), high * max(multiplier, 1)
    charged, kept_theta = signed(potential_bits), signed(len(theta))
    crosses = Signal(bool(0))

    if potential is None:

        @always(clk.posedge)
        def charge():
            if charges:
                charged.next = current

    elif kind == "subtract_delayed":
        check_signed("neuron", potential_bits, potential=potential)

        @always(clk.posedge)
        def charge():
            v = intbv(0, min=low, max=high)
            if charges:
                v[:] = potential
                if spiked:
                    v[:] = v - theta
                charged.next = v + current

    else:
        check_signed("neuron", potential_bits, potential=potential)

        @always(clk.posedge)
        def charge():
            if charges:
                charged.next = potential + current

    @always(clk.posedge)
    def keep_theta():
        if charges:
            kept_theta.next = theta

    @always_comb
    def give_theta():
        charged_theta.next = kept_theta

    @always_comb
    def compare():
        crosses.next = charged > kept_theta

    @always(clk.posedge)
    def fire():
        if fires:
            spike.next = crosses

    if leaked is not None:
        check_signed("neuron", potential_bits, leaked=leaked)

        @always(clk.posedge)
        def reset_and_leak():
            v = intbv(0, min=low, max=high)
            product = intbv(0, min=product_low, max=product_high)
            if fires:
                v[:] = charged
                if crosses:
                    if resets_at_once:
                        v[:] = v - kept_theta
                    if resets_to_zero:
                        v[:] = 0
                # Widened first: in VHDL a product with a constant has the width of the other factor.
                product[:] = v
                product[:] = product * multiplier
                v[:] = product >> shift
                leaked.next = v

    return instances()
