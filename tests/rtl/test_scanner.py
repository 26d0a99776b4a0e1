from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.design.beats import spike_beats
from duospike.rtl.crop import Crop
from duospike.rtl.scanner import event_width, scanner
from duospike.rtl.stream import groups_of, index_bits
from tests.benches.event_model import expected_events, random_spikes
from tests.benches.planted_faults import convert_with_fault
from tests.benches.stream_bench import STALLS, run_stream

SETTLING = 8
"""Cycles from the last beat of the first row to its first event."""


def decode(word, channels, timesteps):
    """An event of the hardware; the channel of an empty mask has no meaning."""
    bits = index_bits(channels)
    mask = word >> bits & (2**timesteps - 1)
    return (word & (2**bits - 1) if mask else None, mask, word >> (bits + timesteps))


def side_by_side(spikes, lanes, columns):
    """Spikes [..., channels, height, width] of which `columns` columns are one pixel, as channels in the scanner's order."""
    frames, timesteps, channels, height, width = spikes.shape
    by_group = np.zeros((frames, timesteps, groups_of(channels, lanes) * lanes, height, width), spikes.dtype)
    by_group[:, :, :channels] = spikes
    by_pixel = by_group.reshape(frames, timesteps, -1, lanes, height, width // columns, columns).transpose(0, 1, 2, 6, 3, 4, 5)
    return by_pixel.reshape(frames, timesteps, -1, height, width // columns)


def scan(
    place, spikes, lanes, scans=1, padding=0, flush=0, row_parts=1, banks=2, stalls=(0, 0), seed=0, columns=1, dropped=(0, 0)
):  # fmt: skip
    """Events of the hardware, and the run. row_parts: a divisor of the beats of a pixel. dropped: the last rows and columns."""
    beats = spike_beats(spikes, lanes)
    rows, width = spikes.shape[-2:]
    groups, cropping = groups_of(spikes.shape[2], lanes), None
    if any(dropped):
        kept = {"kept_rows": rows - dropped[0], "kept_columns": width - dropped[1]}
        cropping = Crop(rows=rows, columns=width, groups=groups, **kept)
        spikes = spikes[..., : rows - dropped[0], : width - dropped[1]]
    _, timesteps, channels, height, width = spikes.shape
    chunks = groups // row_parts
    if columns > 1:
        spikes, width = side_by_side(spikes, lanes, columns), width // columns
    expected = [
        (channel if channel is None else channel // (columns * lanes) * lanes + channel % lanes, mask, last)
        for channel, mask, last in expected_events(spikes, scans, padding, flush, chunks * columns * lanes)
    ]
    run = run_stream(
        place, scanner, beats, widths=(lanes * timesteps, event_width(chunks * lanes, timesteps)),
        expected=len(expected), stalls=stalls, seed=seed, counted=False, parts=height * row_parts, width=width,
        padding=padding, chunks=chunks * columns, lanes=lanes, timesteps=timesteps, scans=scans, flush=flush, banks=banks,
        columns=columns, cropping=cropping,
    )  # fmt: skip
    assert [decode(word, chunks * lanes, timesteps) for word in run.beats] == expected
    return run


@pytest.mark.parametrize("stalls", STALLS[1:])
@pytest.mark.parametrize(
    ("channels", "lanes", "scans", "padding", "flush", "timesteps"),
    [(1, 1, 1, 0, 0, 1), (3, 2, 2, 0, 4, 2), (5, 2, 1, 2, 3, 1), (7, 3, 3, 1, 7, 3), (4, 4, 2, 0, 6, 4)],
)
def test_every_event_once_and_in_order(place, channels, lanes, scans, padding, flush, timesteps, stalls):
    spikes = random_spikes(2, timesteps, channels, 3, 4)
    scan(place, spikes, lanes, scans, padding, flush, stalls=stalls)


@pytest.mark.parametrize("stalls", STALLS[1:])
@pytest.mark.parametrize(
    ("channels", "lanes", "row_parts", "banks"), [(3, 1, 3, 2), (7, 2, 2, 3), (8, 2, 2, 4), (5, 5, 1, 5), (6, 1, 6, 12)]
)
def test_rows_in_parts(place, channels, lanes, row_parts, banks, stalls):
    scan(place, random_spikes(2, 2, channels, 3, 4), lanes, 2, 1, 3, row_parts, banks, stalls)


@pytest.mark.parametrize("banks", [2, 3])
def test_parts_of_one_pixel(place, banks):
    """All banks have been looked at before the first is read and free again: none may be looked at twice."""
    scan(place, random_spikes(4, 2, 4, 9, 1, rate=0.7), lanes=4, banks=banks, stalls=(0, 0.8))


@pytest.mark.parametrize(
    ("channels", "lanes", "row_parts", "columns", "width", "dropped"),
    [(1, 1, 1, 2, 3, (0, 0)), (5, 2, 1, 3, 2, (1, 2)), (7, 2, 2, 2, 3, (0, 1)), (4, 4, 1, 4, 1, (1, 0)), (6, 1, 3, 5, 2, (0, 3))],
)
@pytest.mark.parametrize("stalls", STALLS[1::2])
def test_columns_side_by_side(place, channels, lanes, row_parts, columns, width, dropped, stalls):
    """An event says its channel, and not of which column of its window it is; what is in no window gives none."""
    spikes = random_spikes(2, 2, channels, 3 + dropped[0], width * columns + dropped[1])
    scan(place, spikes, lanes, 2, 1, 3, row_parts, 2 * row_parts, stalls, columns=columns, dropped=dropped)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4)),
    lanes=st.integers(1, 5),
    repeats=st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 9)),
    in_parts=st.booleans(),
    banks=st.integers(2, 5),
    rate=st.sampled_from([0, 0.1, 0.5, 1]),
    stalls=st.sampled_from(STALLS),
)
def test_any_shape(place, shape, lanes, repeats, in_parts, banks, rate, stalls):
    lanes = min(lanes, shape[2])
    row_parts = groups_of(shape[2], lanes) if in_parts else 1
    spikes = random_spikes(*shape, rate=rate, seed=sum(shape))
    scan(place, spikes, lanes, *repeats, row_parts, banks, stalls)


