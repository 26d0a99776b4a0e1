import random
from collections import deque

import pytest
from myhdl import Signal

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.fifo import fifo
from duospike.rtl.stream import Stream
from tests.benches.stream_bench import STALLS, run_stream
from tests.rtl.test_memory import clocked

WORDS = random.Random(1).choices(range(2**9), k=120)
DEPTHS = [1, 2, 3, 4, 5, 7, 16]


def pass_through(place, depth, stalls=(0, 0)):
    return run_stream(place, fifo, WORDS, widths=(9, 9), expected=len(WORDS), stalls=stalls, counted=False, depth=depth)


class Queue:
    """A queue of `depth` words, by a list: what a fifo shows in a cycle, and what it is after it."""

    def __init__(self, depth):
        self.depth, self.words = depth, deque()

    @property
    def ready(self):
        return len(self.words) < self.depth

    @property
    def head(self):
        return self.words[0] if self.words else None

    def clock(self, rst, offered, taken):
        """The words after an edge. offered: the word at src, None without one. taken: dst is ready."""
        ready = self.ready
        if taken and self.words:
            self.words.popleft()
        if offered is not None and ready:
            self.words.append(offered)
        if rst:
            self.words.clear()


@pytest.mark.parametrize("depth", DEPTHS)
def test_each_cycle_is_that_of_a_list(place, depth):
    """Times of a fast source and of a fast sink follow each other, so that it is full and empty often; resets come between."""
    clk, rst, src, dst = Signal(bool(0)), Signal(bool(1)), Stream(9), Stream(9)
    device = place(fifo, clk=clk, rst=rst, src=src, dst=dst, depth=depth)
    choose, queue, levels, inputs = random.Random(depth), Queue(depth), set(), (True, None, False)
    seen, expected = [], []

    def step(cycle):
        nonlocal inputs
        if cycle:
            queue.clock(*inputs)
            levels.add(len(queue.words))
            expected.append((queue.ready, queue.head))
            seen.append((bool(src.ready), int(dst.data) if dst.valid else None))
        filling = cycle // 40 % 2 == 0
        word, valid = choose.getrandbits(9), choose.random() < (0.9 if filling else 0.2)
        inputs = cycle < 2 or choose.random() < 0.01, word if valid else None, choose.random() < (0.2 if filling else 0.9)
        rst.next, src.valid.next, src.data.next, dst.ready.next = inputs[0], valid, word, inputs[2]

    simulate(device.instance, clocked(clk, step, 800))
    assert seen == expected and len(seen) == 800
    assert levels == set(range(depth + 1))


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("depth", [1, 2, 3, 16])
def test_nothing_is_lost_doubled_or_reordered(place, depth, stalls):
    assert pass_through(place, depth, stalls).beats == WORDS


@pytest.mark.parametrize(("depth", "cycles_a_word"), [(1, 2), (2, 1), (3, 1), (16, 1)])
def test_throughput(place, depth, cycles_a_word):
    run = pass_through(place, depth)
    assert run.cycles[0] - run.sent[0] == 1
    assert run.cycles[-1] - run.cycles[0] == (len(WORDS) - 1) * cycles_a_word
