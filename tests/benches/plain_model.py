"""A second, independent computation of a network: scipy correlations, Python integers, one neuron at a time."""

import numpy as np
from scipy.signal import correlate

from duospike.reference.network import Conv, Linear, Network, Neuron

POWERS = (32, 22, 2, 1)
"""Of the polynomial that rate coding's registers follow, except the constant 1."""


def register_after(state: int, steps: int) -> int:
    """A register of rate coding as a polynomial, divided by x in each step."""
    for _ in range(steps):
        lowest = state % 2
        state //= 2
        if lowest:
            for power in POWERS:
                state ^= 1 << (power - 1)
    return state


def first_register(channels: int, timestep: int, channel: int, seed: int) -> int:
    """Where the register of a channel and timestep starts: the last steps of MurmurHash3 on its number."""
    word = (seed * 0x9E3779B1 + timestep * channels + channel + 1) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        word = (word ^ word // 2**shift) * factor % 2**32
    return word or 1


def encoded(network: Network, image: np.ndarray) -> np.ndarray:
    """What reaches the first layer [T, C, H, W]: the image again and again, frames, events, or the encoder's spikes."""
    if network.coding == "direct":
        return np.array([image.astype(np.int64)] * network.timesteps)
    if network.coding != "rate":
        return image.astype(np.int64)
    channels, height, width = network.input_shape
    spikes = np.zeros((network.timesteps, channels, height, width), np.int64)
    for t, c in np.ndindex(network.timesteps, channels):
        state = first_register(channels, t, c, network.coding_seed)
        for y, x in np.ndindex(height, width):
            spikes[t, c, y, x] = int(image[c, y, x]) > state % 2**network.image_bits
            state = register_after(state, network.image_bits)
    return spikes


def neuron_spikes(neuron: Neuron, theta: int, currents: list[int]) -> list[int]:
    """Spikes of one neuron for its currents over time; floor division instead of a shift."""
    spikes, v, s = [], 0, 0
    for current in currents:
        if neuron.reset == "subtract":
            v = neuron.multiplier * (v - theta * s) // 2**neuron.shift + current
        elif neuron.reset == "subtract_delayed":
            v = neuron.multiplier * v // 2**neuron.shift - theta * s + current
        elif neuron.reset == "zero":
            v = (0 if s else neuron.multiplier * v // 2**neuron.shift) + current
        s = 1 if v > theta else 0
        spikes.append(s)
    return spikes


def conv_currents(layer: Conv, maps: np.ndarray) -> np.ndarray:
    """[C, H, W] -> [O, H, W] by correlating channel for channel."""

    def output(kernels: np.ndarray) -> np.ndarray:
        return sum(correlate(plane, kernel, mode="same", method="direct") for plane, kernel in zip(maps, kernels, strict=True))

    return np.array([output(kernels) + bias for kernels, bias in zip(layer.weights, layer.bias, strict=True)])


def linear_currents(layer: Linear, maps: np.ndarray) -> np.ndarray:
    flat = [int(x) for x in maps.reshape(-1)]
    sums = [sum(int(w) * x for w, x in zip(row, flat, strict=True)) for row in layer.weights]
    return (np.array(sums) + layer.bias)[:, None, None]


def pooled(maps: np.ndarray) -> np.ndarray:
    channels, height, width = maps.shape
    out = np.zeros((channels, height // 2, width // 2), dtype=np.int64)
    for c, y, x in np.ndindex(out.shape):
        out[c, y, x] = maps[c, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].any()
    return out


def spikes_of(network: Network, image: np.ndarray) -> dict[str, np.ndarray]:
    """Spikes [T, C, H, W] of every layer for one image, of Network.image_shape."""
    maps, trace = encoded(network, image), {}
    for layer in network.layers:
        if isinstance(layer, Conv | Linear):
            if isinstance(layer, Conv):
                currents = np.array([conv_currents(layer, step) for step in maps])
            else:
                currents = np.array([linear_currents(layer, step) for step in maps])
            maps = np.zeros_like(currents)
            for o, y, x in np.ndindex(currents.shape[1:]):
                series = [int(a) for a in currents[:, o, y, x]]
                maps[:, o, y, x] = neuron_spikes(layer.neuron, int(layer.theta[o]), series)
        else:
            maps = np.array([pooled(step) for step in maps])
        trace[layer.name] = maps
    return trace


def votes_of(network: Network, last: np.ndarray) -> list[int]:
    """Votes per class from the spikes [T, O, 1, 1] of the last layer."""
    votes = [0] * network.classes
    share = last.shape[1] // network.classes
    for t, n in np.ndindex(last.shape[:2]):
        votes[n // share] += int(last[t, n, 0, 0])
    return votes
