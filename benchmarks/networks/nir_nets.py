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
        return sinabs.layers.IAFSqueeze(batch_size=1, spike_fn=SingleSpike)

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
    "norse_readme": Recipe(make_norse, "fashion-mnist", 16, 1, "", images=1500, training_timesteps=8, batch=25),
    "sinabs_nmnist": Recipe(make_sinabs, "n-mnist", 10, 2, "", coding="events", batch=25),
}


def norse_readme() -> nn.Module:
    return recipe.trained(RECIPES, "norse_readme")


def sinabs_nmnist() -> nn.Module:
    return recipe.trained(RECIPES, "sinabs_nmnist")


def norse_readme_graph() -> nir.NIRGraph:
    """As Norse writes it, with its pools and its Flatten put in: the maximum of spikes is a sum of more than a half."""
    net = norse_readme()
    graph = to_nir(net, torch.zeros(1, 1, 28, 28))
    written = [graph.nodes[str(place)] for place in range(9)]
    nodes = [nir.Input(np.array([1, 28, 28])), convolution(written[0], (28, 28)), written[1]]
    nodes += maximum((20, 12, 12)) + [convolution(written[3], (12, 12)), written[4]] + maximum((50, 4, 4))
    nodes += [nir.Flatten({"input": np.array([50, 4, 4])}, 0, 2), written[7], written[8], nir.Output(np.array([10]))]
    return chain(nodes)


def convolution(node: nir.Conv2d, size: tuple[int, int]) -> nir.Conv2d:
    weight, bias = (np.asarray(one) for one in (node.weight, node.bias))
    return nir.Conv2d(size, weight, node.stride, node.padding, node.dilation, node.groups, bias)


def maximum(shape: tuple[int, int, int]) -> list[nir.NIRNode]:
    """2x2 of spikes; shape: of what it gives."""
    return [nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), nir.Threshold(np.full(shape, 0.5, np.float32))]


def chain(nodes: list[nir.NIRNode]) -> nir.NIRGraph:
    names = ["input", *(str(place) for place in range(len(nodes) - 2)), "output"]
    return nir.NIRGraph(dict(zip(names, nodes, strict=True)), list(zip(names, names[1:], strict=False)), type_check=False)


def sinabs_nmnist_graph() -> nir.NIRGraph:
    net = sinabs_nmnist()
    sample = torch.zeros(1, 2, 34, 34)
    net(sample)
    return sinabs.nir.to_nir(net, sample)
