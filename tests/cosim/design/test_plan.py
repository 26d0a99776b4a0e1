"""Lanes and the layout of weights, against the weights themselves."""

import numpy as np
import pytest

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from tests.benches.small_networks import small_network


def field(word, index, bits):
    value = word >> (index * bits) & (2**bits - 1)
    return value - 2**bits if value >> (bits - 1) else value


CASES = [
    ({"conv1": 2, "conv2": 3, "fc1": 4}, {"conv2": 1, "fc1": 1}),
    ({"conv1": 3, "conv2": 1, "fc1": 6}, {"conv2": 1, "fc1": 5}),
    ({"conv1": 1, "conv2": 2, "fc1": 5}, {"conv2": 3, "fc1": 9}),
]


@pytest.mark.parametrize("lanes, parts", CASES)
def test_every_weight_stands_where_its_event_reads_it(lanes, parts):
    network = small_network("3C3-5C3-MP2-FC6", shape=(2, 6, 7))
    stages = plan_stages(network, choose_sizing(network, lanes, parts))
    dense, conv, _, fc = network.layers
    bits = 4
    for o, c, i, j in np.ndindex(dense.weights.shape):
        word = stages["conv1"].weights.words[o // lanes["conv1"]]
        assert field(word, ((o % lanes["conv1"] * 3 + i) * 3 + j) * 2 + c, bits) == dense.weights[o, c, i, j]
    depth = stages["conv2"].chunks * lanes["conv1"]
    for o, c, i, j in np.ndindex(conv.weights.shape):
        scan = c // depth * stages["conv2"].groups + o // lanes["conv2"]
        word = stages["conv2"].weights.words[scan * depth + c % depth]
        assert field(word, (o % lanes["conv2"] * 3 + 2 - i) * 3 + 2 - j, bits) == conv.weights[o, c, i, j]
    groups_in, inputs = -(-5 // lanes["conv2"]), stages["fc1"].chunks * lanes["conv2"]
    assert stages["fc1"].chunks * parts["fc1"] == groups_in * 3
    for o, c, y, x in np.ndindex(6, 5, 3, 3):
        row_input = (c // lanes["conv2"] * 3 + x) * lanes["conv2"] + c % lanes["conv2"]
        scan = (y * parts["fc1"] + row_input // inputs) * stages["fc1"].groups + o // lanes["fc1"]
        word = stages["fc1"].weights.words[scan * inputs + row_input % inputs]
        assert field(word, o % lanes["fc1"], bits) == fc.weights[o, (c * 3 + y) * 3 + x]
