import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.rtl.crop import Crop, crop
from duospike.rtl.errors import DesignError
from tests.benches.stream_bench import STALLS, run_stream

FRAMES = 2


def check(place, rows, columns, groups, kept_rows, kept_columns, stalls=(0, 0)):
    places = [(y, x) for _ in range(FRAMES) for y in range(rows) for _ in range(groups) for x in range(columns)]
    beats = [7 * number % 61 for number in range(len(places))]
    kept = [beat for beat, (y, x) in zip(beats, places, strict=True) if y < kept_rows and x < kept_columns]
    sizes = Crop(rows=rows, columns=columns, groups=groups, kept_rows=kept_rows, kept_columns=kept_columns)
    assert len(kept) == FRAMES * sizes.kept_beats
    run = run_stream(place, crop, beats, widths=(6, 6), expected=len(kept), stalls=stalls, counted=False, sizes=sizes)
    assert run.beats == kept
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("sizes", [(3, 5, 2, 2, 4), (3, 2, 1, 2, 2), (2, 7, 3, 2, 6), (1, 2, 1, 1, 1), (4, 1, 2, 3, 1)])
def test_keeps_the_first_rows_and_columns(place, sizes, stalls):
    check(place, *sizes, stalls)


@settings(max_examples=6)
@given(
    rows=st.tuples(st.integers(1, 5), st.integers(0, 3)),
    columns=st.tuples(st.integers(1, 5), st.integers(1, 3)),
    groups=st.integers(1, 3),
    stalls=st.sampled_from(STALLS),
)
def test_any_map(place, rows, columns, groups, stalls):
    check(place, sum(rows), sum(columns), groups, rows[0], columns[0], stalls)


def test_a_beat_a_cycle_within_its_cycle(place):
    run = check(place, 3, 3, 1, 2, 2)
    assert run.sent[-1] - run.sent[0] == len(run.sent) - 1
    assert set(run.cycles) <= set(run.sent)


def test_dropped_beats_wait_for_nobody(place):
    """A sink that takes long holds back only what it gets."""
    run = check(place, 4, 4, 1, 1, 1, stalls=(0, 0.9))
    assert len(run.sent) == FRAMES * 16


@pytest.mark.parametrize("wrong", [{"kept_rows": 4}, {"kept_columns": 0}, {"kept_columns": 3}, {"groups": 0}])
def test_refused(wrong):
    with pytest.raises(DesignError, match=f"crop: {next(iter(wrong))}"):
        Crop(**{"rows": 3, "columns": 3, "groups": 1, "kept_rows": 3, "kept_columns": 2} | wrong)
