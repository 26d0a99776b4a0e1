import pytest

from duospike.rtl.event_queue import event_queue
from duospike.rtl.scanner import event_width
from tests.benches.event_model import event_words, expected_events, random_spikes
from tests.benches.stream_bench import run_stream

CHANNELS, TIMESTEPS = 5, 2
WIDTH = event_width(CHANNELS, TIMESTEPS)
EVENTS = event_words(expected_events(random_spikes(3, TIMESTEPS, CHANNELS, 3, 4), 1, 0, 2), CHANNELS, TIMESTEPS)


def pass_through(place, depth, stalls, seed=0):
    return run_stream(
        place, event_queue, EVENTS, widths=(WIDTH, WIDTH), expected=len(EVENTS), stalls=stalls, seed=seed, counted=False,
        depth=depth,
    )  # fmt: skip


@pytest.mark.parametrize("stalls", [(0, 0), (0.5, 0.5), (0.2, "late")])
@pytest.mark.parametrize("depth", [1, 3])
def test_every_event_once_and_in_order(place, depth, stalls):
    assert pass_through(place, depth, stalls).beats == EVENTS


@pytest.mark.parametrize("depth", [1, 2, 3, 16])
def test_holds_depth_events(place, depth):
    """Before the sink takes the first event the source has got rid of all that fit."""
    run = pass_through(place, depth, (0, 0.97), seed=11)
    inside = [sum(sent < cycle for sent in run.sent) - i for i, cycle in enumerate(run.cycles)]
    assert max(inside) == depth
