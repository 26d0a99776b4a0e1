"""Settings of the recipe: gradients against plain torch in real numbers, exported integers against training's spikes."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from duospike.reference.data.datasets import Dataset
from duospike.reference.data.pixels import converted
from duospike.reference.training import train
from duospike.reference.training.layers import BiasedLayer, NormedLayer
from duospike.reference.training.quantize import SpikingNetwork
from duospike.reference.training.settings import settings_from
from tests.benches.small_training import SHAPE, bright_quarters, small_settings
from tests.reference.training.test_quantize import assert_equals_golden

SMALL = {"architecture": "4C3-MP2-6C3-FC20-FC8", "dataset": "cifar-10", "weight_bits": 4, "classes": 4, "seed": 1}
PAPER = SMALL | {"recipe": "paper", "epochs": 2, "batch_size": 32}


def paper(**changes):
    return settings_from(PAPER | changes)


class FastSigmoid(torch.autograd.Function):
    """The step, with snnTorch's gradient for a slope of 1."""

    @staticmethod
    def forward(ctx, distance):
        ctx.save_for_backward(distance)
        return (distance > 0).float()

    @staticmethod
    def backward(ctx, grad):
        return grad / (1 + ctx.saved_tensors[0].abs()) ** 2


class RealNetwork(nn.Module):
    """4C3 with batch norm, OR pooling, 6C3, two fully connected layers: what the paper's code computes, in real numbers."""

    def __init__(self, model):
        super().__init__()
        source = {name: layer for name, layer in model.layers.items() if hasattr(layer, "weight")}
        self.weights = nn.ParameterDict({name: layer.weight.detach().clone() for name, layer in source.items()})
        self.biases = nn.ParameterDict(
            {name: layer.bias.detach().clone() for name, layer in source.items() if isinstance(layer, BiasedLayer)}
        )
        self.norm = nn.BatchNorm1d(4, eps=1e-12)
        self.norm.train()

    def neurons(self, current):
        """[T, B, ...] -> spikes; reset by subtraction, held constant, before the leak."""
        v, spikes = torch.zeros_like(current[0]), []
        s = torch.zeros_like(v)
        for now in current:
            v = 5 / 32 * (v - 0.5 * s.detach()) + now
            s = FastSigmoid.apply(v - 0.5)
            spikes.append(s)
        return torch.stack(spikes)

    def conv(self, name, maps, scale=1.0):
        return torch.stack([functional.conv2d(one * scale, self.weights[name], self.biases.get(name), padding=1) for one in maps])

    def forward(self, images):
        maps = self.conv("conv1", images.expand(2, *images.shape), 1 / 51)
        flat = maps.permute(0, 1, 3, 4, 2)
        maps = self.norm(flat.reshape(-1, 4)).view(flat.shape).permute(0, 1, 4, 2, 3)
        maps = functional.max_pool2d(self.neurons(maps).flatten(0, 1), 2).unflatten(0, (2, -1))
        maps = self.neurons(self.conv("conv2", maps)).flatten(2)
        for name in ("fc1", "fc2"):
            maps = self.neurons(functional.linear(maps, self.weights[name], self.biases[name]))
        return maps.sum(0).unflatten(1, (4, 2)).sum(-1)


