"""Networks of SpikingJelly, as its tutorial and its model zoo define them, in SpikingJelly's own modules.

`python -m benchmarks.networks.train csnn` trains one; `duospike import benchmarks/networks/nets.py:csnn ...` imports it. Each
function without arguments is a network with its trained weights, in evaluation mode, step mode "m" (`[T, N, C, H, W]`).
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from spikingjelly.activation_based.model.parametric_lif_net import CIFAR10Net, DVSGestureNet, FashionMNISTNet, NMNISTNet
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.networks import recipe
from benchmarks.networks.recipe import PIXEL, Recipe

SEED = 1
EVENT_SHAPE, EVENT_TIMESTEPS, EVENT_RATE = (2, 128, 128), 16, 0.02
"""Of the random events for DVSGestureNet. rate: events a pixel, polarity and timestep."""
FULLY_CONNECTED_GAIN = 5.0
"""With the random weights that torch draws, the last layers of DVSGestureNet would be silent."""


def make_csnn(channels: int = 16) -> nn.Sequential:
    """The network of the tutorial `conv_fashion_mnist`, which has 128 channels."""

    def neurons() -> neuron.IFNode:
        return neuron.IFNode(surrogate_function=surrogate.ATan())

    return nn.Sequential(
        layer.Conv2d(1, channels, 3, padding=1, bias=False),
        layer.BatchNorm2d(channels),
        neurons(),
        layer.MaxPool2d(2, 2),
        layer.Conv2d(channels, channels, 3, padding=1, bias=False),
        layer.BatchNorm2d(channels),
        neurons(),
        layer.MaxPool2d(2, 2),
        layer.Flatten(),
        layer.Linear(channels * 7 * 7, channels * 4 * 4, bias=False),
        neurons(),
        layer.Linear(channels * 4 * 4, 10, bias=False),
        neurons(),
    )


LIF = partial(neuron.LIFNode, tau=2.0, detach_reset=True, surrogate_function=surrogate.ATan())
PLIF = partial(neuron.ParametricLIFNode, init_tau=2.0, detach_reset=True, surrogate_function=surrogate.ATan())
"""As published (Fang et al. 2021); the time constant of each layer is learned."""


def make_fashion_mnist_net(neurons: Callable[..., nn.Module], channels: int = 16, hidden: int = 256) -> nn.Module:
    """FashionMNISTNet; published with 128 channels and 2048 hidden neurons."""
    return _narrowed(FashionMNISTNet(channels=channels, spiking_neuron=neurons), channels * 7 * 7, hidden)


def make_cifar10_net(neurons: Callable[..., nn.Module], channels: int = 8, hidden: int = 128) -> nn.Module:
    """CIFAR10Net; published with 256 channels and 2048 hidden neurons."""
    return _narrowed(CIFAR10Net(channels=channels, spiking_neuron=neurons), channels * 8 * 8, hidden)


def make_dvs_gesture_net(neurons: Callable[..., nn.Module], channels: int = 8, hidden: int = 32) -> nn.Module:
    """DVSGestureNet on events of 2 x 128 x 128; published with 128 channels and 512 hidden neurons."""
    return _narrowed(DVSGestureNet(channels=channels, spiking_neuron=neurons), channels * 4 * 4, hidden)


def make_nmnist_net(neurons: Callable[..., nn.Module], channels: int = 8, hidden: int = 64) -> nn.Module:
    """NMNISTNet on events of 2 x 34 x 34; published with 128 channels and 2048 hidden neurons."""
    return _narrowed(NMNISTNet(channels=channels, spiking_neuron=neurons), channels * 8 * 8, hidden)


def make_lif_fc_mnist() -> nn.Sequential:
    """The network of the tutorial `lif_fc_mnist`: one layer, on images coded by rate."""
    return nn.Sequential(
        layer.Flatten(), layer.Linear(28 * 28, 10, bias=False), neuron.LIFNode(tau=2.0, surrogate_function=surrogate.ATan())
    )


def make_spiking_vgg11(neurons: Callable[..., nn.Module], width: int = 8) -> nn.Module:
    """spiking_vgg11_bn for images of 32 x 32, `width` of 64 channels; published for 224 x 224, 1000 classes.

    Five pools leave 1 x 1 of 32 x 32, so the average to 7 x 7 is one to 1 x 1, and the classifier is as narrow as that.
    """
    with_stand_in()
    from spikingjelly.activation_based.model.spiking_vgg import SpikingVGG, cfgs

    channels = [one if one == "M" else one * width // 64 for one in cfgs["A"]]
    net = SpikingVGG(cfg=channels, batch_norm=True, num_classes=10, spiking_neuron=neurons)
    last = 512 * width // 64
    net.avgpool = layer.AdaptiveAvgPool2d((1, 1))
    for place, outputs in ((0, last), (3, last), (6, 10)):
        net.classifier[place] = layer.Linear(last, outputs)
    return net


def with_stand_in() -> None:
    """spiking_vgg and its like import one function of torchvision, to download weights."""
    if "torchvision" not in sys.modules:
        stand_in = types.ModuleType("torchvision.models.utils")
        stand_in.load_state_dict_from_url = None  # type: ignore[attr-defined]
        sys.modules |= {"torchvision": stand_in, "torchvision.models": stand_in, "torchvision.models.utils": stand_in}


def _narrowed(net: nn.Module, inputs: int, hidden: int) -> nn.Module:
    """The library's classes have `channels` and a fixed hidden layer: the layers on both of its sides are replaced."""
    layers = layers_of(net)
    last = layers[-3]
    assert isinstance(last, nn.Linear)
    layers[-6] = layer.Linear(inputs, hidden)
    layers[-3] = layer.Linear(hidden, last.out_features)
    return net


