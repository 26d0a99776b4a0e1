"""Words to bytes, against struct."""

import random
import struct

import pytest

from duospike.rtl.word_bytes import word_bytes
from tests.benches.stream_bench import STALLS, run_stream


@pytest.mark.parametrize("stalls", STALLS)
def test_the_lowest_byte_comes_first(place, stalls):
    rng = random.Random(str(stalls))
    words = [rng.getrandbits(32) for _ in range(12)]
    run = run_stream(place, word_bytes, words, widths=(32, 8), expected=48, stalls=stalls, counted=False)
    assert bytes(run.beats) == struct.pack("<12I", *words)
    if stalls == (0, 0):
        assert run.cycles[-1] - run.cycles[0] == 47
