from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.block_simulation.dut import instantiate
from duospike.rtl.accumulator import accumulator, row_padding
from duospike.rtl.errors import DesignError
from tests.benches.event_model import expected_scans, random_spikes, weighted_words
from tests.benches.stage_bench import current_beats, expected_currents, plan_stage, possible_less, random_conv
from tests.benches.stream_bench import STALLS, run_stream


def accumulate(
    place, channels, outputs, height, width, kernel, lanes, timesteps, *, stride=(1, 1), less=(0, 0), parts=1, bits=4, rate=0.4,
    stalls=(0, 0), seed=1,
):  # fmt: skip
    """Currents of a layer whose input comes in beats of one channel, in that many parts of a row."""
    layer = random_conv(outputs, channels, kernel, stride, less, bits=bits, seed=seed)
    spikes = random_spikes(2, timesteps, channels, height, width, rate, seed)
    stage = plan_stage(layer, (channels, height, width), lanes, lanes_in=1, timesteps=timesteps, parts=parts)
    channels //= parts
    padding = row_padding(width, stage.groups, kernel, parts)
    current_bits = stage.neuron.current_bits
    flush = (kernel[0] - 1) // 2 * stage.groups * (width + padding) + (kernel[1] - 1) // 2
    scans = expected_scans(spikes, stage.groups, padding, flush, channels)
    events = weighted_words(scans, stage.weights, channels, timesteps)
    expected = current_beats(expected_currents(layer, spikes), lanes, current_bits)
    run = run_stream(
        place, accumulator, events, widths=(stage.weights.width + timesteps + 1, lanes * timesteps * current_bits),
        expected=len(expected), stalls=stalls, seed=seed, height=height, width=width, out_rows=stage.out_rows,
        out_columns=stage.out_columns, parts=parts, padding=padding, kernel=kernel, timesteps=timesteps, lanes=lanes,
        weight_bits=bits, current_bits=current_bits, bias=stage.bias,
    )  # fmt: skip
    assert run.beats == expected
    if stage.out_rows[-1] == height - 1 and stage.out_columns[-1] == width - 1:
        assert run.counts["events"] == int(spikes.any(1).sum()) * stage.groups
        # The last pixel of the flush may come after the last beat.
        silent = len(events) - run.counts["events"]
        assert run.counts["silent"] in (silent - 1, silent)
    return run


K1, K3, K5 = (1, 1), (3, 3), (5, 5)


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("kernel", "parts", "outputs", "lanes"), [(K1, 2, 2, 2), (K3, 2, 3, 2), (K3, 4, 1, 1), (K5, 2, 2, 1)])
def test_rows_in_parts(place, kernel, parts, outputs, lanes, stalls):
    """Also a map of three columns and one group, whose scans are just long enough for the line buffer."""
    run = accumulate(place, 4, outputs, 3, 3, kernel, lanes, 2, parts=parts, stalls=stalls)
    assert (run.counts["stall_out"] > 0) == (stalls[1] != 0)


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(
    ("kernel", "timesteps", "lanes", "outputs"), [(K1, 1, 1, 4), (K3, 4, 2, 4), (K3, 2, 2, 3), (K5, 1, 2, 4)]
)
def test_currents_under_stalls(place, kernel, timesteps, lanes, outputs, stalls):
    run = accumulate(place, 2, outputs, 3, 4, kernel, lanes, timesteps, stalls=stalls)
    assert (run.counts["stall_out"] > 0) == (stalls[1] != 0)


@settings(max_examples=8)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(2, 5), st.integers(2, 5)),
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    less=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    lanes=st.integers(1, 2),
    timesteps=st.integers(1, 4),
    bits=st.integers(2, 8),
    stalls=st.sampled_from(STALLS),
)
def test_any_shape(place, shape, kernel, stride, less, lanes, timesteps, bits, stalls):
    less = possible_less(shape[2:], kernel, less)
    accumulate(
        place, *shape, kernel, min(lanes, shape[1]), timesteps, stride=stride, less=less, bits=bits, stalls=stalls,
        seed=sum(shape),
    )  # fmt: skip


