"""Small random networks for tests of conversion and co-simulation."""

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.reference.network import Network, Neuron
from duospike.reference.training.random_network import random_network


def small_network(architecture="3C3-5C3-MP2-FC6", shape=(1, 6, 7), reset="subtract", **settings) -> Network:
    wanted = {"rate": 0.25, "seed": 4, "classes": 3, "neuron": Neuron(reset, 5, 5)} | settings
    return random_network(architecture, input_shape=shape, **wanted)


def small_stages(network: Network, lanes=None):
    return plan_stages(network, choose_sizing(network, lanes))
