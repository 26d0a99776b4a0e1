import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import spike_beats
from duospike.reference.network import RESETS, Linear
from duospike.rtl.sparse_fc import sparse_fc
from tests.benches.event_model import random_spikes
from tests.benches.stage_bench import (
    expected_spikes,
    plan_stage,
    random_layer,
    run_spiking,
    with_fault,
)
from tests.benches.stream_bench import STALLS, run_stream

NATIVE_STALLS = [(0, 0), (128, 128), (0, 200), (200, 0)]


def check(
    native, channels=3, outputs=5, height=3, width=4, lanes_in=2, lanes=2, timesteps=2, kind="subtract", bits=4, depth=16,
    rate=0.2, frames=3, stalls=(0, 0), seed=1,
):  # fmt: skip
    layer = random_layer(Linear, (outputs, channels * height * width), kind, bits=bits, seed=seed)
    maps = random_spikes(frames, timesteps, channels, height, width, rate, seed)
    stage = plan_stage(layer, (channels, height, width), lanes, lanes_in=lanes_in, timesteps=timesteps, queue_depth=depth)
    return stage, maps, run_spiking(native, stage, layer, maps, lanes_in, stalls)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (5, 3)])
@pytest.mark.parametrize(("outputs", "lanes"), [(3, 3), (4, 2), (5, 2)])
def test_rows_and_groups(native, height, width, outputs, lanes):
    """One row and more; 1, 2 and 3 groups, the last of which is not full."""
    check(native, height=height, width=width, outputs=outputs, lanes=lanes)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
def test_neurons_timesteps_and_stalls(native, timesteps, stalls):
    check(native, kind=RESETS[timesteps % 3], timesteps=timesteps, stalls=stalls, depth=timesteps)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 4), st.integers(1, 4)),
    lanes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    timesteps=st.integers(1, 4),
    kind=st.sampled_from(RESETS),
    bits=st.integers(2, 8),
    depth=st.sampled_from([1, 2, 16]),
    rate=st.sampled_from([0, 0.1, 1.1]),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_stage(native, shape, lanes, timesteps, kind, bits, depth, rate, stalls):
    lanes_in, lanes_out = min(lanes[0], shape[0]), min(lanes[1], shape[1])
    check(native, *shape, lanes_in, lanes_out, timesteps, kind, bits, depth, rate, stalls=stalls, seed=sum(shape))


@pytest.mark.parametrize("rate", [0, 0.2, 1.1])
def test_cycles_are_groups_times_events(native, rate):
    stage, maps, run = check(native, channels=8, outputs=12, height=4, width=4, lanes_in=8, lanes=3, rate=rate)
    row_events = maps.any(1).sum((1, 3))  # events of [frame, row]
    events, silent = int(row_events.sum()) * stage.groups, int((row_events == 0).sum()) * stage.groups
    assert run.activity["events"] == events
    # The counters are read when the last beat comes, two pipeline stages after the last event.
    assert run.activity["silent"] == silent
    assert run.activity["busy"] == events + silent
    if rate > 1:
        first_row = stage.chunks + 20
        assert run.outcome.cycles <= events + first_row


@pytest.mark.parametrize("stalls", STALLS[1:4])
@pytest.mark.parametrize(("height", "outputs"), [(1, 3), (3, 2), (3, 5)])
def test_in_all_simulators(place, height, outputs, stalls):
    layer = random_layer(Linear, (outputs, 3 * height * 2))
    maps = random_spikes(3, 2, 3, height, 2, rate=0.3)
    stage = plan_stage(layer, (3, height, 2), 2, lanes_in=2)
    expected = spike_beats(expected_spikes(layer, maps), 2)
    run = run_stream(place, sparse_fc, spike_beats(maps, 2), widths=(4, 4), expected=len(expected), stalls=stalls, stage=stage)
    assert tuple(run.beats) == expected


@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(native, what):
    layer = random_layer(Linear, (3, 12))
    maps = random_spikes(12, 2, 3, 2, 2, rate=0.5)
    wrong = with_fault(layer, what, (1, 5))
    assert (expected_spikes(wrong, maps) != expected_spikes(layer, maps)).any()
    stage = plan_stage(wrong, (3, 2, 2), 2, lanes_in=1)
    with pytest.raises(AssertionError):
        run_spiking(native, stage, layer, maps, 1)


@pytest.mark.parametrize(
    ("sums", "size", "parts"),
    [
        ((2, 2), (4, 4), 1),
        ((2, 3), (7, 10), 3),
        ((3, 2), (10, 5), 2),
        ((5, 1), (6, 4), 4),
        ((1, 3), (2, 7), 2),
        ((4, 5), (4, 5), 1),
    ],
)
def test_sums_of_spikes(native, sums, size, parts):
    """The inputs of a window read the same weights, one event each; the last one is a global pool."""
    summed = size[0] // sums[0], size[1] // sums[1]
    layer = random_layer(Linear, (5, 4 * summed[0] * summed[1]))
    maps = random_spikes(3, 2, 4, *size, rate=0.3)
    stage = plan_stage(layer, (4, *size), 2, lanes_in=2, parts=parts, sums=sums)
    run = run_spiking(native, stage, layer, maps, 2, NATIVE_STALLS[parts - 1], sums)
    windows = maps[..., : summed[0] * sums[0], : summed[1] * sums[1]].any(1).sum()
    assert run.activity["events"] == windows * stage.groups


@settings(max_examples=6)
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 3), st.integers(1, 3)),
    lanes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    in_parts=st.booleans(),
    rate=st.sampled_from([0.05, 0.4, 1]),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_sums_of_spikes(native, kernel, more, shape, lanes, in_parts, rate, stalls):
    channels, outputs, height, width = shape
    lanes_in, lanes_out = min(lanes[0], channels), min(lanes[1], outputs)
    size = (height * kernel[0] + more[0] % kernel[0], width * kernel[1] + more[1] % kernel[1])
    layer = random_layer(Linear, (outputs, channels * height * width), seed=sum(shape))
    maps = random_spikes(2, 2, channels, *size, rate, sum(shape))
    parts = -(-channels // lanes_in) * width if in_parts else 1
    stage = plan_stage(layer, (channels, *size), lanes_out, lanes_in=lanes_in, parts=parts, sums=kernel)
    run_spiking(native, stage, layer, maps, lanes_in, stalls, kernel)
