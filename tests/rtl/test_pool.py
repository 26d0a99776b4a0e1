import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import spike_beats
from duospike.rtl.pool import Pool, pool
from duospike.rtl.stream import groups_of
from tests.benches.event_model import random_spikes
from tests.benches.stage_bench import expected_pooled
from tests.benches.stream_bench import STALLS, run_stream


def check(place, channels, height, width, lanes, timesteps, stalls=(0, 0), rate=0.2, frames=3):
    spikes = random_spikes(frames, timesteps, channels, height, width, rate)
    expected = spike_beats(expected_pooled(spikes), lanes)
    stage = Pool(height=height, width=width, groups=groups_of(channels, lanes), lanes=lanes, timesteps=timesteps)
    run = run_stream(
        place, pool, spike_beats(spikes, lanes), widths=(stage.input_bits, stage.output_bits), expected=len(expected),
        stalls=stalls, stage=stage,
    )  # fmt: skip
    assert tuple(run.beats) == expected
    assert run.counts["busy"] == len(run.sent)
    assert run.counts["stall_out"] == run.counts["waits"]
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("size", [(2, 2), (5, 6), (4, 5), (3, 7)])
def test_even_and_odd_maps(place, size, stalls):
    check(place, 3, *size, 2, 2, stalls)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(2, 7), st.integers(2, 7)),
    lanes=st.integers(1, 5),
    timesteps=st.integers(1, 4),
    stalls=st.sampled_from(STALLS),
    rate=st.sampled_from([0, 0.1, 1]),
)
def test_any_map(place, shape, lanes, timesteps, stalls, rate):
    check(place, *shape, min(lanes, shape[0]), timesteps, stalls, rate)


def test_one_beat_a_cycle(place):
    run = check(place, 4, 5, 6, 2, 2)
    assert run.sent[-1] - run.sent[0] == len(run.sent) - 1


@pytest.mark.parametrize("place_of_spike", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_any_of_four_spikes_is_enough(place, place_of_spike):
    spikes = random_spikes(1, 1, 1, 2, 2, rate=0)
    spikes[(0, 0, 0, *place_of_spike)] = 1
    stage = Pool(height=2, width=2, groups=1, lanes=1, timesteps=1)
    run = run_stream(place, pool, spike_beats(spikes, 1), widths=(1, 1), expected=1, stage=stage)
    assert run.beats == [1]
