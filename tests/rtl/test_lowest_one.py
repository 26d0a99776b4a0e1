import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.lowest_one import lowest_one
from duospike.rtl.stream import counter


@pytest.mark.parametrize("size", [1, 2, 3, 7, 33])
def test_finds_the_lowest_and_keeps_the_others(place, size):
    """Every vector of few bits, and random ones of many, with few bits set and with all."""
    flags, index, rest, is_last = Signal(intbv(0)[size:]), counter(size), Signal(intbv(0)[size:]), Signal(bool(0))
    dut = place(lowest_one, flags=flags, index=index, rest=rest, is_last=is_last)
    choose = random.Random(size)
    few = [choose.getrandbits(size) & choose.getrandbits(size) & choose.getrandbits(size) for _ in range(50)]
    pairs = [1 << i | 1 << k for i in range(size) for k in range(i + 1)]
    vectors = list(range(2**size)) if size < 8 else [0, 2**size - 1, *pairs, *few]
    seen = []

    def bench():
        for vector in vectors:
            flags.next = vector
            yield delay(10)
            seen.append((int(index), int(rest), bool(is_last)))
        raise StopSimulation

    simulate(dut.instance, bench())
    ones = [[k for k in range(size) if vector >> k & 1] for vector in vectors]
    assert seen == [(places[0] if places else 0, sum(1 << k for k in places[1:]), len(places) < 2) for places in ones]
