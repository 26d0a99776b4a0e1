"""Post-training quantization, measured on images it has not seen."""

import dataclasses
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
from duospike.reference.exchange.floats import run
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.quantization.agreement import compare, paired_interval
from duospike.reference.exchange.quantization.quantized import quantized_network
from duospike.reference.exchange.source import Interface
from tests.benches.small_training import SHAPE, bright_quarters

TIMESTEPS = 3


def interface(**options):
    return Interface(SHAPE, TIMESTEPS, 4, image_scale=Fraction(1, 255), **options)


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


def test_more_bits_cost_less(trained):
    source, data = from_torch(trained, interface()), bright_quarters(400, seed=1)
    found = {}
    for bits in (2, 4, 6):
        network = quantized_network(source, bits, bright_quarters(100, seed=2).images)
        assert all(layer.weight_bits <= bits for layer in network.layers if hasattr(layer, "weights"))
        found[bits] = compare(source, network, data)
    assert found[6].before > 0.9
    assert abs(found[6].after - found[6].before) < 0.02 and found[4].after > found[4].before - 0.03
    for name in ("conv1", "fc1"):
        assert found[6].other_spikes[name] < found[4].other_spikes[name] < found[2].other_spikes[name]


def test_agreement_is_that_of_all_spikes_and_answers(trained):
    source, data = from_torch(trained, interface()), bright_quarters(70, seed=1)
    network = quantized_network(source, 2, bright_quarters(30, seed=2).images)
    found = compare(source, network, Dataset(data.images, None))
    assert found.before is None and found.after is None and found.images == 70
    trace, wanted = golden.run(network, data.images), dict(run(source, data.images))
    for name in ("conv1", "fc1"):
        assert found.other_spikes[name] == (trace.spikes[name].swapaxes(0, 1) != wanted[name].numpy()).mean() > 0
    assert list(found.other_spikes) == ["conv1", "fc1"]
    answers = wanted["fc1"].sum(0).reshape(70, 4, 5).sum(-1).argmax(1).numpy()
    assert found.equal_answers == (answers == trace.predicted).mean()
    labelled = compare(source, network, data)
    assert labelled.before == (answers == data.labels).mean() and labelled.after == (trace.predicted == data.labels).mean()
    with pytest.raises(InputError, match="no images to compare on"):
        compare(source, network, Dataset(data.images[:0], None))


def test_the_cost_has_its_interval(trained):
    """Classes are turned by one, so that each answer is; a third of the labels are those of the turned classes."""
    source, data = from_torch(trained, interface()), bright_quarters(60, seed=1)
    network = quantized_network(source, 8, data.images)
    *layers, last = network.layers
    last = dataclasses.replace(last, **{what: np.roll(getattr(last, what), 5, 0) for what in ("weights", "bias", "theta")})
    answers = golden.run(network, data.images).predicted
    labels = np.where(np.arange(60) % 3 == 0, (answers + 1) % 4, answers)
    found = compare(source, dataclasses.replace(network, layers=(*layers, last)), Dataset(data.images, labels))
    assert found.equal_answers == 0 and found.cost.startswith("-33.33 (")
    # 20 gained and 40 lost of 60, with half an image more in each of the four cells: differences of -1, 0 and 1.
    cells = np.repeat([1, -1, 0], [41, 81, 2]) / 1.0
    spread = 1.96 * cells.std() / np.sqrt(62)
    assert found.interval == pytest.approx((cells.mean() - spread, cells.mean() + spread))


def test_no_change_on_few_images_is_no_proof():
    low, high = paired_interval(0, 0, 10)
    assert low < -0.1 and high > 0.1 and paired_interval(0, 0, 10_000)[1] < 0.001


def test_the_same_source_and_images_give_the_same_integers(trained):
    source, images = from_torch(trained, interface()), bright_quarters(60, seed=3).images
    first, second = (quantized_network(source, 3, images) for _ in range(2))
    for layer, again in zip(first.layers, second.layers, strict=True):
        assert layer.name == again.name
        for what in ("weights", "bias", "theta"):
            assert np.array_equal(getattr(layer, what, 0), getattr(again, what, 0))


