"""Networks of Norse and Sinabs, as their authors define them, in their own modules, and their graphs of NIR.

The graphs are those that the libraries write. Norse leaves out what NIR has no node for in it, and Sinabs averages: both are put
in, as their docstrings say.
"""

from __future__ import annotations

import nir
import norse.torch
import numpy as np
import sinabs.layers
import sinabs.nir
import torch
from norse.torch.utils.export_nir import to_nir
from sinabs.activation import SingleSpike
from torch import nn

from benchmarks.networks import recipe
from benchmarks.networks.recipe import Recipe

GAIN = 3.0
"""Of the random weights before a training: Norse's neurons take a tenth of their currents, and would be silent."""


def make_norse() -> nn.Module:
    """The network of Norse's README, 20C5-MP2-50C5-MP2-FC10 and an integrator, with box cells in place of current-based ones."""
    net = norse.torch.SequentialState(
        nn.Conv2d(1, 20, 5, 1),
        norse.torch.LIFBoxCell(),
        nn.MaxPool2d(2, 2),
        nn.Conv2d(20, 50, 5, 1),
        norse.torch.LIFBoxCell(),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(800, 10),
        norse.torch.LIBoxCell(),
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data *= GAIN
    return net


def make_sinabs() -> nn.Sequential:
    """Sinabs' quick start for N-MNIST on Speck: 3x3 convolutions, pools behind neurons, the last convolution with stride 2.

    Neurons give at most one spike a timestep and have no smallest potential, where the notebook's give several and keep -1. Its
    pools average, which Sinabs does not write as NIR: these sum, and so the weights behind them are a quarter.
    """

    def neurons() -> nn.Module:
        return sinabs.layers.IAFSqueeze(batch_size=1, spike_threshold=torch.tensor(1.0), spike_fn=SingleSpike)

    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1, bias=False),
        neurons(),
        sinabs.layers.SumPool2d(2, 2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        neurons(),
        sinabs.layers.SumPool2d(2, 2),
        nn.Conv2d(16, 16, 3, padding=1, stride=2, bias=False),
        neurons(),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10, bias=False),
        neurons(),
    )


RECIPES = {
    "norse_readme": Recipe(make_norse, "fashion-mnist", 16, 1, "", images=6000, training_timesteps=8, batch=25, rate=5e-3),
    "sinabs_nmnist": Recipe(make_sinabs, "n-mnist", 10, 2, "", coding="events", batch=25),
}


def norse_readme() -> nn.Module:
    return recipe.trained(RECIPES, "norse_readme")


def sinabs_nmnist() -> nn.Module:
    return recipe.trained(RECIPES, "sinabs_nmnist")


def norse_readme_graph() -> nir.NIRGraph:
    """As Norse writes it, with its pools and its Flatten put in: the maximum of spikes is a sum of more than a half."""
    graph = to_nir(norse_readme(), torch.zeros(1, 1, 28, 28))
    written = [graph.nodes[str(place)] for place in range(9)]
    nodes = [nir.Input(np.array([1, 28, 28])), convolution(written[0], (28, 28)), leaky(written[1], (20, 24, 24))]
    nodes += [*maximum((20, 12, 12)), convolution(written[3], (12, 12)), leaky(written[4], (50, 8, 8)), *maximum((50, 4, 4))]
    nodes += [flatten((50, 4, 4)), affine(written[7]), leaky(written[8], (10,)), nir.Output(np.array([10]))]
    return chain(nodes)


def sinabs_nmnist_graph() -> nir.NIRGraph:
    """As Sinabs writes it, with the shapes that it leaves open."""
    net, sample = sinabs_nmnist(), torch.zeros(1, 2, 34, 34)
    net(sample)
    graph = sinabs.nir.to_nir(net, sample)
    written = [graph.nodes[str(place)] for place in range(11)]
    nodes = [nir.Input(np.array([2, 34, 34])), convolution(written[0], (34, 34)), firing(written[1]), sums()]
    nodes += [convolution(written[3], (17, 17)), firing(written[4]), sums(), convolution(written[6], (8, 8)), firing(written[7])]
    nodes += [flatten((16, 4, 4)), affine(written[9]), firing(written[10]), nir.Output(np.array([10]))]
    return chain(nodes)


def convolution(node: nir.Conv2d, size: tuple[int, int]) -> nir.Conv2d:
    weight, bias = (np.asarray(one) for one in (node.weight, node.bias))
    return nir.Conv2d(size, weight, node.stride, node.padding, node.dilation, node.groups, bias)


def affine(node: nir.Affine) -> nir.Affine:
    return nir.Affine(np.asarray(node.weight), np.asarray(node.bias))


def leaky(node: nir.LIF | nir.LI, shape: tuple[int, ...]) -> nir.NIRNode:
    """Norse's one number for all neurons, for each."""
    tau, r, v_leak = (np.full(shape, float(one), np.float32) for one in (node.tau, node.r, node.v_leak))
    if isinstance(node, nir.LI):
        return nir.LI(tau, r, v_leak)
    return nir.LIF(tau, r, v_leak, np.full(shape, float(node.v_threshold), np.float32), np.zeros(shape, np.float32))


def firing(node: nir.IF) -> nir.IF:
    r, threshold = (np.asarray(one, np.float32) for one in (node.r, node.v_threshold))
    return nir.IF(r, threshold, np.zeros_like(threshold))


def sums() -> nir.SumPool2d:
    return nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))


def maximum(shape: tuple[int, int, int]) -> list[nir.NIRNode]:
    """2x2 of spikes; shape: of what it gives."""
    return [sums(), nir.Threshold(np.full(shape, 0.5, np.float32))]


def flatten(shape: tuple[int, int, int]) -> nir.Flatten:
    return nir.Flatten({"input": np.array(shape)}, 0, 2)


def chain(nodes: list[nir.NIRNode]) -> nir.NIRGraph:
    names = ["input", *(str(place) for place in range(len(nodes) - 2)), "output"]
    return nir.NIRGraph(dict(zip(names, nodes, strict=True)), list(zip(names, names[1:], strict=False)), type_check=False)
