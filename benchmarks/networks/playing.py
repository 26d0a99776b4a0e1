"""Networks of several libraries run in their own modules, and the spikes of all their neurons."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

NEURONS = {
    "spikingjelly": ("spikingjelly.activation_based.neuron", ("IFNode", "LIFNode", "ParametricLIFNode")),
    "snntorch": ("snntorch", ("Leaky",)),
    "sinabs": ("sinabs.layers", ("IAFSqueeze",)),
    "norse": ("norse.torch", ("LIFBoxCell",)),
    "floats": ("benchmarks.networks.float_graph", ("Neurons",)),
}
"""The classes of neurons, by library: the module that has them, and their names."""


def neurons_of(net: nn.Module) -> tuple[str, list[nn.Module]]:
    """The library of a network, and its neurons."""
    for library, (home, names) in NEURONS.items():
        if home in sys.modules:
            kinds = tuple(getattr(sys.modules[home], name) for name in names)
            if found := [module for module in net.modules() if isinstance(module, kinds)]:
                return library, found
    raise ValueError("a network without neurons of these libraries")


def play(net: nn.Module, values: torch.Tensor) -> torch.Tensor:
    """What the last layer gives at each timestep, [T, N, outputs], of values [T, N, C, H, W]; potentials are 0 before."""
    library, neurons = neurons_of(net)
    return PLAYERS[library](net, neurons, values)


def _spikingjelly(net: Any, neurons: list[Any], values: torch.Tensor) -> torch.Tensor:
    for one in neurons:
        one.reset()
    return net(values)


def _snntorch(net: Any, neurons: list[Any], values: torch.Tensor) -> torch.Tensor:
    """Classes with `num_steps` have the loop over time in their forward."""
    for one in neurons:
        if one.init_hidden:
            one.reset_mem()
    if hasattr(net, "num_steps"):
        net.num_steps = len(values)
        return _first(net(values[0]))
    return torch.stack([_first(net(value)) for value in values])


def _sinabs(net: Any, neurons: list[Any], values: torch.Tensor) -> torch.Tensor:
    """Time and batch are one axis, an image's timesteps next to each other."""
    for one in neurons:
        one.reset_states()
        one.batch_size, one.num_timesteps = values.shape[1], len(values)
    outputs = net(values.transpose(0, 1).flatten(0, 1))
    return outputs.reshape(values.shape[1], len(values), -1).transpose(0, 1)


def _norse(net: Any, neurons: list[Any], values: torch.Tensor) -> torch.Tensor:
    state, outputs = None, []
    for value in values:
        output, state = net(value, state)
        outputs.append(output)
    return torch.stack(outputs)


def _floats(net: Any, neurons: list[Any], values: torch.Tensor) -> torch.Tensor:
    for one in neurons:
        one.reset()
    return torch.stack([net(value) for value in values])


PLAYERS: dict[str, Callable[[Any, list[Any], torch.Tensor], torch.Tensor]] = {
    "spikingjelly": _spikingjelly,
    "snntorch": _snntorch,
    "sinabs": _sinabs,
    "norse": _norse,
    "floats": _floats,
}


def _first(output: torch.Tensor | tuple) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output


def scored(net: nn.Module, outputs: torch.Tensor, classes: int) -> torch.Tensor:
    """Of each class [N, classes], of outputs [T, N, outputs]: their sum over time, or the last potential of an integrator."""
    ends = outputs[-1] if ends_in_potentials(net) else outputs.sum(0)
    return ends.unflatten(1, (classes, -1)).sum(2)


def ends_in_potentials(net: nn.Module) -> bool:
    """Whether the last layer is an integrator of Norse."""
    return any(type(module).__name__ == "LIBoxCell" for module in net.modules())


@torch.no_grad()
def recorded(net: nn.Module, values: torch.Tensor) -> tuple[list[np.ndarray], torch.Tensor]:
    """The spikes of each layer of neurons in the order of their first call, uint8 [N, T, ...], and the outputs [T, N, K]."""
    library, neurons = neurons_of(net)
    calls: dict[nn.Module, list[torch.Tensor]] = {}
    hooks = [
        one.register_forward_hook(lambda module, _inputs, output: calls.setdefault(module, []).append(_first(output).byte()))
        for one in neurons
    ]
    outputs = play(net, values)
    for hook in hooks:
        hook.remove()
    return [_of_images(library, spikes, values).numpy() for spikes in calls.values()], outputs


def _of_images(library: str, spikes: list[torch.Tensor], values: torch.Tensor) -> torch.Tensor:
    """[N, T, ...] of what the calls of one layer gave."""
    if library == "spikingjelly":
        return spikes[0].transpose(0, 1)
    if library == "sinabs":
        return spikes[0].reshape(values.shape[1], len(values), *spikes[0].shape[1:])
    return torch.stack(spikes, 1)
