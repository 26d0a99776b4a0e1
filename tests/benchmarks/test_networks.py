"""benchmarks/networks: what is compared with a library is compared, and a training that was stopped goes on."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import duospike
from duospike.reference.data.datasets import Dataset

pytest.importorskip("spikingjelly.activation_based")

from spikingjelly.activation_based import functional  # noqa: E402

from benchmarks.networks import nets, snntorch_nets  # noqa: E402
from benchmarks.networks.agreement import agreement  # noqa: E402
from benchmarks.networks.train import train  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 1, 28, 28)).astype(np.uint8)
LABELS = np.arange(20) % 10


def with_statistics(net, images):
    """Batch norms that have seen images, so that neurons behind them spike."""
    functional.set_step_mode(net, "m")
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        net.train()(torch.from_numpy(images).float().expand(4, *images.shape) * nets.PIXEL)
    return nets.evaluated(net)


@pytest.mark.parametrize(
    "make", [lambda: nets.make_csnn(2), lambda: nets.make_fashion_mnist_net(nets.LIF, 2, 20)], ids=["IF", "LIF"]
)
def test_a_rounded_network_goes_over_exactly(make):
    torch.manual_seed(1)
    net = nets.rounded(with_statistics(make(), IMAGES))
    form = {"input_shape": (1, 28, 28), "timesteps": 4, "classes": 10, "image_scale": Fraction(nets.PIXEL)}
    network = duospike.import_torch(net, **form)
    found = agreement(net, network, Dataset(IMAGES, LABELS), Fraction(nets.PIXEL))
    assert found.different == found.other_answers == 0 and found.images == 20
    assert found.source_spikes == found.spikes > 1000
    assert found.accuracy == found.source_accuracy

    layers = [module for module in net.modules() if isinstance(module, torch.nn.Conv2d)]
    layers[0].weight.data *= -1
    changed = agreement(net, network, Dataset(IMAGES, LABELS), Fraction(nets.PIXEL))
    assert changed.different > 0 and changed.spikes == found.spikes


@pytest.mark.parametrize(
    "make", [lambda: snntorch_nets.convolutional(1, 2, 3, 4, 0.5), lambda: snntorch_nets.Quickstart(20)], ids=["calls", "loop"]
)
def test_a_network_of_snntorch_goes_over_exactly(make):
    torch.manual_seed(1)
    net = make().eval()
    with torch.no_grad():
        for name, values in net.state_dict().items():
            if "beta" in name or "weight" in name or "bias" in name:
                values.copy_(torch.round(values * 4) / 4 if "beta" in name else grid(values))
    timesteps = 3
    if hasattr(net, "num_steps"):
        net.num_steps = timesteps
    form = {"input_shape": (1, 28, 28), "timesteps": timesteps, "classes": 10, "image_scale": Fraction(nets.PIXEL)}
    network = duospike.import_torch(net, **form)
    found = agreement(net, network, Dataset(IMAGES, LABELS), Fraction(nets.PIXEL))
    assert found.different == found.other_answers == 0 and found.spikes > 100


def grid(weights):
    """Large enough for spikes, and few of their steps."""
    return torch.round(weights / weights.abs().max() * 7) / 8


def test_a_training_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.networks.train.SAVED", 2)
    recipe = nets.Recipe(lambda: nets.make_fashion_mnist_net(nets.LIF, 2, 20), "fashion-mnist", 2, 2, "", batch=5)

    def weights(data, checkpoint):
        torch.manual_seed(1)
        net = recipe.make()
        functional.set_step_mode(net, "m")
        train(net, recipe, 2, 1, data, checkpoint)
        return net.state_dict()

    class Stopped(Exception):
        pass

    class UntilTheFifth(np.ndarray):
        def __getitem__(self, chosen):
            counted.append(chosen)
            if len(counted) > 5:
                raise Stopped
            return np.asarray(self)[chosen]

    counted: list = []
    with pytest.raises(Stopped):
        weights(Dataset(IMAGES.view(UntilTheFifth), LABELS), tmp_path / "stopped.safetensors")
    resumed = weights(Dataset(IMAGES, LABELS), tmp_path / "stopped.safetensors")
    whole = weights(Dataset(IMAGES, LABELS), tmp_path / "whole.safetensors")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
