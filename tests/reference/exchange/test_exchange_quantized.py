"""Post-training quantization, measured on images it has not seen."""

from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from snntorch import utils
from torch import nn

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.floats import accuracy
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.quantized import quantized_network
from duospike.reference.exchange.source import Interface
from tests.benches.small_training import SHAPE, bright_quarters

TIMESTEPS = 3


def interface():
    return Interface(SHAPE, TIMESTEPS, 4, image_scale=Fraction(1, 255))


@pytest.fixture(scope="module")
def trained():
    """Trained in floats by snnTorch, batch norm and all, to tell bright quarters apart."""
    torch.manual_seed(0)

    def neurons():
        return snntorch.Leaky(beta=0.9, init_hidden=True)

    net = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), neurons(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 20), neurons()
    )
    data = bright_quarters(200)
    images, labels = torch.from_numpy(data.images / 255).float(), torch.from_numpy(data.labels)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(4):
        for chosen in torch.randperm(200, generator=torch.Generator().manual_seed(epoch)).split(20):
            utils.reset(net)
            counts = sum(net(images[chosen]) for _ in range(TIMESTEPS)).unflatten(1, (4, 5)).sum(-1)
            optimizer.zero_grad()
            nn.functional.cross_entropy(counts, labels[chosen]).backward()
            optimizer.step()
    return net.eval()


def test_more_bits_cost_less_accuracy(trained):
    source, data = from_torch(trained, interface()), bright_quarters(400, seed=1)
    before = accuracy(source, data)
    after = {}
    for bits in (2, 4, 6):
        network = quantized_network(source, bits, bright_quarters(100, seed=2).images, Fraction(115, 128))
        assert all(layer.weight_bits <= bits for layer in network.layers if hasattr(layer, "weights"))
        after[bits] = golden.evaluate(network, data.images, data.labels).accuracy
    assert before > 0.9
    assert abs(after[6] - before) < 0.02
    assert after[6] >= after[2] and after[4] > before - 0.05


def test_calibration_is_worth_it(trained):
    """Against plain rounding to the largest weight, more spikes of the first layer are the source's."""
    source, images = from_torch(trained, interface()), bright_quarters(200, seed=3).images
    from duospike.reference.exchange import quantized
    from duospike.reference.exchange.floats import run

    wanted = dict(run(source, images))["conv1"].transpose(0, 1).numpy()
    shares = []
    for clips, calibration in ((quantized.CLIPS, images), ((1.0,), images[:1] * 0)):
        before, quantized.CLIPS = quantized.CLIPS, clips
        try:
            network = quantized_network(source, 3, calibration, Fraction(115, 128))
        finally:
            quantized.CLIPS = before
        shares.append((golden.run(network, images).spikes["conv1"] == wanted).mean())
    assert shares[0] > shares[1]


def test_what_rounding_cannot_mend_is_refused(trained):
    source, images = from_torch(trained, interface()), bright_quarters(5).images
    with pytest.raises(InputError, match=r"layer conv1 .*, layer fc1 .*: beta 0.9 is not m/2\^k.*take with --beta"):
        quantized_network(source, 4, images)
    with pytest.raises(InputError, match="--quantize 9; allowed: 2 to 8"):
        quantized_network(source, 9, images, Fraction(1, 2))
    with pytest.raises(InputError, match="no calibration images"):
        quantized_network(source, 4, images[:0], Fraction(1, 2))
    bad = from_torch(nn.Sequential(*trained, nn.Linear(20, 4)), interface())
    with pytest.raises(InputError, match="no spiking neurons between it and the end"):
        quantized_network(bad, 4, images, Fraction(1, 2))


def test_a_network_on_the_grid_loses_nothing():
    """Whole weights in range: the best clipping is none, and the integers are those of the exact import."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, bias=False),
        snntorch.Leaky(beta=0.0, threshold=600.0),
        nn.Flatten(),
        nn.Linear(168, 8, bias=False),
        snntorch.Leaky(beta=0.0, threshold=2.0),
    ).eval()
    for layer in (net[0], net[3]):
        layer.weight.data = torch.randint(-7, 8, layer.weight.shape, generator=generator).float()
        layer.weight.data.flatten(1)[:, 0] = 7
    source = from_torch(net, Interface(SHAPE, 2, 4))
    network, exact = quantized_network(source, 4, bright_quarters(50).images), exact_network(source)
    for layer, wanted in zip(network.layers, exact.layers, strict=True):
        assert np.array_equal(layer.weights, wanted.weights)
        assert np.array_equal(layer.theta, wanted.theta) and np.array_equal(layer.bias, wanted.bias)


def test_accuracy_needs_no_more_than_votes(trained):
    source, data = from_torch(trained, interface()), bright_quarters(50, seed=1)
    assert accuracy(source, Dataset(data.images, np.full(50, 9))) == 0
