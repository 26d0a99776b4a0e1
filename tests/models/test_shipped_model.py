"""The networks that the project ships keep their promises."""

import dataclasses
from pathlib import Path

import pytest

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.energy.image_costs import image_costs
from duospike.reference.architecture import NAMED
from duospike.reference.data.datasets import fashion_mnist
from duospike.reference.golden import evaluate
from duospike.reference.modelfile import load_model
from duospike.reference.network import Neuron, Pool
from duospike.reference.training.settings import read_settings
from duospike.reference.training.train import provenance

MODELS = Path(__file__).parents[2] / "models"
MODEL, SPARSE, VGG9, EIGHTH = (
    MODELS / f"fashion-{name}.safetensors" for name in ("small", "sparse", "vgg9", "vgg9-eighth")
)  # fmt: skip
SHIPPED = (MODEL, SPARSE, VGG9, EIGHTH)


@pytest.mark.parametrize("model", SHIPPED)
def test_is_small_and_says_how_it_was_trained(model):
    assert model.stat().st_size < 1_000_000
    assert load_model(model).metadata == provenance(read_settings(model.with_suffix(".toml")))


def test_the_vgg9s_are_narrow_ones_of_the_papers():
    assert read_settings(VGG9.with_suffix(".toml")).architecture == "VGG9/4"
    assert read_settings(EIGHTH.with_suffix(".toml")).architecture == NAMED["VGG9/8"]


def test_is_the_network_of_its_settings():
    network = load_model(MODEL)
    assert [layer.name for layer in network.layers] == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "fc2"]
    assert network.shapes[0] == (1, 28, 28) and network.shapes[-1] == (100, 1, 1)
    assert (network.timesteps, network.classes) == (2, 10)
    for layer in network.layers:
        assert isinstance(layer, Pool) or (layer.weight_bits, layer.neuron) == (4, Neuron("subtract", 5, 5))


@pytest.mark.parametrize("model", [MODEL, EIGHTH, *(pytest.param(one, marks=pytest.mark.slow) for one in (SPARSE, VGG9))])
def test_first_1000_test_images(model):
    test = fashion_mnist("test")
    result = evaluate(load_model(model), test.images[:1000], test.labels[:1000])
    assert result.accuracy >= 0.89
    assert all(0.01 < rate < 0.4 for rate in result.spike_rates.values())


def test_the_sparse_one_needs_thirty_percent_fewer_cycles_than_its_twin():
    """The same accelerator, the same images."""
    images = fashion_mnist("test").images[:10]
    cycles = {}
    for model in (MODEL, SPARSE):
        network = load_model(model)
        cycles[model] = image_costs(network, plan_stages(network, choose_sizing(network)), images).interval
    assert cycles[SPARSE] <= 0.7 * cycles[MODEL]


def test_a_damaged_layer_loses_the_accuracy():
    network, test = load_model(MODEL), fashion_mnist("test")
    layers = [dataclasses.replace(layer, weights=-layer.weights) if layer.name == "conv3" else layer for layer in network.layers]
    damaged = dataclasses.replace(network, layers=tuple(layers))
    assert evaluate(damaged, test.images[:300], test.labels[:300]).accuracy < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("model, told", [(MODEL, 0.9174), (SPARSE, 0.9184), (VGG9, 0.9240), (EIGHTH, 0.9025)])
def test_the_accuracy_that_is_published(model, told):
    test = fashion_mnist("test")
    assert evaluate(load_model(model), test.images, test.labels).accuracy == pytest.approx(told, abs=5e-5)