def test_gradients_of_the_float_twin_are_those_in_real_numbers():
    """Every parameter's, of the paper's recipe without dropout; the layers' units and folded norms are of no influence."""
    torch.manual_seed(1)
    model = SpikingNetwork(paper(weight_bits="float", dropout=0.0), SHAPE).train()
    with torch.no_grad():
        model.layers["conv1"].log_gain.uniform_(-0.3, 0.3)
        model.layers["conv1"].offset.uniform_(-0.3, 0.3)
        for name in ("conv2", "fc1", "fc2"):
            model.layers[name].weight.mul_(2)
    real = RealNetwork(model)
    with torch.no_grad():
        real.norm.weight.copy_(model.layers["conv1"].log_gain.exp())
        real.norm.bias.copy_(model.layers["conv1"].offset)
    data = bright_quarters(64)
    images, labels = torch.from_numpy(converted(data.images, "centred")).float(), torch.from_numpy(data.labels)
    for network in (model, real):
        votes = network(images)
        assert 0 < votes.sum() < votes.numel() * 4
        wanted = 4.0 * functional.one_hot(labels, 4)
        ((votes - wanted) ** 2).mean().div(2).backward()
    for name in ("conv1", "conv2", "fc1", "fc2"):
        torch.testing.assert_close(model.layers[name].weight.grad, real.weights[name].grad, rtol=2e-3, atol=2e-6)
        assert model.layers[name].weight.grad.abs().max() > 1e-4
    for name in ("conv2", "fc1", "fc2"):
        torch.testing.assert_close(model.layers[name].bias.grad, real.biases[name].grad, rtol=2e-3, atol=2e-6)
    gain = model.layers["conv1"].log_gain
    torch.testing.assert_close(gain.grad, real.norm.weight.grad * gain.detach().exp(), rtol=2e-3, atol=2e-6)
    torch.testing.assert_close(model.layers["conv1"].offset.grad, real.norm.bias.grad, rtol=2e-3, atol=2e-6)


def trained(settings, count=256):
    run = train.start(settings, SHAPE)
    train.train_epoch(run, bright_quarters(count))
    return run.model.eval()


SETTINGS = {
    "paper": {},
    "no batch norm": {"batch_norm": "none"},
    "all batch norm": {"batch_norm": "all", "bias_bits": "exact"},
    "scale of channels": {"weight_scale": "channel"},
    "no gradient of scales": {"scale_gradient": False},
    "exact bias": {"bias_bits": "exact"},
    "bias of 2 bits": {"bias_bits": 2},
    "arctan": {"surrogate": "arctan", "surrogate_slope": 2.0},
    "steep": {"surrogate_slope": 25.0},
    "cross entropy": {"loss": "cross_entropy"},
    "kaiming": {"initial_weights": "kaiming"},
    "unsigned": {"pixels": "unsigned"},
    "8 bits": {"weight_bits": 8},
    "pooled currents": {"architecture": "4C3+MP2-6C3+AP2-FC20-FC8"},
}


def drawn(seed):
    """One choice of each setting, at random."""
    rng = np.random.default_rng(seed)

    def one_of(*values):
        return values[rng.integers(len(values))]

    norm = one_of("all", "before_pool", "none")
    return {
        "architecture": one_of("4C3-MP2-FC8", "4C3+MP2-FC12-FC8", "3C3-4C3+AP2-FC8"),
        "batch_norm": norm,
        "bias_bits": one_of("exact", 2, 4, 8) if norm != "all" else "exact",
        "weight_bits": int(rng.integers(2, 9)),
        "weight_scale": one_of("tensor", "channel"),
        "scale_gradient": one_of(True, False),
        "surrogate": one_of("fast_sigmoid", "arctan"),
        "loss": one_of("count_mse", "cross_entropy"),
        "initial_weights": one_of("torch", "kaiming"),
        "pixels": one_of("unsigned", "centred"),
        "reset": one_of("subtract", "subtract_delayed", "zero", "none"),
        "timesteps": int(rng.integers(1, 4)),
        "threshold": one_of(0.05, 0.5),
        "dropout": 0.0,
    }


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 41))])
def test_exported_integers_give_the_spikes_of_training_for_drawn_settings(seed):
    settings = paper(**drawn(seed))
    # Without batch norm a layer may be silent after so few batches.
    assert_equals_golden(trained(settings, 64), converted(bright_quarters(30, seed=1).images, settings.pixels), lively=False)


