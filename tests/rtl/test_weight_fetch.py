import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.rtl.memory import Table
from duospike.rtl.scanner import event_width
from duospike.rtl.weight_fetch import weight_fetch
from tests.benches.event_model import event_words, expected_scans, random_spikes, weighted_words
from tests.benches.stream_bench import STALLS, run_stream

WEIGHT_BITS = 5


def fetch(
    place, channels, height, width, scans, padding, flush, parts=1, timesteps=2, rate=0.4, stalls=(0, 0), seed=1, least_bank=64
):
    """The words of the hardware, where an event has spikes, and all masks and marks, are those of the model."""
    spikes = random_spikes(2, timesteps, channels * parts, height, width, rate, seed)
    words = np.random.default_rng(seed).integers(2**WEIGHT_BITS, size=parts * scans * channels).tolist()
    weights = Table("w.hex", WEIGHT_BITS, words)
    all_scans = list(expected_scans(spikes, scans, padding, flush, channels))
    events = event_words([event for _, of_scan in all_scans for event in of_scan], channels, timesteps)
    run = run_stream(
        place, weight_fetch, events, widths=(event_width(channels, timesteps), WEIGHT_BITS + timesteps + 1),
        expected=len(events), stalls=stalls, seed=seed, counted=False, frame_rows=height, scans=parts * scans,
        positions=width + padding, flush=flush, channels=channels, timesteps=timesteps, weights=weights, least_bank=least_bank,
    )  # fmt: skip
    silent = 2**timesteps - 1 << WEIGHT_BITS
    taken = [word if word & silent else word >> WEIGHT_BITS << WEIGHT_BITS for word in run.beats]
    assert taken == weighted_words(all_scans, weights, channels, timesteps)
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(
    ("channels", "scans", "padding", "flush", "parts"), [(1, 1, 0, 0, 1), (3, 2, 1, 5, 1), (2, 3, 0, 1, 4), (5, 1, 2, 9, 2)]
)
def test_words_of_every_scan(place, channels, scans, padding, flush, parts, stalls):
    """Also over a second frame, for which the walk begins again after the flush."""
    fetch(place, channels, 3, 2, scans, padding, flush, parts, stalls=stalls)


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("channels", "scans", "least_bank"), [(3, 2, 4), (5, 3, 4), (1, 4, 2), (8, 4, 8), (7, 5, 2)])
def test_words_of_every_bank(place, channels, scans, least_bank, stalls):
    fetch(place, channels, 3, 2, scans, 0, 2, stalls=stalls, least_bank=least_bank)


@pytest.mark.parametrize("stalls", STALLS[:3])
@pytest.mark.parametrize(("repeats", "blocks", "block_scans"), [(2, 3, 2), (3, 1, 2), (2, 2, 1), (4, 3, 3)])
def test_scans_that_come_several_times(place, repeats, blocks, block_scans, stalls):
    """Each block of scans reads the same words again, as the rows of a window do."""
    channels, timesteps, frames = 3, 2, 2
    words = np.random.default_rng(1).integers(2**WEIGHT_BITS, size=blocks * block_scans * channels).tolist()
    scans = [block * block_scans + k for block in range(blocks) for _ in range(repeats) for k in range(block_scans)] * frames
    events = [(scan, (5 * scan + 2 * i) % channels, 1 + (scan + i) % 3) for i, scan in enumerate(scans)]
    run = run_stream(
        place, weight_fetch, event_words([(channel, mask, 1) for _, channel, mask in events], channels, timesteps),
        widths=(event_width(channels, timesteps), WEIGHT_BITS + timesteps + 1), expected=len(events), stalls=stalls,
        counted=False, frame_rows=1, scans=blocks * block_scans, positions=1, flush=0, channels=channels, timesteps=timesteps,
        weights=Table("w.hex", WEIGHT_BITS, words), repeats=repeats, repeated_scans=block_scans,
    )  # fmt: skip
    assert run.beats == [words[scan * channels + channel] | (4 | mask) << WEIGHT_BITS for scan, channel, mask in events]


@settings(max_examples=5)
@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 3), st.integers(1, 4)),
    walk=st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 6), st.integers(1, 3)),
    timesteps=st.integers(1, 3),
    rate=st.sampled_from([0, 0.3, 1.1]),
    stalls=st.sampled_from(STALLS),
)
def test_any_walk(place, shape, walk, timesteps, rate, stalls):
    fetch(place, *shape, *walk, timesteps, rate, stalls, seed=sum(shape))


@pytest.mark.parametrize(("least_bank", "steps"), [(8, 3), (4, 4)])
def test_one_event_a_cycle_after_its_steps(place, least_bank, steps):
    run = fetch(place, 3, 3, 4, 2, 0, 4, least_bank=least_bank)
    assert run.cycles[0] - run.sent[0] == steps
    assert run.cycles[-1] - run.cycles[0] == len(run.beats) - 1