SHAPES = [
    # kernel, map, outputs
    *[((size, size), (6, 5), 2) for size in (2, 4, 6, 7)],
    ((1, 4), (1, 9), 1), ((1, 6), (3, 6), 2), ((2, 6), (4, 5), 1), ((4, 1), (5, 3), 1), ((3, 7), (2, 8), 2), ((7, 2), (3, 4), 1),
    # Windows of sums that hold columns of several scans.
    ((5, 5), (1, 1), 9), ((7, 7), (1, 1), 11), ((6, 6), (2, 2), 9), ((1, 7), (1, 1), 1), ((1, 6), (4, 2), 1), ((7, 7), (3, 2), 6),
    ((1, 7), (3, 2), 1), ((2, 4), (2, 2), 7),
]  # fmt: skip


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize(("kernel", "size", "outputs"), SHAPES)
def test_kernels_and_small_maps(place, kernel, size, outputs, parts):
    accumulate(place, 2, outputs, *size, kernel, 1, 2, parts=parts, rate=0.8)


WINDOWS = [
    # kernel, map, stride, less padding
    (K3, (6, 7), (2, 2), (0, 0)), (K3, (5, 6), (2, 1), (1, 1)), (K1, (5, 4), (2, 3), (0, 0)), (K5, (6, 5), (2, 2), (1, 1)),
    (K5, (5, 5), (1, 1), (2, 2)), ((4, 4), (6, 5), (2, 2), (0, 0)), ((2, 2), (4, 6), (2, 2), (0, 0)),
    ((1, 3), (1, 9), (1, 4), (0, 1)), (K3, (3, 3), (1, 1), (1, 1)), ((3, 2), (4, 4), (9, 9), (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("kernel", "size", "stride", "less"), WINDOWS)
@pytest.mark.parametrize("stalls", [(0, 0), (0.3, 0.5)])
def test_output_windows(place, kernel, size, stride, less, stalls):
    """What leaves changes no cycle: events are taken as by the convolution of the same size."""
    run = accumulate(place, 2, 4, *size, kernel, 2, 2, stride=stride, less=less, stalls=stalls)
    if stalls == (0, 0):
        whole = accumulate(place, 2, 4, *size, kernel, 2, 2)
        assert run.sent == whole.sent[: len(run.sent)]


@pytest.mark.parametrize("rate", [0, 0.3, 1.1])
@pytest.mark.parametrize(("kernel", "timesteps", "lanes"), [(K1, 1, 1), (K3, 4, 2), (K3, 2, 4), (K5, 1, 2), ((2, 4), 1, 2)])
def test_one_event_a_cycle(place, kernel, timesteps, lanes, rate):
    """All taps, timesteps and lanes of an event take one cycle, whatever follows it, over passes, rows and frames."""
    run = accumulate(place, 2, 4, 3, 4, kernel, lanes, timesteps, rate=rate)
    start = kernel[1] // 2 + 3
    assert run.sent[-1] - run.sent[0] <= len(run.sent) - 1 + start
    waits = np.diff(run.sent)
    assert (waits[start:] == 1).all()
    assert run.counts["busy"] == run.counts["events"] + run.counts["silent"]
    assert run.counts["stall_out"] == 0


def test_a_1x1_kernel_needs_no_padding_unless_it_keeps_partial_sums():
    assert [row_padding(2, 1, K1, parts) for parts in (1, 2)] == [0, 2]


@pytest.mark.parametrize(
    ("width", "outputs", "kernel", "padding"),
    [
        (3, 1, K3, 3),
        (3, 1, K5, 5),
        (4, 1, K5, 4),
        (5, 1, K3, 1),
        (3, 2, K5, 1),
        (8, 1, K5, 0),
        (2, 1, (2, 1), 2),
        (4, 1, (3, 6), 5),
        (9, 1, (2, 7), 1),
        (1, 1, (1, 7), 0),
    ],
)
def test_a_narrow_map_has_no_more_padding_than_it_needs(tmp_path, monkeypatch, width, outputs, kernel, padding):
    """With one empty pixel less, which the block refuses, a partial sum is read before it is in the line buffer."""
    in_myhdl = partial(instantiate, simulator="myhdl", folder=tmp_path)
    assert row_padding(width, outputs, kernel, 1) == padding
    accumulate(in_myhdl, 2, outputs, 3, width, kernel, 1, 2, rate=0.7)
    if padding:
        monkeypatch.setattr("tests.rtl.test_accumulator.row_padding", lambda *_: padding - 1)
        with pytest.raises(DesignError, match=f"padding {padding - 1}; allowed: {padding} or more"):
            accumulate(in_myhdl, 2, outputs, 3, width, kernel, 1, 2, rate=0.7)
        monkeypatch.setattr("duospike.rtl.accumulator.row_padding", lambda *_: 0)
        with pytest.raises(AssertionError, match="^assert "):
            accumulate(in_myhdl, 2, outputs, 3, width, kernel, 1, 2, rate=0.7)
