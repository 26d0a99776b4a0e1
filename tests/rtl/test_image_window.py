import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import pack_fields
from duospike.rtl.image_window import image_window
from tests.benches.stream_bench import STALLS, run_stream

PIXEL_BITS = 5


def expected_windows(images, kernel, groups, out_rows, out_columns):
    """Windows [windows, rows * columns] of images [frames, height, width], each row of outputs once for each group."""
    (rows, columns), windows = kernel, []
    for image in images:
        padded = np.pad(image, [(size // 2, (size - 1) // 2) for size in kernel])
        for y in out_rows:
            row = [padded[y : y + rows, x : x + columns].reshape(-1) for x in out_columns]
            windows += row * groups
    return np.array(windows)


def slide(place, height, width, kernel, groups, out_rows=None, out_columns=None, frames=3, stalls=(0, 0), seed=1):
    out_rows, out_columns = out_rows or range(height), out_columns or range(width)
    images = np.random.default_rng(seed).integers(1, 2**PIXEL_BITS, (frames, height, width))
    expected = pack_fields(expected_windows(images, kernel, groups, out_rows, out_columns), PIXEL_BITS)
    run = run_stream(
        place, image_window, images.reshape(-1).tolist(), widths=(PIXEL_BITS, kernel[0] * kernel[1] * PIXEL_BITS),
        expected=len(expected), stalls=stalls, seed=seed, counted=False, height=height, width=width, out_rows=out_rows,
        out_columns=out_columns, kernel=kernel, groups=groups, pixel_bits=PIXEL_BITS,
    )  # fmt: skip
    assert tuple(run.beats) == expected
    return run


K1, K3, K5 = (1, 1), (3, 3), (5, 5)


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("kernel", [K1, K3, K5, (4, 2)])
def test_windows_under_stalls(place, kernel, stalls):
    slide(place, 4, 5, kernel, 2, stalls=stalls)


@st.composite
def places(draw):
    """A size, and a range of places on it."""
    size = draw(st.integers(1, 8))
    first = draw(st.integers(0, size - 1))
    return size, range(first, draw(st.integers(first, size - 1)) + 1, draw(st.integers(1, 3)))


@settings(max_examples=8)
@given(
    rows=places(),
    columns=places(),
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    groups=st.integers(1, 3),
    stalls=st.sampled_from(STALLS),
)
def test_any_size(place, rows, columns, kernel, groups, stalls):
    (height, out_rows), (width, out_columns) = rows, columns
    slide(place, height, width, kernel, groups, out_rows, out_columns, stalls=stalls, seed=height + width)


@pytest.mark.parametrize(("height", "width"), [(3, 3), (3, 7), (6, 3), (1, 1), (1, 4), (5, 1), (2, 2)])
@pytest.mark.parametrize("kernel", [K1, K3, K5, (2, 4), (7, 6)])
@pytest.mark.parametrize("groups", [1, 3])
def test_small_images(place, height, width, kernel, groups):
    slide(place, height, width, kernel, groups)


@pytest.mark.parametrize("stalls", [(0, 0), (0.3, 0.5)])
@pytest.mark.parametrize(
    ("kernel", "out_rows", "out_columns"),
    [(K3, range(0, 6, 2), range(0, 7, 2)), (K5, range(2, 4), range(2, 5)), ((2, 4), range(1, 6, 2), range(1, 7, 3)),
     (K1, range(5, 6), range(1))],
)  # fmt: skip
def test_output_windows(place, kernel, out_rows, out_columns, stalls):
    """Those that leave come in the cycles in which they come when all leave."""
    run = slide(place, 6, 7, kernel, 2, out_rows, out_columns, stalls=stalls)
    if stalls == (0, 0):
        whole = slide(place, 6, 7, kernel, 2)
        due = [y in out_rows and x in out_columns for y in range(6) for _ in range(2) for x in range(7)] * 3
        assert run.cycles == [cycle for cycle, leaves in zip(whole.cycles, due, strict=True) if leaves]


@pytest.mark.parametrize("kernel", [K1, K3, K5])
def test_one_window_a_cycle_over_rows_and_frames(place, kernel):
    """With two passes a row pixels arrive faster than they are used, but for the first rows of a frame."""
    height, width = 6, 7
    run = slide(place, height, width, kernel, 2, frames=3)
    radius = kernel[0] // 2
    gaps = run.cycles[-1] - run.cycles[0] - (len(run.beats) - 1)
    assert run.cycles[0] - run.sent[0] <= (radius + 1) * width + radius + 4
    # Two passes over a row take two rows' time, so the radius rows that a frame needs in advance are there in time.
    assert gaps == 0