DVS_NARROWED = "8 of 128 channels, 32 of 512 hidden neurons"


def layers_of(net: nn.Module) -> nn.Sequential:
    """The modules of a network in their order, whether it is a class of the library or nn.Sequential."""
    found = net if isinstance(net, nn.Sequential) else net.conv_fc
    assert isinstance(found, nn.Sequential)
    return found


RECIPES = {
    "csnn": Recipe(make_csnn, "fashion-mnist", 4, 1, "16 of 128 channels"),
    "fashion_mnist_net": Recipe(
        partial(make_fashion_mnist_net, LIF), "fashion-mnist", 4, 1, "16 of 128 channels, 256 of 2048 hidden neurons"
    ),
    "cifar10_net": Recipe(
        partial(make_cifar10_net, LIF), "cifar-10", 4, 1, "8 of 256 channels, 128 of 2048 hidden neurons", flips=True
    ),
    "fashion_mnist_net_plif": Recipe(
        partial(make_fashion_mnist_net, PLIF), "fashion-mnist", 4, 1, "16 of 128 channels, 256 of 2048 hidden neurons"
    ),
    "nmnist_net": Recipe(
        partial(make_nmnist_net, LIF),
        "n-mnist",
        10,
        4,
        "8 of 128 channels, 64 of 2048 hidden neurons",
        coding="events",
        batch=25,
    ),
    "lif_fc_mnist": Recipe(
        make_lif_fc_mnist, "fashion-mnist", 100, 1, "", coding="rate", images=12000, training_timesteps=10, rate=5e-3
    ),
    "spiking_vgg11": Recipe(
        partial(make_spiking_vgg11, LIF),
        "cifar-10",
        4,
        1,
        "8 of 64 channels and so on, 32 x 32 of 224 x 224 pixels, 10 of 1000 classes, 64 of 4096 hidden neurons",
        images=2000,
        flips=True,
    ),
}


def trained(name: str) -> nn.Module:
    """A network of RECIPES with its trained weights."""
    return evaluated(recipe.trained(RECIPES, name))


