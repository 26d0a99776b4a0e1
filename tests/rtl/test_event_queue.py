import random

import pytest

from duospike.rtl.event_queue import event_queue
from tests.benches.stream_bench import STALLS, run_stream

WORDS = random.Random(1).choices(range(2**9), k=120)


def pass_through(place, depth, stalls=(0, 0)):
    return run_stream(place, event_queue, WORDS, widths=(9, 9), expected=len(WORDS), stalls=stalls, counted=False, depth=depth)


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("depth", [1, 2, 3, 16])
def test_nothing_is_lost_doubled_or_reordered(place, depth, stalls):
    assert pass_through(place, depth, stalls).beats == WORDS


@pytest.mark.parametrize(("depth", "cycles_a_word"), [(1, 2), (2, 1), (3, 1), (16, 1)])
def test_throughput(place, depth, cycles_a_word):
    run = pass_through(place, depth)
    assert run.cycles[0] - run.sent[0] == 1
    assert run.cycles[-1] - run.cycles[0] == (len(WORDS) - 1) * cycles_a_word


@pytest.mark.parametrize("depth", [1, 2, 3, 16])
def test_holds_depth_words(place, depth):
    """Before the sink takes the first word the source has got rid of all that fit."""
    run = run_stream(
        place, event_queue, WORDS, widths=(9, 9), expected=len(WORDS), stalls=(0, 0.97), counted=False, depth=depth, seed=11
    )
    inside = [sum(sent < cycle for sent in run.sent) - i for i, cycle in enumerate(run.cycles)]
    assert max(inside) == depth
