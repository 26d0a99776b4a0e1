import random

import pytest
from myhdl import Signal, StopSimulation, delay, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.delay_line import delay_line
from duospike.rtl.errors import DesignError

BITS = 5


@pytest.mark.parametrize("places", [1, 2, 3, 8])
def test_words_come_back_in_order(place, places):
    clk, rst, keep = Signal(bool(0)), Signal(bool(1)), Signal(bool(0))
    word, delayed = Signal(intbv(0)[BITS:]), Signal(intbv(0)[BITS:])
    dut = place(
        delay_line, clk=clk, rst=rst if places > 1 else None, keep=keep, word=word, delayed=delayed, places=places
    )  # fmt: skip
    choose, kept, seen = random.Random(places), [], []

    def drive():
        for cycle in range(60):
            rst.next = cycle < 2
            keep.next, word.next = cycle >= 2 and choose.random() < 0.6, choose.getrandbits(BITS)
            yield delay(5)
            if len(kept) >= places:
                seen.append((int(delayed), kept[-places]))
            if keep:
                kept.append(int(word))
            clk.next = True
            yield delay(5)
            clk.next = False
        raise StopSimulation

    simulate(dut.instance, drive())
    assert len(seen) > 30
    assert [got for got, _ in seen] == [want for _, want in seen]


def test_refused():
    signals = [Signal(intbv(0)[BITS:]) for _ in range(2)]
    with pytest.raises(DesignError, match="delay_line: places 0"):
        delay_line(Signal(bool(0)), None, Signal(bool(0)), *signals, places=0)
