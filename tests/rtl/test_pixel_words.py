import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import pack_fields
from duospike.rtl.pixel_words import pixel_words, words_of_image
from tests.benches.stream_bench import STALLS, run_stream


def expected_words(images, channels, inputs):
    """Words of `inputs` values from images [count, pixels, channels]; None where any value will do."""
    if inputs <= channels:
        padded = np.pad(images, ((0, 0), (0, 0), (0, -channels % inputs)))
        return padded.reshape(-1, inputs).tolist()
    per_word, words = inputs // channels, []
    for image in images.tolist():
        for first in range(0, len(image), per_word):
            values = [value for pixel in image[first : first + per_word] for value in pixel]
            words.append([None] * (inputs - len(values)) + values)
    return words


def cut(place, pixels, channels, inputs, bits=3, stalls=(0, 0)):
    images = np.random.default_rng(pixels).integers(0, 2**bits, (3, pixels, channels))
    expected = expected_words(images, channels, inputs)
    assert len(expected) == 3 * words_of_image(pixels, channels * bits, inputs * bits)
    run = run_stream(
        place, pixel_words, pack_fields(images.reshape(-1, channels), bits), widths=(channels * bits, inputs * bits),
        expected=len(expected), stalls=stalls, counted=False, pixels=pixels, pixel_bits=channels * bits, word_bits=inputs * bits,
    )  # fmt: skip
    for word, values in zip(run.beats, expected, strict=True):
        found = [word >> (i * bits) & (2**bits - 1) for i in range(inputs)]
        assert all(value in (None, there) for value, there in zip(values, found, strict=True))
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize(
    ("pixels", "channels", "inputs"), [(5, 1, 2), (7, 2, 6), (4, 3, 6), (3, 4, 2), (2, 5, 2), (6, 1, 6), (1, 3, 1)]
)
def test_words_of_pixels(place, pixels, channels, inputs, stalls):
    cut(place, pixels, channels, inputs, stalls=stalls)


@settings(max_examples=8)
@given(pixels=st.integers(2, 9), channels=st.integers(1, 5), share=st.floats(0, 1), stalls=st.sampled_from(STALLS))
def test_any_words(place, pixels, channels, share, stalls):
    choices = [*range(1, channels), *(channels * n for n in range(2, pixels + 1))]
    cut(place, pixels, channels, choices[int(share * (len(choices) - 1))], stalls=stalls)


def test_a_pixel_or_a_word_a_cycle(place):
    assert np.diff(cut(place, 6, 1, 3).sent).tolist() == [1] * 17
    assert np.diff(cut(place, 6, 4, 2).cycles).tolist() == [1] * 35
