"""Packing of tensors to beats, against one bit at a time."""

import numpy as np
import pytest

from duospike.cosim.design.beats import PackedFields, beat_spikes, grouped, image_beats, pack_fields, spike_beats


@pytest.mark.parametrize("bits", [1, 3, 8, 13])
def test_fields_are_twos_complement_from_the_lowest_bits_up(bits):
    low, high = (0, 2) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    values = np.random.default_rng(bits).integers(low, high, (5, 7))
    for word, fields in zip(pack_fields(values, bits), values, strict=True):
        assert word == sum((int(value) % 2**bits) << (i * bits) for i, value in enumerate(fields))


def test_the_last_group_is_filled_with_zeros():
    assert grouped(np.array([1, 2, 3, 4, 5]), 2).tolist() == [[1, 2], [3, 4], [5, 0]]


@pytest.mark.parametrize("lanes", [1, 2, 3, 5])
def test_spike_beats_come_by_image_row_group_and_column(lanes):
    spikes = np.random.default_rng(lanes).integers(0, 2, (2, 3, 5, 2, 4))
    expected = [
        sum(int(spikes[n, t, c, y, x]) << ((c - first) * 3 + t) for c in range(first, min(first + lanes, 5)) for t in range(3))
        for n in range(2)
        for y in range(2)
        for first in range(0, 5, lanes)
        for x in range(4)
    ]
    assert list(spike_beats(spikes, lanes)) == expected


def test_spike_beats_of_an_image_come_pass_by_pass():
    spikes = np.random.default_rng(3).integers(0, 2, (2, 6, 5, 2, 4))
    passes = [spike_beats(spikes[n : n + 1, first : first + 2], 3) for n in range(2) for first in (0, 2, 4)]
    assert spike_beats(spikes, 3, 2) == tuple(beat for beats in passes for beat in beats)


@pytest.mark.parametrize("lanes, timesteps", [(1, 6), (3, 2), (5, 3), (5, 1), (9, 6)])
def test_spikes_of_an_image_come_back_from_its_beats(lanes, timesteps):
    """Each bit of each beat is looked up where spike_beats' own test says it is."""
    shape = (5, 2, 4)
    groups, passes = -(-5 // lanes), 6 // timesteps
    words = [
        int(word) for word in np.random.default_rng(lanes).integers(0, 2 ** min(60, lanes * timesteps), passes * 2 * groups * 4)
    ]
    spikes = beat_spikes(words, shape, lanes, timesteps)
    assert spikes.shape == (6, *shape)
    for t, c, y, x in np.ndindex(spikes.shape):
        frame, step = divmod(t, timesteps)
        group, lane = divmod(c, lanes)
        word = words[((frame * 2 + y) * groups + group) * 4 + x]
        assert spikes[t, c, y, x] == word >> (lane * timesteps + step) & 1


def test_image_beats_come_again_in_each_pass():
    images = np.random.default_rng(4).integers(0, 16, (2, 1, 2, 3))
    one, two = (image_beats(images[n : n + 1], 4) for n in range(2))
    assert image_beats(images, 4, 3) == one * 3 + two * 3


@pytest.mark.parametrize("bits", [1, 4, 7])
def test_packed_fields_know_their_number_before_they_are_packed(bits):
    values = np.random.default_rng(bits).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (5, 3))
    words = PackedFields(values, bits)
    assert len(words) == 5
    assert "words" not in vars(words)
    assert tuple(words) == pack_fields(values, bits)


def test_image_beats_hold_a_pixel_with_channel_0_lowest():
    images = np.array([[[[1, -1]], [[2, -8]]]])
    assert image_beats(images, 4) == (0x21, 0x8F)
