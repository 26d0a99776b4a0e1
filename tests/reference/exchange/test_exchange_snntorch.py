"""snnTorch's modules as integers: every spike of every layer against snnTorch itself."""

from fractions import Fraction

import numpy as np
import pytest
import snntorch
import torch
from torch import nn

from duospike.reference import golden
from duospike.reference.data.datasets import fashion_mnist
from duospike.reference.errors import InputError
from duospike.reference.exchange import exact as exact_module
from duospike.reference.exchange.exact import exact_network
from duospike.reference.exchange.floats import run
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.source import Interface
from duospike.reference.network import CurrentPool, Pool
from tests.benches.snn_networks import spikes_of, spiking_network, train

SHAPE = (2, 9, 8)


def interface(timesteps, shape=SHAPE, scale=Fraction(1, 256), classes=10, **more):
    return Interface(shape, timesteps, classes, image_scale=scale, **more)


def random_images(count, shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape))


def busy(net, images, timesteps, share=0.2):
    """Set each threshold, a multiple of 1/8, so that about that share of the neurons spikes."""
    for number, neurons in enumerate(module for module in net if isinstance(module, snntorch.Leaky)):
        for threshold in torch.arange(1, 400) / 8:
            neurons.threshold = threshold.to(neurons.threshold.dtype)
            layer = [spikes for spikes in spikes_of(net, images[:20], timesteps)][min(2 * number, 4)]
            if layer.mean() < share:
                break
    return net


def scaled(images, kind=torch.float32):
    return torch.from_numpy(images / 256).to(kind)


def assert_same_spikes(network, net, images, timesteps, kind=torch.float32):
    trace, wanted = golden.run(network, images), spikes_of(net, scaled(images, kind), timesteps)
    for layer, spikes in zip(network.layers, wanted, strict=True):
        assert np.array_equal(trace.spikes[layer.name], spikes), layer.name
        assert spikes.any() and not spikes.all(), layer.name


@pytest.fixture(scope="module")
def trained():
    """Trained for an epoch of a few images, 4 bits, beta 1/2, snnTorch's own reset."""
    torch.manual_seed(1)
    data = fashion_mnist("train")
    net = spiking_network(beta=0.5, threshold=0.5)
    return train(net, scaled(data.images[:600]), torch.from_numpy(data.labels[:600]), 3)


@pytest.mark.slow
def test_round_trip_of_1000_images(trained):
    """A trained network on the grid: all spikes of 1,000 images are snnTorch's, in all layers."""
    network = exact_network(from_torch(trained, interface(3, (1, 28, 28))))
    data = fashion_mnist("test")
    assert_same_spikes(network, trained, data.images[:1000], 3)
    accuracy = golden.evaluate(network, data.images[:1000], data.labels[:1000]).accuracy
    assert accuracy > 0.5


CASES = [
    ({"beta": 0.5}, 3),
    ({"beta": 0.5, "reset_mechanism": "zero"}, 6),
    ({"beta": 0.25, "reset_mechanism": "zero", "reset_delay": False}, 4),
    ({"beta": 1.0}, 5),
    ({"beta": 0.0}, 3),
    ({"beta": 0.75, "bits": 3}, 2),
    ({"beta": 0.9}, 1),
    ({"beta": 0.9, "reset_delay": False}, 1),
]


@pytest.mark.parametrize("settings, timesteps", CASES, ids=str)
def test_every_spike_equals_snntorch(settings, timesteps):
    torch.manual_seed(2)
    images = random_images(60)
    net = busy(spiking_network(shape=SHAPE, outputs=20, **settings).eval(), scaled(images), timesteps)
    network = exact_network(from_torch(net, interface(timesteps)))
    assert_same_spikes(network, net, images, timesteps)


def test_batch_norm_is_folded_and_proven_in_float64():
    """The offsets and gains of batch norm are on no grid; in float32 its own rounding may decide, in float64 it cannot."""
    torch.manual_seed(3)
    images = random_images(60)
    net = spiking_network(shape=SHAPE, outputs=20, norm=True, beta=0.0, power_of_two=False, threshold=0.25)
    with torch.no_grad():
        for _ in range(20):
            net(scaled(images))
        for norm in (module for module in net if isinstance(module, nn.BatchNorm2d)):
            norm.weight.uniform_(-1, 1)
            norm.bias.uniform_(0, 0.5)
    with pytest.raises(InputError, match="import refused.* source rounds"):
        exact_network(from_torch(net.eval(), interface(2)))
    net = net.double()
    network = exact_network(from_torch(net, interface(2)))
    assert_same_spikes(network, net, images, 2, torch.float64)


def test_a_spike_less_is_noticed(monkeypatch):
    """With the proof switched off, a leak that loses bits gives other spikes than snnTorch."""
    torch.manual_seed(2)
    images = random_images(60)
    net = busy(spiking_network(shape=SHAPE, outputs=20, beta=0.5).eval(), scaled(images), 4)
    monkeypatch.setattr(exact_module, "compare", lambda *arguments: exact_module.Verdict.SAME)
    network = exact_network(from_torch(net, interface(4)))
    with pytest.raises(AssertionError):
        assert_same_spikes(network, net, images, 4)


