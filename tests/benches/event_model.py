"""The events of a scanner, by plain loops."""

import numpy as np

from duospike.rtl.stream import index_bits


def random_spikes(frames, timesteps, channels, height, width, rate=0.3, seed=1):
    return (np.random.default_rng(seed).random((frames, timesteps, channels, height, width)) < rate).astype(np.uint8)


def pixel_events(spikes):
    """Events (channel, mask, last) of one pixel, spikes [timesteps, channels]; one with an empty mask if it is silent."""
    masks = [sum(int(bit) << t for t, bit in enumerate(column)) for column in spikes.T]
    events = [[channel, mask, 0] for channel, mask in enumerate(masks) if mask] or [[None, 0, 0]]
    events[-1][2] = 1
    return [tuple(event) for event in events]


def expected_scans(spikes, scans, padding, flush, part_channels=None):
    """The scans of spikes [frames, timesteps, channels, height, width], each with its number within its row and its events.

    A frame's flush is a scan of number 0. part_channels: channels scanned at once, by default all. See scanner() for the other
    arguments.
    """
    silent = (None, 0, 1)
    frames, _, channels, height, width = spikes.shape
    part_channels = part_channels or channels
    for frame in range(frames):
        for y in range(height):
            number = 0
            for first in range(0, channels, part_channels):
                for _ in range(scans):
                    pixels = [pixel_events(spikes[frame, :, first : first + part_channels, y, x]) for x in range(width)]
                    yield number, sum(pixels, []) + [silent] * padding
                    number += 1
        yield 0, [silent] * flush


def expected_events(*scanned):
    """The events of all scans; for the arguments see expected_scans()."""
    return [event for _, events in expected_scans(*scanned) for event in events]


def event_words(events, channels, timesteps):
    """The same as the scanner's words."""
    bits = index_bits(channels)
    return [(channel or 0) | mask << bits | last << (bits + timesteps) for channel, mask, last in events]


def weighted_words(scans, weights, channels, timesteps):
    """The words of weight_fetch() for scans of expected_scans(); the weights of an event without spikes are 0."""
    words = []
    for number, events in scans:
        for channel, mask, last in events:
            word = 0 if channel is None else weights.words[number * channels + channel]
            words.append(int(word) | mask << weights.width | last << (weights.width + timesteps))
    return words