@pytest.mark.slow
@pytest.mark.parametrize("changes", SETTINGS.values(), ids=SETTINGS)
def test_exported_integers_give_the_spikes_of_training(changes):
    settings = paper(**changes)
    images = converted(bright_quarters(100, seed=1).images, settings.pixels)
    assert_equals_golden(trained(settings), images)


@pytest.mark.slow
@pytest.mark.parametrize("reset", ["zero", "none", "subtract_delayed"])
def test_exported_integers_give_the_spikes_of_training_for_other_resets(reset):
    images = converted(bright_quarters(100, seed=1).images, "centred")
    assert_equals_golden(trained(paper(reset=reset, batch_norm="none", timesteps=3)), images)


@pytest.mark.slow
def test_clamped_pixels_are_coded_as_rates():
    settings = paper(coding="rate", pixels="clamped", timesteps=6, architecture="4C3-FC8", dropout=0.0)
    data = bright_quarters(100)
    colours = Dataset(np.concatenate([data.images, data.images[:, :1]], 1), data.labels)
    run = train.start(settings, (3, *SHAPE[1:]))
    train.train_epoch(run, colours)
    assert_equals_golden(run.model.eval(), converted(colours.images, "clamped"))


def test_only_layers_before_pools_have_batch_norm():
    def normed(**changes):
        layers = SpikingNetwork(paper(**changes), SHAPE).layers
        return [name for name, layer in layers.items() if isinstance(layer, NormedLayer)]

    assert normed() == ["conv1"] and normed(batch_norm="none") == []
    assert normed(batch_norm="all", bias_bits="exact") == ["conv1", "conv2", "fc1", "fc2"]
    assert normed(architecture="4C3+AP2-6C3-FC8", dropout=0.0) == ["conv1"]


def test_dropout_is_of_training_and_of_each_timestep():
    torch.manual_seed(1)
    layer = SpikingNetwork(paper(dropout=0.5, timesteps=3), SHAPE).layers["fc1"]
    currents = []
    layer.currents = lambda inputs: (torch.ones(1, 50, 20, 1, 1), torch.full((20,), 1.5), torch.ones(20))
    spikes = layer.train()(None)
    # Half of the currents are doubled, which passes the threshold; the other half are 0.
    assert 0.4 < spikes[0].mean() < 0.6 and not torch.equal(spikes[0], spikes[1])
    assert not layer.eval()(None)[0].any() and not currents


def test_the_same_seed_gives_float_and_integers_the_same_start():
    first, second = (train.start(paper(weight_bits=bits), SHAPE).model.state_dict() for bits in (4, "float"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_torchs_initial_weights():
    torch.manual_seed(3)
    ours = SpikingNetwork(paper(), SHAPE).layers["fc1"]
    bound = 1 / np.sqrt(ours.weight.shape[1])
    assert 0.95 * bound < ours.weight.abs().max() <= bound and 0.5 * bound < ours.bias.abs().max() <= bound


@pytest.mark.slow
def test_what_the_twin_lacks_is_rounding_alone():
    """At 8 bits, few spikes differ from those of the float network with the same parameters."""
    settings = paper(weight_bits=8, bias_bits=8)
    model = trained(settings)
    twin = SpikingNetwork(dataclasses.replace(settings, weight_bits="float"), SHAPE)
    twin.load_state_dict(model.state_dict())
    norm, scale = model.layers["conv1"], model.layers["conv1"].scaled()[1]
    assert torch.equal(scale, twin.layers["conv1"].scaled()[1]) and norm.mean.any()
    images = torch.from_numpy(converted(bright_quarters(60, seed=1).images, "centred")).float()
    with torch.no_grad():
        ours, theirs = model.spikes(images), twin.eval().spikes(images)
    assert all((ours[name] != theirs[name]).float().mean() < 0.06 for name in ours)


def test_small_settings_have_batch_norm_everywhere():
    assert all(
        isinstance(layer, NormedLayer)
        for name, layer in SpikingNetwork(small_settings(), SHAPE).layers.items()
        if "pool" not in name
    )
