import numpy as np
import pytest

from duospike.cosim.design.beats import pack_fields
from duospike.rtl.current_sum import current_sum, part_bits
from duospike.rtl.memory import Table
from tests.benches.stream_bench import STALLS, run_stream

BITS = 6


def add(place, *, lanes=2, words=3, timesteps=2, repeat=1, groups=2, frames=3, stalls=(0, 0)):
    """Random parts whose partial sums, the bias included, fit BITS; words 0: whole currents."""
    choose = np.random.default_rng(words * 10 + timesteps)
    low, high = -(2 ** (BITS - 1)), 2 ** (BITS - 1)
    totals = choose.integers(low, high, (frames, groups, words + 1, timesteps, lanes))  # after the bias and each word
    bias = choose.integers(low, high, (groups, lanes))
    if words:
        totals[:, :, 0] = bias[:, None]
        parts = np.diff(totals, axis=2)
    else:
        parts = totals
    table = Table("bias.hex", lanes * BITS, pack_fields(bias, BITS)) if words else None
    width, expected = part_bits(BITS, words), frames * groups
    run = run_stream(
        place, current_sum, pack_fields(parts.reshape(-1, lanes), width),
        widths=(lanes * width, lanes * timesteps * repeat * BITS), expected=expected, stalls=stalls, counted=False, lanes=lanes,
        words=words, timesteps=timesteps, repeat=repeat, current_bits=BITS, bias=table,
    )  # fmt: skip
    currents = np.repeat(totals[:, :, -1].swapaxes(2, 3), repeat, axis=3)  # [frame, group, lane, t]
    assert tuple(run.beats) == pack_fields(currents.reshape(expected, -1), BITS)
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("words", "timesteps", "repeat"), [(3, 2, 1), (2, 1, 2), (0, 3, 1)])
def test_sums_of_words(place, words, timesteps, repeat, stalls):
    add(place, words=words, timesteps=timesteps, repeat=repeat, stalls=stalls)


@pytest.mark.parametrize(
    ("lanes", "words", "timesteps", "repeat", "groups"), [(1, 1, 1, 1, 1), (3, 1, 4, 1, 1), (1, 5, 1, 4, 3), (2, 0, 2, 1, 1)]
)
def test_any_shape(place, lanes, words, timesteps, repeat, groups):
    add(place, lanes=lanes, words=words, timesteps=timesteps, repeat=repeat, groups=groups, stalls=(0.3, 0.3))


def test_a_beat_a_cycle(place):
    run = add(place, words=2, timesteps=2)
    assert np.diff(run.sent).tolist() == [1] * (len(run.sent) - 1)
    assert run.cycles[0] - run.sent[3] == 1
