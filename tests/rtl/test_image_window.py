import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import pack_fields
from duospike.rtl.image_window import image_window
from tests.benches.stream_bench import STALLS, run_stream

PIXEL_BITS = 5


def expected_windows(images, kernel, groups):
    """Windows [windows, kernel * kernel] of images [frames, height, width], each row of outputs once for each group."""
    radius, windows = kernel // 2, []
    for image in images:
        padded = np.pad(image, radius)
        for y in range(image.shape[0]):
            row = [padded[y : y + kernel, x : x + kernel].reshape(-1) for x in range(image.shape[1])]
            windows += row * groups
    return np.array(windows)


def slide(place, height, width, kernel, groups, frames=3, stalls=(0, 0), seed=1):
    images = np.random.default_rng(seed).integers(1, 2**PIXEL_BITS, (frames, height, width))
    expected = pack_fields(expected_windows(images, kernel, groups), PIXEL_BITS)
    run = run_stream(
        place, image_window, images.reshape(-1).tolist(), widths=(PIXEL_BITS, kernel * kernel * PIXEL_BITS),
        expected=len(expected), stalls=stalls, seed=seed, counted=False, height=height, width=width, kernel=kernel,
        groups=groups, pixel_bits=PIXEL_BITS,
    )  # fmt: skip
    assert tuple(run.beats) == expected
    return run


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_windows_under_stalls(place, kernel, stalls):
    slide(place, 4, 5, kernel, 2, stalls=stalls)


@settings(max_examples=5)
@given(
    size=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    kernel=st.sampled_from([1, 3, 5]),
    groups=st.integers(1, 3),
    stalls=st.sampled_from(STALLS),
)
def test_any_size(place, size, kernel, groups, stalls):
    slide(place, *size, kernel, groups, stalls=stalls, seed=sum(size))


@pytest.mark.parametrize(("height", "width"), [(3, 3), (3, 7), (6, 3)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("groups", [1, 3])
def test_small_images(place, height, width, kernel, groups):
    slide(place, height, width, kernel, groups)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_one_window_a_cycle_over_rows_and_frames(place, kernel):
    """With two passes a row pixels arrive faster than they are used, but for the first rows of a frame."""
    height, width = 6, 7
    run = slide(place, height, width, kernel, 2, frames=3)
    radius = kernel // 2
    gaps = run.cycles[-1] - run.cycles[0] - (len(run.beats) - 1)
    assert run.cycles[0] - run.sent[0] <= (radius + 1) * width + radius + 4
    # Two passes over a row take two rows' time, so the radius rows that a frame needs in advance are there in time.
    assert gaps == 0
