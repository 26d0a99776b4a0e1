import numpy as np
import pytest

from duospike.reference.architecture import NAMED, LayerSpec, architecture_of, blank_network, parse
from duospike.reference.errors import InputError
from duospike.reference.network import CurrentPool, Neuron


def test_names_count_by_kind():
    names = [spec.name for spec in parse("16C3-32C3-MP2-32C3-MP2-FC128-FC100")]
    assert names == ["conv1", "conv2", "pool1", "conv3", "pool2", "fc1", "fc2"]


def test_sizes():
    assert parse("12C5-MP2-FC7") == (
        LayerSpec("conv1", "conv", 12, (5, 5), padding=(2, 2)),
        LayerSpec("pool1", "pool", 0, (2, 2), (2, 2), op="or"),
        LayerSpec("fc1", "fc", 7),
    )


def test_windows():
    assert parse("12C5s2p1-8C4x7s1x3+MP2x1-6C2p0+AP3-MP3s2p1-AP4x2-FC7") == (
        LayerSpec("conv1", "conv", 12, (5, 5), (2, 2), (1, 1)),
        LayerSpec("conv2", "conv", 8, (4, 7), (1, 3), (1, 3), current_pool=CurrentPool("max", (2, 1))),
        LayerSpec("conv3", "conv", 6, (2, 2), current_pool=CurrentPool("sum", (3, 3))),
        LayerSpec("pool1", "pool", 0, (3, 3), (2, 2), (1, 1), "or"),
        LayerSpec("pool2", "pool", 0, (4, 2), (4, 2), op="sum"),
        LayerSpec("fc1", "fc", 7),
    )


@pytest.mark.parametrize("name, divisor", [("VGG9", 1), ("VGG9/2", 2), ("VGG9/4", 4), ("VGG9/8", 8)])
def test_narrower_networks_have_every_layer_a_share_as_wide(name, divisor):
    assert parse(name) == parse(NAMED[name])
    *widths, last = [spec.outputs for spec in parse(name) if spec.outputs]
    assert [width * divisor for width in widths] == [64, 112, 192, 216, 480, 504, 560, 1064]
    assert last % 10 == 0 and 0 <= last - 1000 / divisor < 10


@pytest.mark.parametrize(
    "text, word, layer, character",
    [
        ("16C3-32X3-FC10", "32X3", 2, 6),
        ("16C3-32C4s", "32C4s", 2, 6),
        ("16C3-MP-FC10", "MP", 2, 6),
        ("16C3-8C3p1s1-FC10", "8C3p1s1", 2, 6),
        ("16C3-8C3+FP2-FC10", "8C3+FP2", 2, 6),
        ("0C3-FC10", "0C3", 1, 1),
        ("16C3--FC10", "", 2, 6),
        ("16C3-FC10 ", "FC10 ", 2, 6),
        ("", "", 1, 1),
        ("16c3-FC10", "16c3", 1, 1),
    ],
)
def test_unknown_layer_is_named_with_its_position(text, word, layer, character):
    with pytest.raises(InputError) as caught:
        parse(text)
    message = str(caught.value)
    assert f"{word!r} (layer {layer}, character {character})" in message
    assert "nCk" in message and "\n" not in message


def test_blank_network_has_the_shapes_of_the_architecture():
    network = blank_network(
        "4C3-MP2-6C5-FC10", input_shape=(3, 9, 7), classes=5, timesteps=3, weight_bits=2, neuron=Neuron("zero", 1, 1)
    )
    assert network.shapes == ((3, 9, 7), (4, 9, 7), (4, 4, 3), (6, 4, 3), (10, 1, 1))
    assert not any(np.any(layer.weights) for layer in network.layers if hasattr(layer, "weights"))


@pytest.mark.parametrize(
    "text", ["4C3-MP2-6C5-FC10", "7C1-9C3-FC3-FC5", "3C4s2+AP2-2C1x3p0-MP3x2s1-AP2x1-FC10", "2C3s1x2-MP3p1-FC5", *NAMED]
)
def test_the_architecture_of_a_network_is_the_string_of_which_it_was_made(text):
    network = blank_network(text, input_shape=(1, 28, 28), classes=5, timesteps=1, weight_bits=2, neuron=Neuron("zero", 1, 1))
    assert architecture_of(network) == text


def test_blank_network_refuses_what_a_network_refuses():
    with pytest.raises(InputError, match="fc1: 10 neurons do not divide into 4 classes"):
        blank_network("4C3-FC10", input_shape=(1, 5, 5), classes=4, timesteps=1, weight_bits=4, neuron=Neuron("zero", 1, 1))


@pytest.mark.parametrize(
    "architecture, shape, message",
    [
        ("4C3-FC10", (3, 100000, 100000), "400000000108 weights up to layer fc1; allowed: up to 33554432"),
        ("1000000C5-FC10", (1000, 4, 4), "25000000000 weights up to layer conv1; allowed: up to 33554432"),
        ("4C3-FC999999999", (1, 4000000000, 4000000000), "[0-9]* weights up to layer fc1; allowed"),
        ("1C3-MP2-MP2-MP2-MP2-MP2-MP2-MP2-FC10", (1, 8192, 8192), "input: map of 1x8192x8192, 67108864 values; allowed"),
        ("9" * 5000 + "C3-FC10", (1, 5, 5), "unknown layer"),
    ],
)
def test_networks_that_fit_no_memory(architecture, shape, message):
    with pytest.raises(InputError, match=message):
        blank_network(architecture, input_shape=shape, classes=10, timesteps=1, weight_bits=4, neuron=Neuron("zero", 1, 1))
