from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import spike_beats
from duospike.reference.network import Conv, CurrentPool
from duospike.rtl.checks import RESETS
from duospike.rtl.sparse_conv import sparse_conv
from tests.benches.event_model import random_spikes
from tests.benches.stage_bench import (
    KIND,
    expected_spikes,
    plan_stage,
    possible_less,
    random_conv,
    random_layer,
    run_spiking,
    with_fault,
)
from tests.benches.stream_bench import STALLS, run_stream

NATIVE_STALLS = [(0, 0), (128, 128), (0, 200), (200, 0)]


def check(
    native, channels=3, outputs=4, height=4, width=5, kernel=(3, 3), lanes_in=2, lanes=3, timesteps=2, kind=KIND, bits=4,
    depth=16, rate=0.2, frames=2, stalls=(0, 0), seed=1, stride=(1, 1), less=(0, 0), parts=1,
):  # fmt: skip
    layer = random_conv(outputs, channels, kernel, stride, less, kind=kind, bits=bits, seed=seed)
    maps = random_spikes(frames, timesteps, channels, height, width, rate, seed)
    shape = (channels, height, width)
    stage = plan_stage(layer, shape, lanes, lanes_in=lanes_in, timesteps=timesteps, queue_depth=depth, parts=parts)
    return stage, maps, run_spiking(native, stage, layer, maps, lanes_in, stalls)


def work_of(stage, maps):
    """Cycles of the paper's accounting: max(1, events) for each pixel and group; and how many of them are events."""
    events = maps.any(1).sum(1)
    return int(np.maximum(events, 1).sum()) * stage.groups, int(events.sum()) * stage.groups


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 5)])
@pytest.mark.parametrize("kind", RESETS)
def test_kernels_and_kinds(native, kernel, kind):
    check(native, kernel=kernel, kind=kind, timesteps=3)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
def test_stalls_change_no_bit(native, timesteps, stalls):
    check(native, timesteps=timesteps, stalls=stalls, depth=1 + timesteps)


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_weight_bits(native, bits):
    check(native, bits=bits, height=3, width=3)


@pytest.mark.parametrize(("height", "width"), [(3, 3), (3, 8), (7, 4)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5)])
@pytest.mark.parametrize("groups", [1, 3])
def test_small_and_odd_maps_with_frames_back_to_back(native, height, width, kernel, groups):
    check(native, outputs=groups, lanes=1, height=height, width=width, kernel=kernel, frames=3)


@pytest.mark.parametrize(
    ("kernel", "size", "stride", "less", "parts"),
    [
        ((3, 3), (7, 6), (2, 2), (0, 0), 1), ((5, 5), (7, 7), (2, 2), (1, 1), 2), ((2, 2), (6, 6), (2, 2), (0, 0), 1),
        ((4, 3), (5, 6), (1, 2), (1, 1), 2), ((7, 7), (9, 8), (4, 4), (0, 0), 1), ((1, 5), (1, 20), (1, 2), (0, 2), 1),
        ((3, 3), (5, 5), (1, 1), (1, 1), 1), ((6, 7), (1 + 5, 1), (1, 1), (0, 0), 1), ((3, 5), (1, 1), (1, 1), (0, 0), 2),
    ],
)  # fmt: skip
def test_output_windows(native, kernel, size, stride, less, parts):
    check(native, 4, 3, *size, kernel, lanes=1, stride=stride, less=less, parts=parts, frames=3, rate=0.5)


@settings(max_examples=8)
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(2, 7), st.integers(2, 7)),
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    less=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    lanes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    timesteps=st.integers(1, 4),
    kind=st.sampled_from(RESETS),
    bits=st.integers(2, 8),
    depth=st.sampled_from([1, 2, 16]),
    rate=st.sampled_from([0, 0.05, 0.4, 1]),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_stage(native, shape, kernel, stride, less, lanes, timesteps, kind, bits, depth, rate, stalls):
    lanes_in, lanes_out = min(lanes[0], shape[0]), min(lanes[1], shape[1])
    check(
        native, *shape, kernel, lanes_in, lanes_out, timesteps, kind, bits, depth, rate, stalls=stalls, seed=sum(shape),
        stride=stride, less=possible_less(shape[2:], kernel, less),
    )  # fmt: skip


@pytest.mark.parametrize("rate", [0.05, pytest.param(0.1, marks=pytest.mark.slow), 0.2])
def test_cycles_are_the_events(native, rate):
    """16 x 16, 32 -> 32 channels, 8 lanes, T = 2: within 2 % of the events, and the latency of one row."""
    stage, maps, run = check(
        native, channels=32, outputs=32, height=16, width=16, lanes_in=8, lanes=8, rate=rate, frames=1
    )  # fmt: skip
    work, events = work_of(stage, maps)
    # The empty row that flushes the frame costs a cycle for each pixel and group.
    flush = (stage.width + 1) * stage.groups
    assert run.activity["events"] == events
    assert run.activity["busy"] == run.activity["events"] + run.activity["silent"]
    assert work <= run.activity["busy"] <= work + flush
    row = work / stage.height
    assert run.outcome.cycles <= 1.02 * work + row


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 5)])
def test_a_full_map_is_one_event_a_cycle_back_to_back(native, kernel):
    """All channels spike at all timesteps: 9 taps, T timesteps and all lanes take one cycle for each event."""
    frames = 3
    stage, maps, run = check(
        native, channels=4, outputs=6, height=5, width=6, kernel=kernel, lanes_in=4, lanes=2, timesteps=4, rate=1.1,
        frames=frames,
    )  # fmt: skip
    work, events = work_of(stage, maps)
    radius = kernel[0] // 2
    silent = frames * (radius * stage.groups * stage.width + radius)
    assert work == events == run.activity["events"]
    assert events + silent - stage.groups * stage.width - radius <= run.activity["busy"] <= events + silent
    # But for the first row, nothing is waited for; the last frame's flush ends with the last output.
    first_row = stage.width + 21
    assert run.outcome.cycles == events + silent + first_row
    assert run.activity["stall_out"] == 0


