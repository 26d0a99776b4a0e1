"""A second, independent computation of a network: scipy correlations, Python integers, one neuron at a time."""

import numpy as np
from scipy.signal import correlate

from duospike.reference.network import Conv, Linear, Network, Neuron, Pool

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


def neuron_potentials(neuron: Neuron, theta: int, currents: list[int]) -> list[int]:
    """Potentials of one neuron, with one multiplier, for its currents over time; floor division instead of a shift."""
    potentials: list[int] = []
    v = 0
    for current in currents:
        s = 1 if potentials and v > theta else 0
        if neuron.reset == "subtract":
            v = neuron.multiplier * (v - theta * s) // 2**neuron.shift + current
        elif neuron.reset == "subtract_delayed":
            v = neuron.multiplier * v // 2**neuron.shift - theta * s + current
        elif neuron.reset == "zero":
            v = (0 if s else neuron.multiplier * v // 2**neuron.shift) + current
        elif neuron.reset == "none":
            v = neuron.multiplier * v // 2**neuron.shift + current
        potentials.append(v)
    return potentials


def neuron_spikes(neuron: Neuron, theta: int, currents: list[int]) -> list[int]:
    """Spikes of one neuron for its currents over time."""
    return [1 if v > theta else 0 for v in neuron_potentials(neuron, theta, currents)]


def conv_currents(layer: Conv, maps: np.ndarray) -> np.ndarray:
    """[C, H, W] -> [O, H', W'] by correlating channel for channel, with zeros around the map, then windows of them."""
    (down, across), (top, left) = layer.stride, layer.padding
    padded = np.pad(maps, ((0, 0), (top, top), (left, left)))

    def output(kernels: np.ndarray) -> np.ndarray:
        whole = (correlate(plane, kernel, mode="valid", method="direct") for plane, kernel in zip(padded, kernels, strict=True))
        return sum(whole)[::down, ::across]

    currents = np.array([output(kernels) + bias for kernels, bias in zip(layer.weights, layer.bias, strict=True)])
    if layer.current_pool is None:
        return currents
    merge = {"max": np.max, "sum": np.sum}[layer.current_pool.op]
    return windowed(currents, layer.current_pool.kernel, layer.current_pool.kernel, merge)


def linear_currents(layer: Linear, maps: np.ndarray) -> np.ndarray:
    flat = [int(x) for x in maps.reshape(-1)]
    sums = [sum(int(w) * x for w, x in zip(row, flat, strict=True)) for row in layer.weights]
    return (np.array(sums) + layer.bias)[:, None, None]


def windowed(maps: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int], merge) -> np.ndarray:
    """[C, H, W] -> [C, H', W'], of each whole window what `merge` makes of it."""
    (rows, columns), (down, across) = kernel, stride
    channels, height, width = maps.shape
    out = np.zeros((channels, (height - rows) // down + 1, (width - columns) // across + 1), dtype=np.int64)
    for c, y, x in np.ndindex(out.shape):
        out[c, y, x] = merge(maps[c, down * y : down * y + rows, across * x : across * x + columns])
    return out


def pooled(maps: np.ndarray, pool: Pool = Pool("pool1")) -> np.ndarray:  # noqa: B008 (it does not change)
    """Spikes [C, H, W] -> the OR or the sums of their windows."""
    top, left = pool.padding
    padded = np.pad(maps, ((0, 0), (top, top), (left, left)))
    return windowed(padded, pool.kernel, pool.stride, {"or": np.any, "sum": np.sum}[pool.op])


def layer_currents(layer: Conv | Linear, maps: np.ndarray) -> np.ndarray:
    """[T, C, H, W] -> what the neurons take, [T, O, H', W']."""
    return np.array([conv_currents(layer, step) if isinstance(layer, Conv) else linear_currents(layer, step) for step in maps])


def spikes_of(network: Network, image: np.ndarray) -> dict[str, np.ndarray]:
    """Spikes [T, C, H, W] of every layer for one image, of Network.image_shape."""
    maps, trace = encoded(network, image), {}
    for layer in network.layers:
        if isinstance(layer, Conv | Linear):
            currents = layer_currents(layer, maps)
            maps = np.zeros_like(currents)
            for o, y, x in np.ndindex(currents.shape[1:]):
                series = [int(a) for a in currents[:, o, y, x]]
                maps[:, o, y, x] = neuron_spikes(layer.neuron.of_output(o), int(layer.theta[o]), series)
        else:
            maps = np.array([pooled(step, layer) for step in maps])
        trace[layer.name] = maps
    return trace


def scores_of(network: Network, image: np.ndarray, spikes: dict[str, np.ndarray]) -> list[int]:
    """Scores of the classes; spikes: spikes_of() the image."""
    last = spikes[network.layers[-1].name]
    share = last.shape[1] // network.classes
    if network.readout in ("count", "first_spike"):
        of_class = [last[:, n : n + share, 0, 0].sum(1) for n in range(0, last.shape[1], share)]
        if network.readout == "count":
            return [int(counts.sum()) for counts in of_class]
        return [max((network.timesteps - t for t, count in enumerate(counts) if count), default=0) for counts in of_class]
    membranes = membranes_of(network, image, spikes)
    return [int(v) for v in (membranes[-1] if network.readout == "last_membrane" else membranes.max(0))]


def membranes_of(network: Network, image: np.ndarray, spikes: dict[str, np.ndarray]) -> np.ndarray:
    """Potentials [T, O] of the last layer."""
    layer = network.layers[-1]
    assert not isinstance(layer, Pool)
    before = spikes[network.layers[-2].name] if len(network.layers) > 1 else encoded(network, image)
    currents = layer_currents(layer, before)[..., 0, 0]
    of_neuron = [
        neuron_potentials(layer.neuron.of_output(o), int(layer.theta[o]), [int(a) for a in currents[:, o]])
        for o in range(layer.outputs)
    ]
    return np.array(of_neuron).T
