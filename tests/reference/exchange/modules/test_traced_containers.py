"""Containers of SpikingJelly within classes: they take all timesteps, and are called once where neurons are in them."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface

functional = pytest.importorskip("spikingjelly.activation_based.functional")
layer = pytest.importorskip("spikingjelly.activation_based.layer")
neuron = pytest.importorskip("spikingjelly.activation_based.neuron")

STEPS = 3


def neurons():
    return neuron.IFNode(v_threshold=0.5)


class Contained(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        parts = (nn.Conv2d(1, 3, 3, padding=1), neurons(), nn.Flatten(), nn.Linear(108, 4), neurons())
        self.parts = layer.MultiStepContainer(*parts)
        for one in (parts[0], parts[3]):
            one.weight.data = torch.randint(-3, 4, one.weight.shape) / 4
            one.bias.data.zero_()

    def forward(self, x):
        return self.parts(x)


class Twice(Contained):
    def forward(self, x):
        self.parts(x)
        return self.parts(x)


def source_of(net):
    return from_torch(net.eval(), Interface((1, 6, 6), STEPS, image_bits=3, image_scale=Fraction(1, 8)))


def test_a_container_takes_all_timesteps():
    net, images = Contained().eval(), np.random.default_rng(0).integers(0, 8, (30, 1, 6, 6))
    found = golden.run(exact_network(source_of(net)), images).spikes["fc1"][..., 0, 0].sum(1)
    functional.reset_net(net)
    with torch.no_grad():
        wanted = net(torch.from_numpy(images / 8).float().expand(STEPS, *images.shape)).sum(0).numpy()
    assert np.array_equal(found, wanted) and wanted.any()


def test_a_container_with_neurons_is_called_once():
    assert source_of(Twice()).reasons
