"""Small random networks for tests of conversion and co-simulation."""

from dataclasses import replace

import numpy as np

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.reference.network import Network, Neuron, Pool
from duospike.reference.training.random_network import random_network


def small_network(architecture="3C3-5C3-MP2-FC6", shape=(1, 6, 7), reset="subtract", leaks=False, **settings) -> Network:
    """leaks: each channel has one of its own."""
    wanted = {"rate": 0.25, "seed": 4, "classes": 3, "neuron": Neuron(reset, 5, 5)} | settings
    network = random_network(architecture, input_shape=shape, **wanted)
    return with_leaks(network, wanted["seed"]) if leaks else network


def with_leaks(network: Network, seed: int) -> Network:
    """The network with a multiplier for each channel."""
    choose = np.random.default_rng(seed)

    def changed(layer):
        if isinstance(layer, Pool):
            return layer
        each = choose.integers(0, 2**layer.neuron.shift + 1, layer.outputs)
        return replace(layer, neuron=replace(layer.neuron, multiplier=tuple(each.tolist())))

    return replace(network, layers=tuple(map(changed, network.layers)))


def small_stages(network: Network, lanes=None):
    return plan_stages(network, choose_sizing(network, lanes))
