"""The network that the project ships keeps its promises."""

import dataclasses
from pathlib import Path

from reference.datasets import fashion_mnist
from reference.golden import evaluate
from reference.modelfile import load_model
from reference.network import Neuron, Pool
from reference.settings import read_settings
from reference.train import provenance

MODELS = Path(__file__).parent.parent / "models"
MODEL = MODELS / "fashion-small.safetensors"


def test_is_small_and_says_how_it_was_trained():
    assert MODEL.stat().st_size < 1_000_000
    assert load_model(MODEL).metadata == provenance(read_settings(MODELS / "fashion-small.toml"))


def test_is_the_network_of_its_settings():
    network = load_model(MODEL)
    assert [layer.name for layer in network.layers] == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "fc2"]
    assert network.shapes[0] == (1, 28, 28) and network.shapes[-1] == (100, 1, 1)
    assert (network.timesteps, network.classes) == (2, 10)
    for layer in network.layers:
        assert isinstance(layer, Pool) or (layer.weight_bits, layer.neuron) == (4, Neuron("subtract", 5, 5))


def test_first_1000_test_images():
    test = fashion_mnist("test")
    result = evaluate(load_model(MODEL), test.images[:1000], test.labels[:1000])
    assert result.accuracy >= 0.89
    assert all(0.01 < rate < 0.35 for rate in result.spike_rates.values())


def test_a_damaged_layer_loses_the_accuracy():
    network, test = load_model(MODEL), fashion_mnist("test")
    layers = [dataclasses.replace(layer, weights=-layer.weights) if layer.name == "conv3" else layer for layer in network.layers]
    damaged = dataclasses.replace(network, layers=tuple(layers))
    assert evaluate(damaged, test.images[:300], test.labels[:300]).accuracy < 0.5


def test_at_least_89_percent_of_all_test_images():
    test = fashion_mnist("test")
    assert evaluate(load_model(MODEL), test.images, test.labels).accuracy >= 0.89