def test_leaks_are_the_nearest_or_those_that_are_named(trained):
    source, images = from_torch(trained, interface()), bright_quarters(20, seed=3).images
    for leaks, wanted in [({}, [(29, 5), (29, 5)]), ({"fc1": Fraction(7, 8)}, [(29, 5), (7, 3)])]:
        conv, _, fc = quantized_network(source, 3, images, leaks).layers
        assert [(layer.neuron.multiplier, layer.neuron.shift) for layer in (conv, fc)] == wanted


def test_a_leak_that_is_too_wide_becomes_a_shorter_one(trained):
    """At 8 bits and 64 timesteps the potential of the first layer is so large that 461 times it reaches 2^24."""
    source, images = from_torch(trained, dataclasses.replace(interface(), timesteps=64)), bright_quarters(5, seed=3).images
    conv, _, fc = quantized_network(source, 8, images).layers
    assert conv.neuron.shift < 9 and (fc.neuron.multiplier, fc.neuron.shift) == (461, 9)
    with pytest.raises(InputError, match="layer conv1: leak multiplier times potential can reach"):
        quantized_network(source, 8, images, {"conv1": Fraction(461, 512)})


def test_what_rounding_cannot_fix_is_refused(trained):
    source, images = from_torch(trained, interface()), bright_quarters(5).images
    with pytest.raises(InputError, match="--quantize 9; allowed: 2 to 8"):
        quantized_network(source, 9, images)
    with pytest.raises(InputError, match="no calibration images"):
        quantized_network(source, 4, images[:0])
    with pytest.raises(InputError, match="pixels from 0 to 256; the source takes 0..255"):
        quantized_network(source, 4, np.full((1, *SHAPE), 256) * np.arange(2)[:, None, None, None])
    bad = from_torch(nn.Sequential(*trained, nn.Linear(20, 4)), interface(readout="count"))
    with pytest.raises(InputError, match="no spiking neurons between it and the end"):
        quantized_network(bad, 4, images)
    wrong = dataclasses.replace(
        source, layers=(dataclasses.replace(source.layers[0], betas=(Fraction(5, 4),)), *source.layers[1:])
    )
    with pytest.raises(InputError, match=r"layer conv1 .*: beta 1.25; allowed: 0 to 1 \[option --beta m/2\^k\]"):
        quantized_network(wrong, 4, images)


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


def test_an_output_without_weights_keeps_its_spikes():
    """One that its bias alone brings to the threshold, and one that nothing does."""
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), snntorch.Leaky(beta=0.5), nn.Flatten(), nn.Linear(168, 4), snntorch.Leaky(beta=0.5)
    )
    net[0].weight.data[:2] = 0
    net[0].bias.data[:2] = torch.tensor([0.7, 0.1])
    source, data = from_torch(net.eval(), interface()), bright_quarters(30)
    found = golden.run(quantized_network(source, 4, data.images), data.images).spikes["conv1"]
    wanted = dict(run(source, data.images))["conv1"].transpose(0, 1).numpy()
    assert np.array_equal(found[:, :, :2], wanted[:, :, :2]) and wanted[:, :, 0].any() and not wanted[:, :, 1].any()


def test_a_long_run_gets_no_bias_in_place_of_late_spikes():
    """Neurons that never leak, without biases: one of 1 would be as much as a threshold by the end."""
    torch.manual_seed(1)
    neurons = [snntorch.Leaky(beta=1.0, init_hidden=True, reset_mechanism="zero") for _ in range(3)]
    layers = [nn.Linear(inputs, outputs, bias=False) for inputs, outputs in ((24, 30), (30, 20), (20, 10))]
    for layer in layers:
        layer.weight.data = 2 * layer.weight.data + 0.02
    net = nn.Sequential(nn.Flatten(), *(part for pair in zip(layers, neurons, strict=True) for part in pair))
    generator = np.random.default_rng(1)
    rates = generator.random((160, 1, 1, 4, 6)) * 0.3
    events = (generator.random((160, 80, 1, 4, 6)) < rates).astype(np.uint8)
    source = from_torch(net.eval(), Interface((1, 4, 6), 80, 10, "events", 1))
    network = quantized_network(source, 6, events[:60])
    assert np.abs(network.layers[2].bias).mean() < 0.5
    found = compare(source, network, Dataset(events[60:], None))
    assert found.equal_answers > 0.9 and found.other_spikes["fc3"] < 0.09
