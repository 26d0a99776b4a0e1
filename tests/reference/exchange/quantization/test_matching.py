"""Moving biases and thresholds to where the spikes are the wanted ones; these are counted one neuron at a time."""

import dataclasses

import numpy as np
import pytest
import torch

from duospike.reference.exchange.quantization import matching
from duospike.reference.exchange.quantization.matching import match_spikes, matching_samples
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


def matched(layer, maps, wanted):
    return match_spikes(layer, *matching_samples(layer, torch.from_numpy(maps), torch.from_numpy(wanted).byte()))


@pytest.mark.parametrize("kind", [Conv, Linear])
def test_biases_and_thresholds_that_were_moved_away_are_found_again(kind):
    """Most wrong spikes go, and no output gets more of them, the last one, which was right, included."""
    true, maps = layer_and_maps(kind)
    wanted = spikes_of(true, maps)
    start = dataclasses.replace(true, bias=true.bias + [2, 0, -3, 0], theta=true.theta + [0, 5, 2, 0])
    found = matched(start, maps, wanted)
    before, after = wrong_spikes(start, maps, wanted), wrong_spikes(found, maps, wanted)
    assert (before[:3] > 0).all() and (after <= before).all() and after.sum() < before.sum() / 3
    assert np.array_equal(found.weights, true.weights)


@pytest.mark.parametrize("kind", [Conv, Linear])
def test_nothing_moves_where_no_spike_is_wrong(kind):
    true, maps = layer_and_maps(kind)
    found = matched(true, maps, spikes_of(true, maps))
    for what in ("weights", "bias", "theta"):
        assert np.array_equal(getattr(found, what), getattr(true, what))


def test_samples_are_places_of_all_images(monkeypatch):
    """Pixels count the places, so that a kernel of 1x1 tells where a sum is from."""
    layer = Conv("conv1", np.ones((2, 1, 1, 1), int), np.array([3, 5]), np.array([1, 1]), 2, Neuron("subtract", 1, 1))
    maps = torch.arange(N * HEIGHT * WIDTH).reshape(1, N, 1, HEIGHT, WIDTH)
    wanted = (maps % 3 == 0).byte().expand(T, N, 2, HEIGHT, WIDTH)
    monkeypatch.setattr(matching, "MATCHED_SPIKES", T * 2 * 60)
    sums, spikes = matching_samples(layer, maps, wanted)
    assert sums.shape == (1, 60, 2, 1, 1) and spikes.shape == (T, 60, 2, 1, 1)
    places = sums[0, :, 0, 0, 0]
    assert len(set(places.tolist())) == 60 and len(set((places // (HEIGHT * WIDTH)).tolist())) > 20
    assert (sums == places[:, None, None, None]).all() and (spikes == (places % 3 == 0)[:, None, None, None]).all()
