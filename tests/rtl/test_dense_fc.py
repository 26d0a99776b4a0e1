import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import image_beats, spike_beats
from duospike.reference.network import Linear
from duospike.rtl.checks import RESETS
from duospike.rtl.dense_fc import dense_fc
from tests.benches.stage_bench import expected_spikes, plan_stage, random_layer, run_dense, with_fault
from tests.benches.stream_bench import run_stream

NATIVE_STALLS = [(0, 0), (128, 128), (0, 200), (200, 0)]


def random_images(count, *shape, bits, signed, seed=1):
    low = -(2 ** (bits - 1)) if signed else 0
    return np.random.default_rng(seed).integers(low, low + 2**bits, (count, *shape))


def connected(inputs, outputs, kind="subtract", bits=4, image_bits=8, seed=1):
    """A random layer whose biases and thresholds are of the size of its currents."""
    layer = random_layer(Linear, (outputs, inputs), kind, bits=bits, seed=seed)
    scale = max(1, 2**image_bits // 4)
    layer.bias[:] *= scale
    layer.theta[:] *= scale
    return layer


def check(
    native, channels=2, outputs=5, height=3, width=4, multipliers=4, lanes=2, timesteps=2, kind="subtract", bits=4, image_bits=8,
    signed=False, coding="direct", frames=3, stalls=(0, 0), seed=1,
):  # fmt: skip
    shape = (channels, height, width)
    layer = connected(channels * height * width, outputs, kind, bits, image_bits, seed)
    stage = plan_stage(
        layer, shape, lanes, timesteps=timesteps, image_bits=image_bits, image_signed=signed, coding=coding,
        multipliers=multipliers,
    )  # fmt: skip
    timed = (timesteps, *shape) if coding == "frames" else shape
    images = random_images(frames, *timed, bits=image_bits, signed=signed, seed=seed)
    return stage, run_dense(native, stage, layer, images, stalls)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("coding", ["direct", "frames"])
@pytest.mark.parametrize(("channels", "multipliers"), [(1, 1), (1, 5), (1, 12), (3, 2), (3, 3), (3, 15)])
def test_words_of_any_size(native, channels, multipliers, coding, signed):
    """Parts of a pixel, whole pixels, the whole image; the last word of an image or of a pixel is full or is not."""
    check(native, channels=channels, multipliers=multipliers, coding=coding, signed=signed)


@pytest.mark.parametrize(("timesteps", "stalls"), list(enumerate(NATIVE_STALLS, start=1)))
@pytest.mark.parametrize("coding", ["direct", "frames"])
def test_neurons_timesteps_and_stalls(native, coding, timesteps, stalls):
    check(native, kind=RESETS[timesteps % 3], timesteps=timesteps, coding=coding, stalls=stalls)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 7), st.integers(1, 5), st.integers(1, 5)),
    share=st.floats(0, 1),
    lanes=st.integers(1, 4),
    timesteps=st.integers(1, 4),
    kind=st.sampled_from(RESETS),
    bits=st.integers(2, 8),
    image=st.tuples(st.sampled_from([1, 2, 8, 10]), st.booleans()),
    coding=st.sampled_from(["direct", "frames"]),
    stalls=st.sampled_from(NATIVE_STALLS),
)
def test_any_stage(native, shape, share, lanes, timesteps, kind, bits, image, coding, stalls):
    channels, outputs, height, width = shape
    choices = [*range(1, channels + 1), *(channels * n for n in range(2, height * width + 1))]
    multipliers = choices[int(share * (len(choices) - 1))]
    check(
        native, *shape, multipliers, min(lanes, outputs), timesteps, kind, bits, *image, coding, stalls=stalls, seed=sum(shape)
    )  # fmt: skip


@pytest.mark.parametrize(("multipliers", "words"), [(2, 28 * 28), (8, 28 * 7), (10, 157), (1, 2 * 28 * 28)])
def test_cycles_are_groups_times_words(native, multipliers, words):
    """Images back to back: from the first word to the last no cycle is lost, while the next image comes in."""
    stage, run = check(native, outputs=20, height=28, width=28, multipliers=multipliers, lanes=4, bits=2, image_bits=2)
    assert stage.group_words == words
    assert run.activity["busy"] == 3 * stage.groups * words
    before = max(28 * 28, words) + 20
    assert run.outcome.cycles <= run.activity["busy"] + before


@pytest.mark.parametrize("stalls", [(0, 0), (0.5, 0.5), (0.2, "late")])
@pytest.mark.parametrize(("coding", "signed", "multipliers"), [("direct", False, 1), ("frames", True, 2), ("direct", True, 8)])
def test_in_all_simulators(place, coding, signed, multipliers, stalls):
    layer = connected(12, 3, image_bits=4)
    stage = plan_stage(
        layer, (2, 2, 3), 2, timesteps=2, image_bits=4, image_signed=signed, coding=coding, multipliers=multipliers
    )
    maps = random_images(3, stage.frames, 2, 2, 3, bits=4, signed=signed)
    expected = spike_beats(expected_spikes(layer, np.repeat(maps, stage.repeat, axis=1)), 2)
    beats = image_beats(maps, 4, frames=stage.frames)
    run = run_stream(place, dense_fc, beats, widths=(stage.input_bits, 4), expected=len(expected), stalls=stalls, stage=stage)
    assert tuple(run.beats) == expected


@pytest.mark.parametrize("what", ["weights", "bias", "theta"])
def test_a_planted_fault_is_seen(native, what):
    layer, images = connected(12, 2), random_images(12, 1, 3, 4, bits=8, signed=False)
    wrong = with_fault(layer, what, (1, 7), step=1000)
    assert (expected_spikes(wrong, images[:, None]) != expected_spikes(layer, images[:, None])).any()
    stage = plan_stage(wrong, (1, 3, 4), 2, image_bits=8, multipliers=4)
    with pytest.raises(AssertionError):
        run_dense(native, stage, layer, images)