@pytest.mark.parametrize("rate", [0, 0.3, 1.1])
@pytest.mark.parametrize(("channels", "lanes"), [(1, 1), (5, 2), (6, 1)])
def test_one_event_a_cycle_back_to_back(place, channels, lanes, rate):
    """A scan more than beats for a pixel: a row takes longer than the next one's arrival, only the first is waited for."""
    spikes = random_spikes(2, 2, channels, 4, 5, rate=rate)
    scans = groups_of(channels, lanes) + 1
    run = scan(place, spikes, lanes, scans=scans, flush=5)
    assert run.cycles[-1] - run.cycles[0] == len(run.beats) - 1
    first_row = groups_of(channels, lanes) * 5
    assert run.cycles[0] - run.sent[first_row - 1] == SETTLING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("event_channel = (encode_channel + lane);", "event_channel = (encode_channel + lane) ^ (src_valid && dst_ready);"),
        ("event_mask = masks[lane];", "event_mask = masks[lane] ^ 2;"),
        ("event_last = (encode_last && last_lane);", "event_last = encode_last;"),
        ("pending <= lanes_left;", "pending <= lanes_left & 1;"),
    ],
    ids=["none", "channel", "mask", "last", "missing"],
)
def test_a_wrong_event_is_seen(tmp_path, vpi, monkeypatch, old, new):
    """Planted in the Verilog: one wrong field of an event, or an event too few."""
    in_icarus = partial(instantiate, simulator="icarus", folder=tmp_path, vpi=vpi)
    spikes = random_spikes(2, 2, 5, 3, 4, rate=0.5)
    if not old:
        scan(in_icarus, spikes, 3, scans=2)
        return
    monkeypatch.setattr("duospike.cosim.block_simulation.dut.convert", convert_with_fault(old, new, "verilog"))
    with pytest.raises(AssertionError, match=r"^(assert \[|no end|payload changed)|of \d+ received"):
        scan(in_icarus, spikes, 3, scans=2)
