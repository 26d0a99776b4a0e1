import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.group_walk import group_walk


@pytest.mark.parametrize(("columns", "groups"), [(1, 1), (1, 3), (4, 1), (3, 5)])
def test_names_the_group_of_the_next_beat(place, columns, groups):
    clk, rst, advance = (Signal(bool(0)) for _ in range(3))
    next_group = Signal(intbv(0, min=0, max=max(groups, 2)))
    dut = place(group_walk, clk=clk, rst=rst, advance=advance, next_group=next_group, columns=columns, groups=groups)
    choose, seen, expected = random.Random(columns * groups), [], []

    def drive():
        beats = 0
        for cycle in range(100):
            # A second reset in the middle of a row.
            rst.next = in_reset = cycle < 2 or cycle == 60
            advance.next = moves = choose.random() < 0.7
            beats = 0 if in_reset else beats + moves
            yield delay(5)
            seen.append(int(next_group))
            expected.append(beats // columns % groups)
            clk.next = True
            yield delay(5)
            clk.next = False
        raise StopSimulation

    simulate(dut.instance, drive())
    assert seen == expected and len(seen) == 100
    assert max(seen) == groups - 1
