"""Ports that a user's own block may have: they keep their value through the hierarchy, in every simulator."""

import pytest
from myhdl import ConcatSignal, ResetSignal, Signal, StopSimulation, always, always_seq, block, delay, intbv

from duospike.cosim.conversion.simulation import simulate


@block
def keep(clk, value, q):
    @always(clk.posedge)
    def take():
        q.next = value

    return take


@block
def keep_joined(clk, low, high, q):
    """A child that takes a joined vector, which nothing in its parent reads."""
    joined = ConcatSignal(high, low)
    child = keep(clk, joined, q)
    return child


@block
def count(clk, reset, q):
    @always_seq(clk.posedge, reset=reset)
    def step():
        q.next = q + 1

    return step


def run(device, clk, cycles, look):
    """What look(cycle) gives before each edge."""
    seen = []

    def bench():
        for cycle in range(cycles):
            seen.append(look(cycle))
            yield delay(5)
            clk.next = True
            yield delay(5)
            clk.next = False
            yield delay(1)
        raise StopSimulation

    simulate(device.instance, bench())
    return seen


def test_a_joined_vector_reaches_a_child(place):
    clk, low, high, q = Signal(bool(0)), Signal(intbv(0)[3:]), Signal(intbv(0)[2:]), Signal(intbv(0)[5:])
    device = place(keep_joined, clk=clk, low=low, high=high, q=q)

    def look(cycle):
        low.next, high.next = cycle % 8, cycle % 3
        return int(q)

    seen = run(device, clk, 12, look)
    assert seen[1:] == [cycle % 3 * 8 + cycle % 8 for cycle in range(11)]


@pytest.mark.parametrize(("active", "isasync"), [(1, False), (0, False), (1, True), (0, True)])
def test_a_reset_signal_keeps_its_kind(place, active, isasync):
    clk, q = Signal(bool(0)), Signal(intbv(0, min=0, max=64))
    reset = ResetSignal(active, active=active, isasync=isasync)
    device = place(count, clk=clk, reset=reset, q=q)

    def look(cycle):
        reset.next = active if cycle in (0, 1, 6) else not active
        return int(q)

    seen = run(device, clk, 10, look)
    assert seen[2:7] == [0, 1, 2, 3, 4]
    assert seen[7:] == [0, 1, 2]
