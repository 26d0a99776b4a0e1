from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import image_beats, spike_beats
from duospike.reference.network import CurrentPool
from duospike.rtl.checks import RESETS
from duospike.rtl.dense_core import dense_core
from tests.benches.stage_bench import expected_spikes, plan_stage, possible_less, random_conv, run_dense, with_fault
from tests.benches.stream_bench import run_stream

NATIVE_STALLS = [(0, 0), (128, 128), (0, 200), (200, 0)]


def random_images(count, *shape, bits, signed, seed=1):
    low = -(2 ** (bits - 1)) if signed else 0
    return np.random.default_rng(seed).integers(low, low + 2**bits, (count, *shape))


def dense_layer(channels, outputs, kernel, kind="subtract", bits=4, image_bits=8, seed=1, stride=(1, 1), less=(0, 0)):
    """A random layer whose biases and thresholds are of the size of its currents."""
    layer = random_conv(outputs, channels, kernel, stride, less, kind=kind, bits=bits, seed=seed)
    scale = 2**image_bits // 4
    layer.bias[:] *= scale
    layer.theta[:] *= scale
    return layer


def check(
    native, channels=1, outputs=3, height=4, width=5, kernel=(3, 3), lanes=2, timesteps=2, kind="subtract", bits=4,
    image_bits=8, signed=False, frames=2, stalls=(0, 0), seed=1, stride=(1, 1), less=(0, 0), coding="direct",
):  # fmt: skip
    layer = dense_layer(channels, outputs, kernel, kind, bits, image_bits, seed, stride, less)
    shape = (channels, height, width)
    stage = plan_stage(layer, shape, lanes, timesteps=timesteps, image_bits=image_bits, image_signed=signed, coding=coding)
    timed = (timesteps, *shape) if coding == "frames" else shape
    images = random_images(frames, *timed, bits=image_bits, signed=signed, seed=seed)
    return stage, run_dense(native, stage, layer, images, stalls)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 5)])
def test_images_and_kernels(native, kernel, channels, signed):
    check(native, channels=channels, kernel=kernel, signed=signed)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
def test_neurons_timesteps_and_stalls(native, timesteps, stalls):
    check(native, kind=RESETS[timesteps % 3], timesteps=timesteps, stalls=stalls)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
def test_frames_in_one_pass(native, timesteps, stalls):
    stage, run = check(native, channels=2, signed=timesteps % 2 == 0, timesteps=timesteps, stalls=stalls, coding="frames")
    assert run.activity["busy"] == 2 * 20 * timesteps * stage.groups


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(2, 8), st.integers(2, 8)),
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    less=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    lanes=st.integers(1, 4),
    timesteps=st.integers(1, 4),
    kind=st.sampled_from(RESETS),
    bits=st.integers(2, 8),
    image=st.tuples(st.sampled_from([1, 2, 8, 10]), st.booleans()),
    stalls=st.sampled_from(NATIVE_STALLS),
    coding=st.sampled_from(["direct", "frames"]),
)
def test_any_core(native, shape, kernel, stride, less, lanes, timesteps, kind, bits, image, stalls, coding):
    lanes, less = min(lanes, shape[1]), possible_less(shape[2:], kernel, less)
    check(
        native, *shape, kernel, lanes, timesteps, kind, bits, *image, frames=3, stalls=stalls, seed=sum(shape), stride=stride,
        less=less, coding=coding,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "size", "stride", "less"),
    [
        ((3, 3), (7, 6), (2, 2), (0, 0)), ((5, 5), (7, 7), (1, 1), (2, 2)), ((2, 2), (6, 6), (2, 2), (0, 0)),
        ((7, 4), (8, 9), (4, 2), (0, 1)), ((1, 5), (1, 20), (1, 2), (0, 2)), ((7, 7), (1, 1), (1, 1), (0, 0)),
        ((5, 7), (4, 2), (1, 1), (0, 0)), ((3, 1), (2, 1), (2, 1), (0, 0)),
    ],
)  # fmt: skip
def test_output_windows_and_small_images(native, kernel, size, stride, less):
    """Back to back, and held back."""
    check(native, 2, 3, *size, kernel, stride=stride, less=less, frames=3)
    check(native, 2, 3, *size, kernel, stride=stride, less=less, frames=3, stalls=(60, 180))


@pytest.mark.slow
def test_multipliers_are_busy(native):
    """28 x 28, two images back to back: busy in at least 95 % of all cycles, from the first pixel to the last beat."""
    stage, run = check(native, outputs=8, height=28, width=28, lanes=4)
    assert run.activity["busy"] == 2 * 28 * 28 * stage.groups
    assert run.activity["busy"] >= 0.95 * run.outcome.cycles


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stalls", [(0, 0), (0.5, 0.5), (0.2, "late")])
@pytest.mark.parametrize("coding", ["direct", "frames"])
def test_in_all_simulators(place, coding, signed, stalls):
    layer = dense_layer(2, 3, (3, 3), image_bits=4)
    stage = plan_stage(layer, (2, 3, 4), 2, timesteps=2, image_bits=4, image_signed=signed, coding=coding)
    maps = random_images(2, stage.frames, 2, 3, 4, bits=4, signed=signed)
    expected = spike_beats(expected_spikes(layer, np.repeat(maps, stage.repeat, axis=1)), 2)
    beats = image_beats(maps, 4, frames=stage.frames)
    run = run_stream(place, dense_core, beats, widths=(stage.input_bits, 4), expected=len(expected), stalls=stalls, stage=stage)
    assert tuple(run.beats) == expected


@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(native, what):
    layer, images = dense_layer(1, 2, (3, 3)), random_images(1, 1, 6, 6, bits=8, signed=False)
    wrong = with_fault(layer, what, (1, 0, 0, 2), step=200)
    assert (expected_spikes(wrong, images[:, None]) != expected_spikes(layer, images[:, None])).any()
    stage = plan_stage(wrong, (1, 6, 6), 2, image_bits=8)
    with pytest.raises(AssertionError):
        run_dense(native, stage, layer, images)


@pytest.mark.parametrize("op", ["max", "sum"])
def test_pools_of_currents(native, op):
    layer = replace(random_conv(5, 2, (3, 3)), current_pool=CurrentPool(op, (2, 3)))
    images = np.random.default_rng(1).integers(0, 16, (3, 2, 5, 7))
    stage = plan_stage(layer, (2, 5, 7), 2, image_bits=4)
    run_dense(native, stage, layer, images, (60, 120))
