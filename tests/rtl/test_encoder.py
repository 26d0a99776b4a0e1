import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duospike.cosim.design.beats import image_beats, pack_fields, spike_beats
from duospike.reference.coding import FEEDBACK, REGISTER_BITS, encode, first_states
from duospike.rtl.encoder import Encoder, encoder
from duospike.rtl.memory import Table
from tests.benches.stream_bench import STALLS, run_stream


def check(place, channels, height, width, bits, timesteps, passes, stalls=(0, 0), seed=1):
    images = np.random.default_rng(seed).integers(0, 2**bits, (3, channels, height, width))
    states = first_states(channels, timesteps * passes, seed).astype(np.int64)
    words = states.reshape(passes, timesteps, channels).transpose(0, 2, 1).reshape(passes, -1)
    table = Table("states.hex", channels * timesteps * REGISTER_BITS, pack_fields(words, REGISTER_BITS))
    stage = Encoder(
        height=height, width=width, lanes=channels, image_bits=bits, timesteps=timesteps, register_bits=REGISTER_BITS,
        feedback=FEEDBACK, states=table,
    )  # fmt: skip
    expected = spike_beats(encode(images, timesteps * passes, bits, seed), channels, timesteps)
    run = run_stream(
        place, encoder, image_beats(images, bits, passes), widths=(stage.input_bits, stage.output_bits), expected=len(expected),
        stalls=stalls, stage=stage,
    )  # fmt: skip
    assert tuple(run.beats) == expected
    return run


@pytest.mark.parametrize("stalls", STALLS)
def test_spikes_are_those_of_the_reference(place, stalls):
    check(place, 2, 3, 4, 8, 2, 3, stalls)


@settings(max_examples=6)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    bits=st.integers(1, 16),
    timesteps=st.tuples(st.integers(1, 4), st.integers(1, 3)),
    stalls=st.sampled_from(STALLS),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_image(place, shape, bits, timesteps, stalls, seed):
    check(place, *shape, bits, *timesteps, stalls, seed)


def test_one_pixel_a_cycle(place):
    run = check(place, 1, 4, 5, 8, 2, 2)
    assert run.sent[-1] - run.sent[0] == len(run.sent) - 1
    assert run.counts["busy"] == len(run.sent)
