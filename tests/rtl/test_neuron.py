import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.checks import RESETS
from duospike.rtl.neuron import neuron
from duospike.rtl.stream import signed

BITS, THETA_BITS, CURRENT_BITS = 8, 5, 6
MULTIPLIER, SHIFT = 5, 3


def step(kind, v, spiked, current, theta, multiplier):
    """Spike, the charged potential, and that after reset and leak, by the neuron's equation on Python integers."""
    v = v - theta * spiked + current if kind == "subtract_delayed" else v + current
    spike, charged = v > theta, v
    if kind == "subtract":
        v -= theta * spike
    elif kind == "zero":
        v *= not spike
    return spike, charged, multiplier * v // 2**SHIFT


@pytest.mark.parametrize("kind", RESETS)
@pytest.mark.parametrize("varied", [False, True])
def test_one_timestep_of_a_neuron(place, kind, varied):
    """Inputs that change in every cycle, of which only those at a charge count; some in a row, some with cycles between, in
    which nothing that leaves changes.

    varied: the multiplier is one of them.
    """
    clk, charges, fires, spike, spiked = [Signal(bool(0)) for _ in range(5)]
    current, potential, leaked, membrane = signed(CURRENT_BITS), signed(BITS), signed(BITS), signed(BITS)
    theta, carried_theta = signed(THETA_BITS), signed(THETA_BITS)
    factor, carried_factor = [Signal(intbv(0)[MULTIPLIER.bit_length() :]) for _ in range(2)]
    ports = {"spiked": spiked} if kind == "subtract_delayed" else {}
    ports |= {"factor": factor, "carried_factor": carried_factor} if varied else {}
    device = place(
        neuron, clk=clk, charges=charges, fires=fires, current=current, theta=theta, carried_theta=carried_theta, spike=spike,
        potential=potential, leaked=leaked, membrane=membrane, reset=kind, multiplier=MULTIPLIER, shift=SHIFT,
        potential_bits=BITS, **ports,
    )  # fmt: skip
    choose, seen, expected, changed = random.Random(kind), [], [], []

    def outputs():
        return int(spike), int(leaked), int(carried_theta), int(carried_factor)

    def bench():
        taken, charged = [None, None], []
        for cycle in range(200):
            inputs = choose.randint(-70, 70), choose.random() < 0.5, choose.randint(-32, 31), choose.randint(-16, 15)
            potential.next, spiked.next, current.next, theta.next = inputs
            factor.next = own = choose.randint(0, MULTIPLIER)
            charges.next = begins = cycle < 198 and choose.random() < 0.7
            fires.next = taken[-1] is not None
            taken = [*taken[-1:], (*inputs, own if varied else MULTIPLIER) if begins else None]
            yield delay(5)
            before = outputs(), int(membrane)
            clk.next = True
            yield delay(5)
            if seen and not fires and outputs() != before[0]:
                changed.append(f"cycle {cycle}: {outputs()} after {before[0]}")
            if charged and not begins and int(membrane) != before[1]:
                changed.append(f"cycle {cycle}: membrane {int(membrane)} after {before[1]}")
            if fires:
                seen.append((bool(spike), charged[-1], int(leaked), int(carried_theta), int(carried_factor) if varied else 0))
                expected.append((*step(kind, *taken[0]), taken[0][3], taken[0][4] if varied else 0))
            if begins:
                charged.append(int(membrane))
            clk.next = False
        raise StopSimulation

    simulate(device.instance, bench())
    assert (seen, changed) == (expected, [])
    assert len(seen) > 100 and {spike for spike, *_ in seen} == {False, True}
