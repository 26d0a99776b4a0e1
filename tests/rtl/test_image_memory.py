import numpy as np
import pytest

from duospike.rtl.image_memory import image_memory
from tests.benches.stream_bench import STALLS, run_stream

BITS = 4


def keep(place, words, scans, images=4, stalls=(0, 0)):
    beats = np.random.default_rng(words).integers(0, 2**BITS, (images, words))
    run = run_stream(
        place, image_memory, beats.reshape(-1).tolist(), widths=(BITS, BITS), expected=images * scans * words, stalls=stalls,
        counted=False, words=words, scans=scans,
    )  # fmt: skip
    assert run.beats == np.repeat(beats, scans, axis=0).reshape(-1).tolist()
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(("words", "scans"), [(1, 1), (1, 3), (2, 1), (5, 2), (3, 4)])
def test_each_image_again_and_again(place, words, scans, stalls):
    keep(place, words, scans, stalls=stalls)


@pytest.mark.parametrize(("words", "scans"), [(2, 3), (5, 2), (3, 4)])
def test_images_come_as_fast_as_they_are_read(place, words, scans):
    """So that now and then one is whole in the very cycle in which the bank of another one is freed."""
    keep(place, words, scans, images=40, stalls=(1 - 1 / scans, 0))


@pytest.mark.parametrize(("words", "scans"), [(1, 1), (4, 1), (3, 3)])
def test_a_word_a_cycle(place, words, scans):
    run = keep(place, words, scans)
    assert np.diff(run.cycles).tolist() == [1] * (4 * words * scans - 1)
    assert run.cycles[0] - run.sent[words - 1] == 2
