"""Moving biases and thresholds to where the spikes are the wanted ones; these are counted one neuron at a time."""

import dataclasses

import numpy as np
import pytest
import torch

from duospike.reference.exchange.quantization.matching import match_spikes
from duospike.reference.network import Conv, Linear, Neuron
from tests.benches.plain_model import conv_currents, linear_currents, neuron_spikes

T, N, HEIGHT, WIDTH = 3, 30, 5, 4


def spikes_of(layer, maps):
    """int64 [T, N, O, H, W]."""
    currents = conv_currents if isinstance(layer, Conv) else linear_currents
    found = np.array([[currents(layer, one) for one in maps[min(t, len(maps) - 1)]] for t in range(T)])
    for n, output, row, column in np.ndindex(found.shape[1:]):
        over_time = neuron_spikes(layer.neuron, int(layer.theta[output]), found[:, n, output, row, column].tolist())
        found[:, n, output, row, column] = over_time
    return found


def wrong_spikes(layer, maps, wanted):
    """Missing or extra spikes of each output, whichever are more."""
    off = wanted - spikes_of(layer, maps)
    return np.maximum((off > 0).sum((0, 1, 3, 4)), (off < 0).sum((0, 1, 3, 4)))


def layer_and_maps(kind, seed=0):
    """A layer of 4 bits, and maps that its timesteps share (a convolution) or do not."""
    generator = np.random.default_rng(seed)
    maps = generator.integers(0, 2, (1 if kind is Conv else T, N, 3, HEIGHT, WIDTH))
    shape = (4, 3, 3, 3) if kind is Conv else (4, 3 * HEIGHT * WIDTH)
    theta = np.array([9, 12, 15, 20])
    name = "conv1" if kind is Conv else "fc1"
    return kind(name, generator.integers(-5, 7, shape), theta * 0, theta, 4, Neuron("subtract", 1, 1)), maps


@pytest.mark.parametrize("kind", [Conv, Linear])
def test_biases_and_thresholds_that_were_moved_away_are_found_again(kind):
    """Most wrong spikes go, and no output gets more of them, the last one, which was right, included."""
    true, maps = layer_and_maps(kind)
    wanted = spikes_of(true, maps)
    start = dataclasses.replace(true, bias=true.bias + [2, 0, -3, 0], theta=true.theta + [0, 5, 2, 0])
    found = match_spikes(start, torch.from_numpy(maps), torch.from_numpy(wanted).byte())
    before, after = wrong_spikes(start, maps, wanted), wrong_spikes(found, maps, wanted)
    assert (before[:3] > 0).all() and (after <= before).all() and after.sum() < before.sum() / 3
    assert np.array_equal(found.weights, true.weights)


@pytest.mark.parametrize("kind", [Conv, Linear])
def test_nothing_moves_where_no_spike_is_wrong(kind):
    true, maps = layer_and_maps(kind)
    found = match_spikes(true, torch.from_numpy(maps), torch.from_numpy(spikes_of(true, maps)).byte())
    for what in ("weights", "bias", "theta"):
        assert np.array_equal(getattr(found, what), getattr(true, what))
