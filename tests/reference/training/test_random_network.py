import numpy as np
import pytest

from duospike.reference.data.datasets import random_images
from duospike.reference.errors import InputError
from duospike.reference.golden import evaluate
from duospike.reference.network import RESETS, Neuron, Pool
from duospike.reference.training.random_network import random_network
from duospike.reference.training.settings import parse_neuron


def make(architecture="8C3-12C3-MP2-FC64-FC20", shape=(3, 12, 11), rate=0.1, seed=1, reset="subtract", **options):
    return random_network(architecture, input_shape=shape, rate=rate, seed=seed, neuron=Neuron(reset, 5, 5), **options)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_layers_spike_at_the_wanted_rate_on_other_images(reset, rate):
    network = make(rate=rate, reset=reset)
    images = random_images(100, network.input_shape, network.pixel_range, 999)
    rates = evaluate(network, images, None).spike_rates
    for layer in network.layers:
        if not isinstance(layer, Pool):
            assert rates[layer.name] == pytest.approx(rate, rel=0.3), layer.name


def test_arguments_reach_the_network():
    network = make("4C5-FC6", (2, 5, 6), timesteps=3, weight_bits=3, classes=3, image_bits=5, image_signed=True)
    assert network.shapes == ((2, 5, 6), (4, 5, 6), (6, 1, 1))
    assert (network.timesteps, network.classes, network.pixel_range) == (3, 3, (-16, 15))
    for layer in network.layers:
        assert layer.weight_bits == 3 and np.abs(layer.weights).max() == 3
        assert layer.neuron == Neuron("subtract", 5, 5)


def test_same_seed_same_network():
    first, again, other = (make(seed=seed) for seed in (1, 1, 2))
    for what in ("weights", "bias", "theta"):
        assert np.array_equal(getattr(first.layers[0], what), getattr(again.layers[0], what))
        assert not np.array_equal(getattr(first.layers[0], what), getattr(other.layers[0], what))


def test_the_metadata_is_enough_to_make_it_again():
    options = {"timesteps": 3, "weight_bits": 3, "classes": 3, "image_bits": 5, "image_signed": True}
    network = make("4C5-FC6", (2, 5, 6), rate=0.25, seed=7, **options)
    assert network.metadata == {
        "origin": "duospike random",
        "architecture": "4C5-FC6",
        "input": "2x5x6",
        "rate": "0.25",
        "seed": "7",
        "reset": "subtract",
        "beta": "5/32",
        "classes": "3",
        "timesteps": "3",
        "weight_bits": "3",
        "image_bits": "5",
        "image_signed": "True",
        "coding": "direct",
        "coding_seed": "0",
    }
    assert parse_neuron(network.metadata["reset"], network.metadata["beta"]) == network.layers[0].neuron


def test_a_negative_seed():
    with pytest.raises(InputError, match="seed -1; allowed: 0 or more"):
        make(seed=-1)


@pytest.mark.parametrize("rate", [0, 1, -0.1, float("nan")])
def test_impossible_rates(rate):
    with pytest.raises(InputError, match="rate .*; allowed: above 0 and below 1"):
        make(rate=rate)


def test_what_float32_cannot_carry_is_refused():
    with pytest.raises(InputError, match="layer conv1: .* magnitudes below 16777216"):
        make("2C5-FC10", (3, 6, 6), weight_bits=8, image_bits=16)
