import random

import pytest
from myhdl import Signal, StopSimulation, delay

from duospike.cosim.conversion.simulation import simulate
from duospike.reference.network import RESETS
from duospike.rtl.neuron import neuron
from duospike.rtl.stream import signed

BITS, THETA_BITS, CURRENT_BITS = 8, 5, 6
MULTIPLIER, SHIFT = 5, 3


def step(kind, v, spiked, current, theta):
    """Spike, and potential after reset and leak, by the neuron's equation on Python integers."""
    v = v - theta * spiked + current if kind == "subtract_delayed" else v + current
    spike = v > theta
    if kind == "subtract":
        v -= theta * spike
    elif kind == "zero":
        v *= not spike
    return spike, MULTIPLIER * v // 2**SHIFT


@pytest.mark.parametrize("kind", RESETS)
def test_one_timestep_of_a_neuron(place, kind):
    """Inputs that change in every cycle, of which only those at a charge count; some in a row, some with cycles between."""
    clk, charges, fires, spike, spiked = [Signal(bool(0)) for _ in range(5)]
    current, potential, leaked = signed(CURRENT_BITS), signed(BITS), signed(BITS)
    theta, charged_theta = signed(THETA_BITS), signed(THETA_BITS)
    ports = {"spiked": spiked} if kind == "subtract_delayed" else {}
    device = place(
        neuron, clk=clk, charges=charges, fires=fires, current=current, theta=theta, charged_theta=charged_theta, spike=spike,
        potential=potential, leaked=leaked, reset=kind, multiplier=MULTIPLIER, shift=SHIFT, potential_bits=BITS, **ports,
    )  # fmt: skip
    choose, seen, expected = random.Random(kind), [], []

    def bench():
        taken = [None, None]
        for cycle in range(200):
            inputs = choose.randint(-70, 70), choose.random() < 0.5, choose.randint(-32, 31), choose.randint(-16, 15)
            potential.next, spiked.next, current.next, theta.next = inputs
            charges.next = begins = cycle < 198 and choose.random() < 0.7
            fires.next = taken[-1] is not None
            taken = [*taken[-1:], inputs if begins else None]
            yield delay(5)
            clk.next = True
            yield delay(5)
            if begins:
                assert int(charged_theta) == inputs[3]
            if fires:
                seen.append((bool(spike), int(leaked)))
                expected.append(step(kind, *taken[0]))
            clk.next = False
        raise StopSimulation

    simulate(device.instance, bench())
    assert seen == expected
    assert len(seen) > 100 and {spike for spike, _ in seen} == {False, True}