def test_own_run_of_a_source_equals_snntorch():
    """The accuracy before quantization is that of these spikes; with the second reset of reset_delay=False, too."""
    torch.manual_seed(4)
    images = random_images(40)
    for settings in ({"beta": 0.5, "reset_delay": False}, {"beta": 0.8}, {"beta": 0.8, "reset_mechanism": "zero"}):
        net = busy(spiking_network(shape=SHAPE, outputs=20, **settings).eval(), scaled(images), 4).double()
        wanted = spikes_of(net, scaled(images, torch.float64), 4)
        for (name, spikes), layer in zip(run(from_torch(net, interface(4)), images), wanted, strict=True):
            assert np.array_equal(spikes.transpose(0, 1).numpy(), layer), name


def test_a_pool_before_neurons_without_memory_is_moved_behind_them():
    torch.manual_seed(5)
    images = random_images(50)
    net = busy(spiking_network(shape=SHAPE, outputs=20, beta=0.5, threshold=1.0).eval(), scaled(images), 1)
    before = nn.Sequential(*[net[i] for i in (0, 2, 1, 3, 5, 4, 6, 7, 8)])
    network = exact_network(from_torch(before, interface(1)))
    assert [type(layer) is Pool for layer in network.layers] == [False, True, False, True, False]
    assert_same_spikes(network, net, images, 1)
    kept = exact_network(from_torch(before, interface(2)))
    assert [layer.current_pool for layer in kept.layers[:2]] == [CurrentPool("max", (2, 2))] * 2
    overlapping = nn.Sequential(before[0], nn.MaxPool2d(3, 1), *before[2:])
    with pytest.raises(InputError, match="1 MaxPool2d: pools currents before neurons, window 3x3, .*not in this hardware"):
        exact_network(from_torch(overlapping, interface(2)))


def test_all_reasons_come_at_once():
    net = nn.Sequential(
        nn.Conv2d(1, 4, 5, stride=2, padding=3),
        snntorch.Leaky(beta=0.9, inhibition=True),
        nn.AvgPool2d(2),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 8, groups=2),
        nn.BatchNorm2d(6),
        snntorch.Synaptic(alpha=0.9, beta=0.8),
        nn.Linear(6, 7),
    )
    with pytest.raises(InputError) as refusal:
        exact_network(from_torch(net, interface(5, (1, 28, 28))))
    message = str(refusal.value)
    for reason in (
        "0 Conv2d: padding 3x3; allowed: from 0x0 to 2x2",
        "1 Leaky: inhibition",
        "2 AvgPool2d: sums or averages spikes before 3 MaxPool2d; allowed: right before a convolution or fully connected layer",
        "4 Conv2d: kernel 8x8; allowed: 1 to 7 rows and columns",
        "5 BatchNorm2d: in training mode",
        "6 Synaptic: snntorch.Synaptic is unknown",
        "7 Linear: no spiking neurons between it and the end",
        "layer conv1 (0 Conv2d): beta 0.9 is not m/2^k",
    ):
        assert reason in message, reason
    assert "8 reasons" in message and "\n" not in message


@pytest.mark.parametrize(
    "settings, timesteps, reason",
    [
        ({"beta": 0.9}, 2, "beta 0.9 is not m/2.k with k up to 16"),
        ({"beta": 0.5}, 7, "leak loses bits that may decide a spike: with beta 1/2 over 7 timesteps"),
        ({"beta": 0.5, "reset_delay": False}, 2, "subtracts the threshold twice"),
        ({"beta": 0.0, "power_of_two": False}, 2, "source rounds"),
        ({"beta": 0.0, "inhibition": True}, 2, "inhibition"),
        ({"beta": 0.0, "threshold": -0.5}, 2, "threshold -0.5; allowed: from 0 up"),
        ({"beta": 0.0, "threshold": torch.tensor(0.1, dtype=torch.float64)}, 2, "is no number of float32"),
        ({"beta": 0.0, "graded_spikes_factor": 2.0}, 2, "graded spikes"),
        ({"beta": torch.linspace(0, 1, 20)}, 2, "beta of shape .*at the last axis"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:Inhibition")
def test_what_is_not_exact_is_refused(settings, timesteps, reason):
    torch.manual_seed(2)
    net = spiking_network(**{"shape": SHAPE, "outputs": 20, **settings}).eval()
    with pytest.raises(InputError, match=reason):
        exact_network(from_torch(net, interface(timesteps)))


def test_weights_on_no_grid_are_refused():
    torch.manual_seed(2)
    net = spiking_network(shape=SHAPE, outputs=20, beta=0.0).eval()
    net[0] = nn.Conv2d(2, 6, 3, padding=1)
    with pytest.raises(InputError, match=r"layer conv1 \(0 Conv2d\): weights on no grid of 127"):
        exact_network(from_torch(net, interface(2)))


def test_a_scale_of_255_is_left_to_float64():
    """Pixels of 1/255 are rounded by the source itself, and potentials meet the threshold exactly: not to be decided."""
    torch.manual_seed(2)
    net = spiking_network(shape=SHAPE, outputs=20, beta=0.0).eval()
    with pytest.raises(InputError, match="import refused: layer conv1 .*source rounds"):
        exact_network(from_torch(net, interface(2, scale=Fraction(1, 255))))


def test_modules_of_unknown_order_are_refused():
    class Net(nn.Module):
        pass

    with pytest.raises(InputError, match="forward: fails on images .*pass the parts in their order: an nn.Sequential, or a list"):
        exact_network(from_torch(Net(), interface(2)))
