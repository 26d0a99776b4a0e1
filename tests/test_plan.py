"""Lanes and the layout of weights, against the weights themselves."""

import numpy as np
import pytest
from small_networks import small_network

from cosim.plan import choose_lanes, plan_stages
from reference.errors import InputError
from rtl.errors import DesignError


def field(word, index, bits):
    value = word >> (index * bits) & (2**bits - 1)
    return value - 2**bits if value >> (bits - 1) else value


def test_lanes_default_to_eight_or_all_outputs():
    network = small_network("3C3-20C3-FC9")
    assert choose_lanes(network) == {"conv1": 3, "conv2": 8, "fc1": 8}
    assert choose_lanes(network, {"conv2": 20}) == {"conv1": 3, "conv2": 20, "fc1": 8}
    assert choose_lanes(network, 2) == {"conv1": 2, "conv2": 2, "fc1": 2}


@pytest.mark.parametrize("lanes", [0, -1, 4])
def test_lanes_a_layer_cannot_have_are_refused_by_name(lanes):
    with pytest.raises(DesignError, match=f"layer conv1: {lanes} lanes; allowed: 1 to 3"):
        choose_lanes(small_network(), {"conv1": lanes})


def test_lanes_of_an_unknown_layer_are_refused():
    with pytest.raises(InputError, match="'pool1': no such layer; allowed: conv1, conv2, fc1"):
        choose_lanes(small_network(), {"pool1": 2})


@pytest.mark.parametrize("lanes", [{"conv1": 2, "conv2": 3, "fc1": 4}, {"conv1": 3, "conv2": 1, "fc1": 6}])
def test_every_weight_stands_where_its_event_reads_it(lanes):
    network = small_network("3C3-5C3-MP2-FC6", shape=(2, 6, 7))
    stages = plan_stages(network, lanes)
    dense, conv, _, fc = network.layers
    bits = 4
    for o, c, i, j in np.ndindex(dense.weights.shape):
        word = stages["conv1"].weights.words[o // lanes["conv1"]]
        assert field(word, ((o % lanes["conv1"] * 3 + i) * 3 + j) * 2 + c, bits) == dense.weights[o, c, i, j]
    depth = stages["conv2"].chunks * lanes["conv1"]
    for o, c, i, j in np.ndindex(conv.weights.shape):
        word = stages["conv2"].weights.words[o // lanes["conv2"] * depth + c]
        assert field(word, (o % lanes["conv2"] * 3 + 2 - i) * 3 + 2 - j, bits) == conv.weights[o, c, i, j]
    groups_in, inputs = -(-5 // lanes["conv2"]), stages["fc1"].chunks * lanes["conv2"]
    assert stages["fc1"].chunks == groups_in * 3
    for o, c, y, x in np.ndindex(6, 5, 3, 3):
        row_input = (c // lanes["conv2"] * 3 + x) * lanes["conv2"] + c % lanes["conv2"]
        word = stages["fc1"].weights.words[(y * stages["fc1"].groups + o // lanes["fc1"]) * inputs + row_input]
        assert field(word, o % lanes["fc1"], bits) == fc.weights[o, (c * 3 + y) * 3 + x]
