import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import spike_beats
from duospike.rtl.errors import DesignError
from duospike.rtl.pool import Pool, pool
from duospike.rtl.stream import groups_of
from tests.benches.event_model import random_spikes
from tests.benches.stream_bench import STALLS, run_stream


def by_torch(spikes, kernel, stride, padding):
    """Spikes [frames, timesteps, channels, height, width] pooled by torch's max_pool2d."""
    maps = torch.from_numpy(spikes).flatten(0, 1).float()
    pooled = torch.nn.functional.max_pool2d(maps, kernel, stride, padding)
    return pooled.reshape(*spikes.shape[:2], *pooled.shape[1:]).numpy().astype(np.uint8)


def check(
    place, channels, height, width, lanes, timesteps, stalls=(0, 0), rate=0.2, frames=3, kernel=(2, 2), stride=(2, 2),
    padding=(0, 0),
):  # fmt: skip
    spikes = random_spikes(frames, timesteps, channels, height, width, rate)
    expected = spike_beats(by_torch(spikes, kernel, stride, padding), lanes)
    stage = Pool(
        height=height, width=width, groups=groups_of(channels, lanes), lanes=lanes, timesteps=timesteps, kernel=kernel,
        stride=stride, padding=padding,
    )  # fmt: skip
    run = run_stream(
        place, pool, spike_beats(spikes, lanes), widths=(stage.input_bits, stage.output_bits), expected=len(expected),
        stalls=stalls, stage=stage,
    )  # fmt: skip
    assert stage.output_beats * frames == len(expected)
    assert tuple(run.beats) == expected
    # The last output may come before the last empty positions.
    empty = run.counts["busy"] - len(run.sent)
    assert (frames - 1) * stage.empty_positions <= empty <= frames * stage.empty_positions
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


WINDOWS = [
    ((3, 3), (2, 2), (1, 1), (7, 8)),
    ((3, 3), (2, 2), (1, 1), (6, 5)),
    ((3, 3), (2, 2), (0, 0), (7, 6)),
    ((3, 3), (3, 3), (0, 0), (7, 8)),
    ((3, 3), (1, 1), (1, 1), (4, 5)),
    ((2, 2), (1, 1), (0, 0), (4, 3)),
    ((2, 2), (1, 1), (1, 1), (3, 4)),
    ((2, 2), (2, 2), (1, 1), (5, 4)),
    ((5, 5), (2, 2), (2, 2), (6, 7)),
    ((1, 3), (1, 2), (0, 1), (3, 6)),
    ((4, 1), (2, 3), (1, 0), (9, 5)),
    ((4, 5), (4, 5), (0, 0), (4, 5)),
    ((1, 1), (2, 2), (0, 0), (3, 4)),
    ((1, 1), (1, 1), (0, 0), (2, 1)),
    ((7, 3), (3, 1), (3, 0), (1, 3)),
]


@pytest.mark.parametrize("number", range(len(WINDOWS)))
def test_windows(place, number):
    """Overlapping windows, windows with gaps, windows that the edges cut off, and one window for the whole map."""
    kernel, stride, padding, size = WINDOWS[number]
    check(place, 3, *size, 2, 2, STALLS[number % len(STALLS)], frames=2, kernel=kernel, stride=stride, padding=padding)


@settings(max_examples=10)
@given(
    axes=st.tuples(*[st.tuples(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2))] * 2),
    channels=st.integers(1, 3),
    stalls=st.sampled_from(STALLS),
    rate=st.sampled_from([0.1, 0.5]),
)
def test_any_windows(place, axes, channels, stalls, rate):
    size, kernel, stride, padding = (tuple(of_axis[i] for of_axis in axes) for i in range(4))
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    kernel = tuple(min(k, n + 2 * p) for k, n, p in zip(kernel, size, padding, strict=True))
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
    kernel = tuple(min(k, n + 2 * p) for k, n, p in zip(kernel, size, padding, strict=True))
    check(place, channels, *size, min(2, channels), 1, stalls, rate, kernel=kernel, stride=stride, padding=padding)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [((3, 4), (2, 2), (1, 2)), ((4, 4), (3, 2), (2, 0)), ((5, 3), (2, 1), (2, 1))]
)
def test_windows_of_single_bits(place, kernel, stride, padding):
    check(place, 1, 7, 6, 1, 1, STALLS[1], rate=0.1, kernel=kernel, stride=stride, padding=padding)


def test_a_window_leaves_a_cycle_after_its_last_beat(place):
    run = check(place, 1, 4, 4, 1, 1, kernel=(3, 3), padding=(1, 1))
    assert [sent for i, sent in enumerate(run.sent) if i // 4 % 2 and i % 2] == [cycle - 1 for cycle in run.cycles]


def test_padding_below_the_stride_costs_no_cycle():
    for kernel, stride, padding in (((3, 3), (2, 2), (1, 1)), ((5, 5), (3, 3), (2, 2)), ((2, 2), (2, 2), (1, 1))):
        for size in range(3, 12):
            stage = Pool(height=size, width=size, groups=2, lanes=1, timesteps=1, kernel=kernel, stride=stride, padding=padding)
            assert stage.empty_positions == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kernel": (0, 2)}, "kernel 0"),
        ({"stride": (2, 0)}, "stride 0"),
        ({"padding": (2, 0)}, "padding 2; allowed: 0 to 1"),
        ({"kernel": (2, 6)}, "kernel 6; allowed: 1 to 5"),
    ],
)
def test_refused(wrong, message):
    with pytest.raises(DesignError, match=message):
        Pool(height=5, width=5, groups=1, lanes=1, timesteps=1, **wrong)


@pytest.mark.parametrize("place_of_spike", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_any_of_four_spikes_is_enough(place, place_of_spike):
    spikes = random_spikes(1, 1, 1, 2, 2, rate=0)
    spikes[(0, 0, 0, *place_of_spike)] = 1
    stage = Pool(height=2, width=2, groups=1, lanes=1, timesteps=1)
    run = run_stream(place, pool, spike_beats(spikes, 1), widths=(1, 1), expected=1, stage=stage)
    assert run.beats == [1]