def evaluated(net: nn.Module) -> nn.Module:
    functional.set_step_mode(net, "m")
    functional.reset_net(net)
    return net.eval()


def csnn() -> nn.Module:
    return trained("csnn")


def fashion_mnist_net() -> nn.Module:
    return trained("fashion_mnist_net")


def fashion_mnist_net_plif() -> nn.Module:
    return trained("fashion_mnist_net_plif")


def cifar10_net() -> nn.Module:
    return trained("cifar10_net")


def nmnist_net() -> nn.Module:
    return trained("nmnist_net")


def lif_fc_mnist() -> nn.Module:
    return trained("lif_fc_mnist")


def spiking_vgg11() -> nn.Module:
    return trained("spiking_vgg11")


def rounded(net: nn.Module, bits: int = 8, pixel: float = PIXEL) -> nn.Module:
    """The network with numbers that integers can hold: batch norm folded, weights and biases in whole steps.

    The step of an output's weights is the smallest power of two of which the largest weight is at most 2^(bits-1) - 1. That of
    its bias is as large, times what a step of an input is worth: `pixel` in the first layer, 1 behind it. The network computes in
    float64, where such numbers are exact.
    """
    layers = layers_of(net)
    for place, (one, behind) in enumerate(pairwise(layers)):
        if isinstance(one, nn.Conv2d) and isinstance(behind, nn.BatchNorm2d):
            layers[place] = fuse_conv_bn_eval(one, behind)
            layers[place + 1] = nn.Identity()
    weighted = [one for one in layers if isinstance(one, nn.Conv2d | nn.Linear)]
    for place, one in enumerate(weighted):
        round_layer(one, bits, 1.0 if place else pixel)
    return net.double()


@torch.no_grad()
def round_layer(one: nn.Conv2d | nn.Linear, bits: int, unit: float) -> None:
    steps = power_of_two_steps(one.weight, bits)  # [O]
    columns = steps.reshape(-1, *[1] * (one.weight.ndim - 1))
    one.weight.copy_(torch.round(one.weight / columns) * columns)
    if one.bias is not None:
        one.bias.copy_(torch.round(one.bias / (steps * unit)) * steps * unit)


def power_of_two_steps(weights: torch.Tensor, bits: int) -> torch.Tensor:
    """The step of each output's weights [O, ...].

    >>> power_of_two_steps(torch.tensor([[0.9, -0.34]]), bits=4)  # 7 steps of 1/4 reach 1.75, and of 1/8 only 0.875
    tensor([0.2500])
    """
    largest = weights.flatten(1).abs().amax(1).clamp(min=1e-30) / (2 ** (bits - 1) - 1)
    return torch.exp2(torch.ceil(torch.log2(largest)))


def csnn_rounded() -> nn.Module:
    return rounded(csnn())


def fashion_mnist_net_rounded() -> nn.Module:
    return rounded(fashion_mnist_net())


def cifar10_net_rounded() -> nn.Module:
    return rounded(cifar10_net())


def dvs_gesture_net() -> nn.Module:
    """Not trained, for want of the data: random weights, batch norms that have seen random events, and rounded."""
    torch.manual_seed(SEED)
    net = make_dvs_gesture_net(LIF)
    for one in net.modules():
        if isinstance(one, nn.BatchNorm2d):
            one.momentum = None  # the mean of what it has seen
        if isinstance(one, nn.Linear):
            one.weight.data *= FULLY_CONNECTED_GAIN
    functional.set_step_mode(net, "m")
    with torch.no_grad():
        net(torch.from_numpy(random_events(samples=1)).float().transpose(0, 1))
    return rounded(evaluated(net), pixel=1.0)


def random_events(samples: int) -> np.ndarray:
    """In place of recorded ones: uint8 [N, T, 2, 128, 128] of 0 and 1, the same with each call."""
    draws = np.random.default_rng(SEED).random((samples, EVENT_TIMESTEPS, *EVENT_SHAPE))
    return (draws < EVENT_RATE).astype(np.uint8)
