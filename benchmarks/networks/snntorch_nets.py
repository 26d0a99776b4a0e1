"""Networks of snnTorch, as its tutorials and users define them, in snnTorch's own modules.

`duospike import benchmarks/networks/snntorch_nets.py:tutorial_6 ...` imports one. Each function without arguments is a network
with its trained weights, in evaluation mode.
"""

from __future__ import annotations

from functools import partial

import snntorch
import torch
from torch import nn

from benchmarks.networks import recipe
from benchmarks.networks.recipe import Recipe


class Tutorial5(nn.Module):
    """Tutorial 5: fully connected, 784-1000-10; its time loop is inside forward."""

    def __init__(self, hidden: int = 1000):
        super().__init__()
        self.num_steps = 25
        self.fc1 = nn.Linear(28 * 28, hidden)
        self.lif1 = snntorch.Leaky(beta=0.95)
        self.fc2 = nn.Linear(hidden, 10)
        self.lif2 = snntorch.Leaky(beta=0.95)

    def forward(self, x):
        x = x.flatten(1)  # which the tutorial does before the call
        membrane1, membrane2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        for _ in range(self.num_steps):
            spike1, membrane1 = self.lif1(self.fc1(x), membrane1)
            spike2, membrane2 = self.lif2(self.fc2(spike1), membrane2)
            spikes.append(spike2)
            membranes.append(membrane2)
        return torch.stack(spikes), torch.stack(membranes)


class Quickstart(nn.Module):
    """The class of the notebook `quickstart`: 784-300-10, with a leak for each of the last neurons, which is learned."""

    def __init__(self, hidden: int = 300):
        super().__init__()
        self.num_steps = 25
        self.fc1 = nn.Linear(28 * 28, hidden)
        self.lif1 = snntorch.Leaky(beta=0.9)
        self.fc2 = nn.Linear(hidden, 10)
        self.lif2 = snntorch.Leaky(beta=torch.rand(10), learn_beta=True)

    def forward(self, x):
        membrane1, membrane2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        for _ in range(self.num_steps):
            spike1, membrane1 = self.lif1(self.fc1(x.flatten(1)), membrane1)
            spike2, membrane2 = self.lif2(self.fc2(spike1), membrane2)
            spikes.append(spike2)
            membranes.append(membrane2)
        return torch.stack(spikes), torch.stack(membranes)


def neurons(beta: float, output: bool = False) -> snntorch.Leaky:
    return snntorch.Leaky(beta=beta, init_hidden=True, output=output)


def convolutional(channels: int, first: int, second: int, side: int, beta: float) -> nn.Sequential:
    """5x5 convolutions without padding, pools before the neurons. side: of the last map."""
    return nn.Sequential(
        nn.Conv2d(channels, first, 5),
        nn.MaxPool2d(2),
        neurons(beta),
        nn.Conv2d(first, second, 5),
        nn.MaxPool2d(2),
        neurons(beta),
        nn.Flatten(),
        nn.Linear(second * side * side, 10),
        neurons(beta, output=True),
    )


def make_population(outputs: int) -> nn.Sequential:
    """The tutorial of population coding, 784-128-500, and its network without, 784-128-10; one timestep."""
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 128), neurons(0.9), nn.Linear(128, outputs), neurons(0.9, output=True))


def make_issue_367() -> nn.Sequential:
    """Of issue 367, export to NIR: 3x3 convolutions, average pools behind neurons, the last convolution with stride 2."""
    return nn.Sequential(
        nn.Conv2d(2, 8, 3, padding=1, bias=False),
        neurons(0.1),
        nn.AvgPool2d(2, 2),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        neurons(0.1),
        nn.AvgPool2d(2, 2),
        nn.Conv2d(16, 16, 3, padding=1, stride=2, bias=False),
        neurons(0.1),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10, bias=False),
        neurons(0.1, output=True),
    )


FASHION, EVENTS = "fashion-mnist", "n-mnist"
RECIPES = {
    "tutorial_5": Recipe(Tutorial5, FASHION, 25, 1, "", images=6000, training_timesteps=8),
    "quickstart": Recipe(Quickstart, FASHION, 25, 1, "", images=4000, training_timesteps=5),
    "quickstart_convolutional": Recipe(
        partial(convolutional, 1, 8, 16, 4, 0.9), FASHION, 25, 1, "", images=6000, training_timesteps=6
    ),
    "tutorial_6": Recipe(
        partial(convolutional, 1, 12, 64, 4, 0.5), FASHION, 50, 1, "", images=1500, training_timesteps=4, batch=25
    ),
    "tutorial_7": Recipe(
        partial(convolutional, 2, 12, 32, 5, 0.5),
        EVENTS,
        10,
        2,
        "10 of about 300 timesteps",
        coding="events",
        batch=25,
        rate=5e-3,
    ),
    "population": Recipe(partial(make_population, 500), FASHION, 1, 1, "", batch=128),
    "population_without": Recipe(partial(make_population, 10), FASHION, 1, 1, "", batch=128),
    "issue_367": Recipe(make_issue_367, EVENTS, 10, 5, "", coding="events", batch=25, rate=5e-3),
}


def trained(name: str) -> nn.Module:
    return recipe.trained(RECIPES, name)


def tutorial_5() -> nn.Module:
    return trained("tutorial_5")


def quickstart() -> nn.Module:
    return trained("quickstart")


def quickstart_convolutional() -> nn.Module:
    return trained("quickstart_convolutional")


def tutorial_6() -> nn.Module:
    return trained("tutorial_6")


def tutorial_7() -> nn.Module:
    return trained("tutorial_7")


def population() -> nn.Module:
    return trained("population")


def population_without() -> nn.Module:
    return trained("population_without")


def issue_367() -> nn.Module:
    return trained("issue_367")
