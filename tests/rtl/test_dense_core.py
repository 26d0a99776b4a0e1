from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import image_beats, spike_beats
from duospike.reference.network import RESETS, Conv, CurrentPool
from duospike.rtl.dense_core import dense_core
from tests.benches.stage_bench import expected_spikes, plan_stage, random_layer, run_dense, with_fault
from tests.benches.stream_bench import run_stream

NATIVE_STALLS = [(0, 0), (128, 128), (0, 200), (200, 0)]


def random_images(count, channels, height, width, bits, signed, seed=1):
    low = -(2 ** (bits - 1)) if signed else 0
    return np.random.default_rng(seed).integers(low, low + 2**bits, (count, channels, height, width))


def dense_layer(channels, outputs, kernel, kind="subtract", bits=4, image_bits=8, seed=1):
    """A random layer whose biases and thresholds are of the size of its currents."""
    layer = random_layer(Conv, (outputs, channels, kernel, kernel), kind, bits=bits, seed=seed)
    scale = 2**image_bits // 4
    layer.bias[:] *= scale
    layer.theta[:] *= scale
    return layer


def check(
    native, channels=1, outputs=3, height=4, width=5, kernel=3, lanes=2, timesteps=2, kind="subtract", bits=4, image_bits=8,
    signed=False, frames=2, stalls=(0, 0), seed=1,
):  # fmt: skip
    layer = dense_layer(channels, outputs, kernel, kind, bits, image_bits, seed)
    shape = (channels, height, width)
    stage = plan_stage(layer, shape, lanes, timesteps=timesteps, image_bits=image_bits, image_signed=signed)
    images = random_images(frames, *shape, image_bits, signed, seed)
    return stage, run_dense(native, stage, layer, images, stalls)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_images_and_kernels(native, kernel, channels, signed):
    check(native, channels=channels, kernel=kernel, signed=signed)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
def test_neurons_timesteps_and_stalls(native, timesteps, stalls):
    check(native, kind=RESETS[timesteps % 3], timesteps=timesteps, stalls=stalls)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(3, 8), st.integers(3, 8)),
    kernel=st.sampled_from([1, 3, 5]),
    lanes=st.integers(1, 4),
    timesteps=st.integers(1, 4),
    kind=st.sampled_from(RESETS),
    bits=st.integers(2, 8),
    image=st.tuples(st.sampled_from([1, 2, 8, 10]), st.booleans()),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_core(native, shape, kernel, lanes, timesteps, kind, bits, image, stalls):
    lanes = min(lanes, shape[1])
    check(native, *shape, kernel, lanes, timesteps, kind, bits, *image, frames=3, stalls=stalls, seed=sum(shape))


def test_multipliers_are_busy(native):
    """28 x 28, two images back to back: busy in at least 95 % of all cycles, from the first pixel to the last beat."""
    stage, run = check(native, outputs=8, height=28, width=28, lanes=4)
    assert run.activity["busy"] == 2 * 28 * 28 * stage.groups
    assert run.activity["busy"] >= 0.95 * run.outcome.cycles


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stalls", [(0, 0), (0.5, 0.5), (0.2, "late")])
def test_in_all_simulators(place, signed, stalls):
    layer = dense_layer(2, 3, 3, image_bits=4)
    images = random_images(2, 2, 3, 4, 4, signed)
    stage = plan_stage(layer, (2, 3, 4), 2, timesteps=2, image_bits=4, image_signed=signed)
    maps = np.repeat(images[:, None], 2, axis=1)
    expected = spike_beats(expected_spikes(layer, maps), 2)
    run = run_stream(place, dense_core, image_beats(images, 4), widths=(8, 4), expected=len(expected), stalls=stalls, stage=stage)
    assert tuple(run.beats) == expected


@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(native, what):
    layer, images = dense_layer(1, 2, 3), random_images(1, 1, 6, 6, 8, False)
    wrong = with_fault(layer, what, (1, 0, 0, 2), step=200)
    assert (expected_spikes(wrong, images[:, None]) != expected_spikes(layer, images[:, None])).any()
    stage = plan_stage(wrong, (1, 6, 6), 2, image_bits=8)
    with pytest.raises(AssertionError):
        run_dense(native, stage, layer, images)


@pytest.mark.parametrize("op", ["max", "sum"])
def test_pools_of_currents(native, op):
    layer = replace(random_layer(Conv, (5, 2, 3, 3)), current_pool=CurrentPool(op, (2, 3)))
    images = np.random.default_rng(1).integers(0, 16, (3, 2, 5, 7))
    stage = plan_stage(layer, (2, 5, 7), 2, image_bits=4)
    run_dense(native, stage, layer, images, (60, 120))
