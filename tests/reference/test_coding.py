"""Rate coding against plain integers, and against what it should be on average; events and frames."""

import dataclasses

import numpy as np
import pytest

from duospike.reference import golden
from duospike.reference.coding import FEEDBACK, REGISTER_BITS, advance, encode, first_states, thresholds
from duospike.reference.data.datasets import random_images
from duospike.reference.errors import InputError
from duospike.reference.widths import prove_widths
from tests.benches.plain_model import first_register, register_after
from tests.benches.small_networks import small_network


def test_a_register_follows_its_polynomial():
    states = np.array([1, 2, 0xDEADBEEF, 2**32 - 1], np.uint32)
    for steps in (1, 5, 40):
        assert advance(states, steps).tolist() == [register_after(int(state), steps) for state in states]


def test_the_period_is_as_long_as_it_can_be():
    """The polynomial is primitive: x^(2^32 - 1) = 1, and no power that leaves out a prime factor of 2^32 - 1 is."""
    columns = [sum(int(bit) << row for row, bit in enumerate(format(register_after(1 << i, 1), "032b")[::-1])) for i in range(32)]

    def apply(matrix, vector):
        total = 0
        for i in range(REGISTER_BITS):
            if vector >> i & 1:
                total ^= matrix[i]
        return total

    def power(matrix, exponent):
        result = [1 << i for i in range(REGISTER_BITS)]
        while exponent:
            if exponent & 1:
                result = [apply(matrix, column) for column in result]
            matrix = [apply(matrix, column) for column in matrix]
            exponent >>= 1
        return result

    identity = [1 << i for i in range(REGISTER_BITS)]
    period = 2**REGISTER_BITS - 1
    assert power(columns, period) == identity
    assert all(power(columns, period // prime) != identity for prime in (3, 5, 17, 257, 65537))
    assert FEEDBACK.bit_length() == REGISTER_BITS


def test_registers_start_apart_and_never_at_zero():
    states = np.concatenate([first_states(3, 64, seed).ravel() for seed in range(200)])
    assert states.min() > 0
    assert states[-1] == first_register(3, 63, 2, 199)
    assert len(np.unique(states)) > 0.999 * len(states)


@pytest.mark.parametrize("bits", [1, 3, 8, 16])
def test_thresholds_are_what_the_registers_show(bits):
    shape, timesteps, seed = (2, 3, 4), 3, 9
    numbers, states = thresholds(shape, timesteps, bits, seed), first_states(2, timesteps, seed)
    for t in range(timesteps):
        for channel in range(2):
            for pixel in range(12):
                expected = register_after(int(states[t, channel]), pixel * bits) % 2**bits
                assert numbers[t, channel, pixel // 4, pixel % 4] == expected


def test_the_share_of_spikes_is_the_pixel():
    values = np.array([0, 1, 64, 128, 200, 255])
    images = np.broadcast_to(values[:, None, None, None], (6, 1, 40, 40))
    shares = encode(images, 25, 8, seed=3).mean((1, 2, 3, 4))
    assert shares[0] == 0
    assert np.abs(shares - values / 256).max() < 0.01


def test_the_timesteps_are_not_alike():
    spikes = encode(np.full((1, 1, 30, 30), 128), 10, 8, seed=1)[0].reshape(10, -1).astype(float)
    correlations = np.corrcoef(spikes) - np.eye(10)
    assert np.abs(correlations).max() < 0.2


def test_an_image_gives_the_same_spikes_wherever_it_stands():
    network = small_network("2C3-FC3", (1, 4, 5), coding="rate", coding_seed=5, timesteps=6)
    images = np.random.default_rng(1).integers(0, 256, (5, 1, 4, 5))
    together, alone = golden.run(network, images), golden.run(network, images[3:4])
    for name, spikes in together.spikes.items():
        assert (spikes[3:4] == alone.spikes[name]).all()


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"coding": "phase"}, "coding 'phase' is unknown; allowed: direct, rate, events, frames"),
        ({"coding": "rate", "image_signed": True}, "rate coding of signed pixels"),
        ({"coding": "events"}, "events of more than one bit"),
        ({"coding": "rate", "coding_seed": -1}, "coding seed -1"),
        ({"coding": "rate", "coding_seed": 2**32}, "allowed: 0 to 2\\^32 - 1"),
    ],
)
def test_codings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        small_network("2C3-FC3", (1, 4, 5), **settings)


@pytest.mark.parametrize(("coding", "bits"), [("events", 1), ("frames", 8)])
def test_events_and_frames_need_all_timesteps(coding, bits):
    network = small_network("2C3-FC3", (1, 4, 5), coding=coding, image_bits=bits, timesteps=3)
    assert network.image_shape == (3, 1, 4, 5)
    with pytest.raises(InputError, match=r"needs \[count, 3, 1, 4, 5\]: 3 timesteps an image"):
        golden.run(network, np.zeros((2, 1, 4, 5), int))


@pytest.mark.parametrize("signed", [False, True])
def test_frames_that_are_all_alike_give_what_the_image_gives(signed):
    """And others do not: each timestep has the currents of its own frame."""
    frames = small_network("2C3-MP2-FC3", (2, 4, 5), coding="frames", timesteps=4, image_signed=signed)
    direct = dataclasses.replace(frames, coding="direct")
    images = random_images(3, frames.image_shape, frames.pixel_range, 1)
    alike = np.repeat(images[:, :1], 4, axis=1)
    ours, theirs = golden.run(frames, alike, with_currents=True), golden.run(direct, images[:, 0], with_currents=True)
    assert all(np.array_equal(ours.spikes[name], spikes) for name, spikes in theirs.spikes.items())
    assert ours.spikes.keys() == theirs.spikes.keys()
    currents = golden.run(frames, images, with_currents=True).currents["conv1"]
    for t in range(4):
        of_frame = golden.run(direct, images[:, t], with_currents=True).currents["conv1"][:, 0]
        assert np.array_equal(currents[:, t], of_frame)
    assert not np.array_equal(currents[:, 0], currents[:, 1])


def test_the_widths_of_frames_are_those_of_pixels():
    frames = small_network("2C3-FC3", (1, 4, 5), coding="frames", timesteps=4, image_bits=5)
    assert prove_widths(frames) == prove_widths(dataclasses.replace(frames, coding="direct"))
    assert frames.input_range == (0, 31) and dataclasses.replace(frames, coding="rate").input_range == (0, 1)
