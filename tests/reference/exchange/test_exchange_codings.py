"""Imports whose images have something of their own for each timestep, and imports of many timesteps, against snnTorch itself."""

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.quantization.quantized import quantized_network
from duospike.reference.exchange.source import Interface

SHAPE = (2, 4, 3)


def leaky(beta=0.5, reset="zero", threshold=6.5):
    return snntorch.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset, init_hidden=True)


def whole_weights(net, seed=3):
    """The modules with whole weights and no bias, in float64."""
    draw = np.random.default_rng(seed)
    for module in net:
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data = torch.from_numpy(draw.integers(-3, 4, module.weight.shape).astype(float))
    return net


def convolution(**neurons):
    return whole_weights(
        nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), leaky(**neurons), nn.Flatten(), nn.Linear(36, 4, bias=False),
                      leaky(threshold=1.5, **neurons)).double()
    )  # fmt: skip


def connected():
    return whole_weights(
        nn.Sequential(nn.Flatten(), nn.Linear(24, 7, bias=False), leaky(threshold=2.5), nn.Linear(7, 4, bias=False),
                      leaky(threshold=1.5)).double()
    )  # fmt: skip


def spikes_of_snntorch(net, images):
    """Spikes [N, T, ...] of each group of neurons. images: [N, T, C, H, W]."""
    neurons = [module for module in net if isinstance(module, snntorch.Leaky)]
    for module in neurons:
        module.reset_mem()
    found = [[] for _ in neurons]
    for t in range(images.shape[1]):
        values, number = torch.from_numpy(images[:, t]).double(), 0
        for module in net:
            values = module(values)
            if module is neurons[number % len(neurons)]:
                found[number].append(values.detach().numpy())
                values, number = values.double(), number + 1
    return [np.stack(one, 1) for one in found]


def random_images(interface, seed=1, count=20):
    low = -(2 ** (interface.image_bits - 1)) if interface.image_signed else 0
    return np.random.default_rng(seed).integers(low, low + 2**interface.image_bits, (count, *interface.image_shape))


def assert_same_spikes(network, net, images):
    trace = golden.run(network, images)
    timed = images if images.ndim == 5 else np.repeat(images[:, None], network.timesteps, axis=1)
    for layer, spikes in zip(network.layers, spikes_of_snntorch(net, timed), strict=True):
        assert np.array_equal(trace.spikes[layer.name].reshape(spikes.shape), spikes), layer.name
        assert spikes.any() and not spikes.all(), layer.name


@pytest.mark.parametrize("signed", [False, True])
def test_frames(signed):
    net, interface = convolution(), Interface(SHAPE, 4, 2, "frames", 4, signed)
    network = exact_network(from_torch(net, interface))
    assert (network.coding, network.image_shape) == ("frames", (4, *SHAPE))
    assert_same_spikes(network, net, random_images(interface))


@pytest.mark.parametrize(("make", "coding", "bits"), [(convolution, "frames", 4), (connected, "events", 1)])
def test_quantized(make, coding, bits):
    """Most spikes are the source's, and images in another order of their timesteps have others."""
    net, interface = make(), Interface(SHAPE, 4, 2, coding, bits)
    images = random_images(interface)
    network = quantized_network(from_torch(net, interface), 4, images)
    layer = network.layers[0].name
    ours, wanted = golden.run(network, images).spikes[layer], spikes_of_snntorch(net, images)[0]
    assert (ours.reshape(wanted.shape) == wanted).mean() > 0.9
    assert not np.array_equal(golden.run(network, images[:, ::-1]).spikes[layer], ours)


@pytest.mark.parametrize(("coding", "bits"), [("direct", 4), ("frames", 4), ("events", 1)])
def test_a_first_fully_connected_layer(coding, bits):
    net, interface = connected(), Interface(SHAPE, 5, 2, coding, bits)
    assert_same_spikes(exact_network(from_torch(net, interface)), net, random_images(interface))


@pytest.mark.parametrize(
    ("timesteps", "neurons"), [(65, {"reset": "subtract", "beta": 1.0}), (300, {"beta": 0.0}), (1024, {"beta": 0.0})]
)
def test_many_timesteps(timesteps, neurons):
    net, interface = convolution(**neurons), Interface(SHAPE, timesteps, 2, "events", 1)
    assert_same_spikes(exact_network(from_torch(net, interface)), net, random_images(interface, count=2))


@pytest.mark.parametrize(
    ("beta", "message"),
    [
        (0.5, "source rounds: .*so that a potential may come within"),
        (5 / 32, r"leak loses bits .* over 1024 timesteps none gets lost if weights of up to 3 steps are 2\^5115 times as large"),
        (1 / 65536, "source rounds"),
    ],
)
def test_what_a_thousand_timesteps_refuse(beta, message):
    """The potential has more bits than the source's floats: its own rounding decides."""
    with pytest.raises(InputError, match=message):
        exact_network(from_torch(convolution(beta=beta), Interface(SHAPE, 1024, 2, "events", 1)))