@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (2, 2)])
def test_an_output_window_changes_no_cycle(native, kernel):
    """Of stride 2 and less padding the last beat comes in the cycle in which it comes without."""
    sizes = {"channels": 4, "outputs": 6, "height": 7 + kernel[0] % 2, "width": 7 + kernel[1] % 2, "lanes_in": 2, "lanes": 2}
    all_places, _, whole = check(native, **sizes, kernel=kernel, rate=0.4)
    less = tuple((size - 1) // 2 for size in kernel)
    stage, _, run = check(native, **sizes, kernel=kernel, rate=0.4, stride=(2, 2), less=less)
    row, column = all_places.out_rows.index(stage.out_rows[-1]), all_places.out_columns.index(stage.out_columns[-1])
    place = (row * stage.groups + stage.groups - 1) * len(all_places.out_columns) + column
    beats = whole.outcome.streams["dst"]
    assert run.outcome.streams["dst"][-1].cycle == beats[len(beats) // 2 + place].cycle


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("windowed", [False, True])
def test_in_all_simulators(place, stalls, windowed):
    """A stage small enough for MyHDL's simulator, whose bounded integers prove the widths."""
    layer = random_conv(3, 3, (3, 2), (2, 1), (1, 0)) if windowed else random_layer(Conv, (3, 3, 3, 3))
    maps = random_spikes(2, 2, 3, 3, 4)
    stage = plan_stage(layer, (3, 3, 4), 2, lanes_in=2)
    expected = spike_beats(expected_spikes(layer, maps), 2)
    run = run_stream(place, sparse_conv, spike_beats(maps, 2), widths=(4, 4), expected=len(expected), stalls=stalls, stage=stage)
    assert tuple(run.beats) == expected
    assert windowed or run.counts["events"] == work_of(stage, maps)[1]


@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(native, what):
    """One changed number in what the hardware gets is one too many."""
    layer = random_layer(Conv, (2, 2, 3, 3))
    maps = random_spikes(1, 2, 2, 5, 5, rate=0.5)
    wrong = with_fault(layer, what, (1, 1, 0, 2))
    assert (expected_spikes(wrong, maps) != expected_spikes(layer, maps)).any()
    stage = plan_stage(wrong, (2, 5, 5), 2, lanes_in=1)
    with pytest.raises(AssertionError):
        run_spiking(native, stage, layer, maps, 1)


SUMS = [
    ((2, 2), (6, 6), 1, 1),
    ((2, 3), (7, 10), 1, 2),
    ((3, 2), (10, 7), 3, 1),
    ((1, 4), (3, 12), 1, 3),
    ((4, 1), (13, 3), 3, 1),
]


@pytest.mark.parametrize(("sums", "size", "parts", "timesteps"), SUMS)
def test_sums_of_spikes(native, sums, size, parts, timesteps):
    """Each spike of a window is an event; the rows and columns of no complete window are dropped."""
    layer = random_layer(Conv, (4, 5, 3, 3))
    stalls = NATIVE_STALLS[parts]
    maps = random_spikes(3, timesteps, 5, *size, rate=0.3)
    stage = plan_stage(layer, (5, *size), 3, lanes_in=2, timesteps=timesteps, parts=parts, sums=sums)
    run = run_spiking(native, stage, layer, maps, 2, stalls, sums)
    height, width = stage.height, stage.width
    windows = maps[..., : height * sums[0], : width * sums[1]].any(1).sum(1)  # [frame, y, x]
    assert run.activity["events"] == windows.sum() * stage.groups


@settings(max_examples=6)
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(3, 5), st.integers(3, 5)),
    lanes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    taps=st.sampled_from([1, 3, 5]),
    in_parts=st.booleans(),
    rate=st.sampled_from([0.05, 0.4, 1]),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_sums_of_spikes(native, kernel, more, shape, lanes, taps, in_parts, rate, stalls):
    channels, outputs, height, width = shape
    lanes_in, lanes_out = min(lanes[0], channels), min(lanes[1], outputs)
    size = (height * kernel[0] + more[0] % kernel[0], width * kernel[1] + more[1] % kernel[1])
    layer = random_layer(Conv, (outputs, channels, taps, taps), seed=sum(shape))
    maps = random_spikes(2, 2, channels, *size, rate, sum(shape))
    parts = -(-channels // lanes_in) if in_parts else 1
    stage = plan_stage(layer, (channels, *size), lanes_out, lanes_in=lanes_in, parts=parts, sums=kernel)
    run_spiking(native, stage, layer, maps, lanes_in, stalls, kernel)


@pytest.mark.parametrize("op", ["max", "sum"])
@pytest.mark.parametrize(("kernel", "size"), [((2, 2), (4, 7)), ((3, 1), (7, 3)), ((4, 5), (4, 5))])
def test_pools_of_currents(native, op, kernel, size):
    layer = replace(random_layer(Conv, (5, 3, 3, 3)), current_pool=CurrentPool(op, kernel))
    maps = random_spikes(2, 2, 3, *size)
    stage = plan_stage(layer, (3, *size), 2, lanes_in=2)
    assert stage.output_map == (size[0] // kernel[0], size[1] // kernel[1])
    run_spiking(native, stage, layer, maps, 2, (60, 120))
