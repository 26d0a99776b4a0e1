"""How an image reaches a spiking network: as it is (direct), as random spikes (rate), or as what each timestep has of its own:
events, which are spikes already, or frames of pixels.

Rate coding compares each pixel with a pseudo-random number, at every timestep anew: a spike where the pixel is larger. Each
channel has at each timestep a linear feedback shift register of its own, which starts every image from the same state and
moves on from pixel to pixel, row by row. So the spikes of an image depend on nothing but the image and the seed.
"""

from __future__ import annotations

import functools

import numpy as np

CODINGS = ("direct", "rate", "events", "frames")
SPIKE_CODINGS = ("rate", "events")
"""Those with which the first layer takes spikes; with the others it takes pixels."""
TIMED_CODINGS = ("events", "frames")
"""Those whose images have something of its own for each timestep: [T, C, H, W]."""
ENCODER = "encoder"
"""The name of the encoder's spikes in a trace."""
REGISTER_BITS = 32
FEEDBACK = 0x80200003
"""Taps of the Galois register: x^32 + x^22 + x^2 + x + 1, a primitive polynomial, so that the period is 2^32 - 1."""


def advance(states: np.ndarray, steps: int) -> np.ndarray:
    """States of registers, uint32, after that many steps: shift right, and take in FEEDBACK where a 1 falls out."""
    for _ in range(steps):
        states = (states >> np.uint32(1)) ^ (states & np.uint32(1)) * np.uint32(FEEDBACK)
    return states


def first_states(channels: int, timesteps: int, seed: int) -> np.ndarray:
    """Where the registers start: uint32 [timesteps, channels], none of them 0 (a register would stay there)."""
    index = np.arange(timesteps * channels, dtype=np.uint64).reshape(timesteps, channels)
    mask = np.uint64(2**32 - 1)
    mixed = (np.uint64(seed) * np.uint64(0x9E3779B1) + index + np.uint64(1)) & mask
    # The last steps of MurmurHash3 spread neighbouring numbers over the whole range.
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = ((mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)) & mask
    mixed ^= mixed >> np.uint64(16)
    return np.where(mixed == 0, np.uint64(1), mixed).astype(np.uint32)


@functools.lru_cache(maxsize=8)
def thresholds(shape: tuple[int, int, int], timesteps: int, bits: int, seed: int) -> np.ndarray:
    """The random numbers that pixels are compared with: `bits` low bits of the registers, uint16 [timesteps, *shape]."""
    channels, height, width = shape
    states, numbers = first_states(channels, timesteps, seed), []
    for _ in range(height * width):
        numbers.append((states & np.uint32(2**bits - 1)).astype(np.uint16))
        states = advance(states, bits)
    return np.stack(numbers, axis=-1).reshape(timesteps, channels, height, width)


def encode(images: np.ndarray, timesteps: int, bits: int, seed: int) -> np.ndarray:
    """Spikes uint8 [N, T, C, H, W] of unsigned images [N, C, H, W] of `bits` bits; the chance of pixel p is p / 2^bits."""
    return (images[:, None] > thresholds(images.shape[1:], timesteps, bits, seed)[None]).astype(np.uint8)
