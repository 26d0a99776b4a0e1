import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.rtl.current_pool import CurrentPool, current_pool
from duospike.rtl.errors import DesignError
from duospike.rtl.stream import groups_of
from tests.benches.stage_bench import current_beats
from tests.benches.stream_bench import STALLS, run_stream


def pooled(currents, op, kernel):
    """Currents [..., rows, columns], window by window."""
    count = [size // k for size, k in zip(currents.shape[-2:], kernel, strict=True)]
    out = np.zeros((*currents.shape[:-2], *count), np.int64)
    for y, x in np.ndindex(*count):
        window = currents[..., y * kernel[0] : (y + 1) * kernel[0], x * kernel[1] : (x + 1) * kernel[1]]
        out[..., y, x] = (window.max if op == "max" else window.sum)((-2, -1))
    return out


def check(place, op, kernel, size, channels=3, lanes=2, timesteps=2, bits=5, stalls=(0, 0), frames=2, seed=1):
    ends = -(2 ** (bits - 1)), 2 ** (bits - 1)
    choose = np.random.default_rng(seed)
    currents = choose.integers(*ends, (frames, timesteps, channels, *size))
    currents[choose.random(currents.shape) < 0.2] = ends[0]
    wide = bits + (kernel[0] * kernel[1] - 1).bit_length() if op == "sum" else bits
    fields, pool = lanes * timesteps, CurrentPool(op=op, kernel=kernel, bits=bits)
    expected = current_beats(pooled(currents, op, kernel), lanes, wide)
    run = run_stream(
        place, current_pool, current_beats(currents, lanes, bits), widths=(fields * bits, fields * wide),
        expected=len(expected), stalls=stalls, counted=False, fields=fields, rows=size[0], columns=size[1],
        groups=groups_of(channels, lanes), bits=wide, pool=pool,
    )  # fmt: skip
    assert run.beats == expected
    return run


CASES = [
    ((2, 2), (4, 6)),
    ((2, 2), (5, 3)),
    ((3, 2), (7, 5)),
    ((1, 3), (2, 7)),
    ((3, 1), (7, 2)),
    ((2, 1), (4, 1)),
    ((4, 5), (4, 5)),
    ((2, 3), (3, 4)),
    ((1, 1), (2, 2)),
]


@pytest.mark.parametrize("op", ["max", "sum"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_windows(place, op, number):
    """Complete and incomplete last windows, one window, windows of one row or column, one group and several."""
    kernel, size = CASES[number]
    check(place, op, kernel, size, channels=(3, 2)[number % 2], stalls=STALLS[number % len(STALLS)], frames=6)


@settings(max_examples=8)
@given(
    op=st.sampled_from(["max", "sum"]),
    axes=st.tuples(*[st.tuples(st.integers(1, 7), st.integers(1, 4))] * 2),
    shape=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 7)),
    stalls=st.sampled_from(STALLS),
)
def test_any_window(place, op, axes, shape, stalls):
    channels, lanes, timesteps, bits = shape
    size, kernel = tuple(n for n, _ in axes), tuple(min(n, k) for n, k in axes)
    check(place, op, kernel, size, channels, min(lanes, channels), timesteps, bits, stalls, seed=sum(shape))


def test_one_beat_a_cycle(place):
    run = check(place, "max", (2, 2), (4, 4), channels=2)
    assert run.sent[-1] - run.sent[0] == len(run.sent) - 1
    assert run.cycles == [sent + 1 for i, sent in enumerate(run.sent) if i // 4 % 2 and i % 2]


@pytest.mark.parametrize(
    ("wrong", "message"), [({"op": "or"}, "op 'or'; allowed: max, sum"), ({"kernel": (0, 2)}, "rows 0"), ({"bits": 0}, "bits 0")]
)
def test_refused(wrong, message):
    with pytest.raises(DesignError, match=message):
        CurrentPool(**{"op": "max", "kernel": (2, 2), "bits": 4} | wrong)
