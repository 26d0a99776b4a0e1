"""Reading the modules that `duospike.prepare` has made: their numbers are the hardware's already."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from duospike.reference.exchange.elements import Element, Neurons, Pooling, Weighted, convolution
from duospike.reference.exchange.source import Interface
from duospike.reference.training.layers import to_integers
from duospike.reference.training.prepared import LIMIT, PreparedConv2d, PreparedLayer, PreparedNeurons, PreparedNorm, Steps

from .module_calls import Unreadable, check_tensor, pair

UNITS = 2.0**-60, 2.0**60
"""Steps to 1 in the user's units, with which no float32 overflows or underflows."""

AGAIN = "allowed: the modules in the order in which they were prepared; prepare the network again after a change of it"


COMPUTED = (
    "its numbers are computed at each call; make them plain first: "
    "torch.nn.utils.parametrize.remove_parametrizations, torch.nn.utils.prune.remove"
)


def is_prepared(module: nn.Module) -> bool:
    return isinstance(module, PreparedLayer | PreparedNorm | PreparedNeurons)


def pixels_of(interface: Interface) -> Steps:
    """What the first layer takes."""
    low = -(2 ** (interface.image_bits - 1)) if interface.image_signed else 0
    return Steps(interface.image_scale, low, low + 2**interface.image_bits - 1)


def averages_of(pool: Pooling | None) -> Steps | None:
    """What a layer behind an average pooling of spikes takes; None for spikes."""
    return None if pool is None else Steps(Fraction(1, pool.divisor), 0, math.prod(pool.kernel))


class PreparedReader:
    """Reads prepared modules in their order.

    layer: the last one. is_first: whether it is the first, too. unit: its steps to 1 in the user's units [O], None where it could
    not be read. fired: all neurons.
    """

    def __init__(self, interface: Interface):
        self.interface = interface
        self.layer: PreparedLayer | None = None
        self.is_first = True
        self.unit: torch.Tensor | None = None
        self.fired: set[PreparedNeurons] = set()

    def begin(self, module: nn.Module) -> None:
        """Note a module that is about to be read, so that nothing is said of neurons only because their layer cannot be read."""
        if isinstance(module, PreparedLayer):
            self.is_first, self.layer, self.unit = self.layer is None, module, None

    def read(self, where: str, module: nn.Module, average: Pooling | None) -> list[Element]:
        """The element of a module; none of a batch norm, which its layer has folded. average: the pooling right before it.

        Unreadable: it does not fit what is before it.
        """
        if isinstance(module, PreparedLayer):
            return [self.weighted(where, module, average)]
        if isinstance(module, PreparedNeurons):
            return [self.neurons(where, module)]
        assert isinstance(module, PreparedNorm)
        if self.layer is None or self.layer.norm != (module,):
            raise Unreadable(f"prepared for another layer than the one before it; {AGAIN}")
        return []

    def weighted(self, where: str, module: PreparedLayer, average: Pooling | None) -> Weighted:
        if module is not self.layer:
            raise Unreadable(COMPUTED)
        steps = pixels_of(self.interface) if self.is_first else averages_of(average)
        if module.steps != steps:
            raise Unreadable(_other_steps(module.steps, steps))
        if any(norm.training for norm in module.norm):
            raise Unreadable("in training mode, where its batch norm depends on the batch; call eval() first")
        if module.weight.dtype not in (torch.float32, torch.float64):
            raise Unreadable(f"weights of type {module.weight.dtype}; allowed: float32 or float64, which carry its integers")
        for name, tensor in module.state_dict().items():
            check_tensor(name, tensor)
        for norm in module.norm:
            if norm.running_mean is None or norm.running_var is None:
                raise Unreadable("its batch norm keeps no running mean and variance; allowed: track_running_stats=True")
            for name, tensor in norm.state_dict().items():
                check_tensor(f"{name} of its batch norm", tensor)
        weights, bias, unit = module.export(where)
        low, high = float(unit.min()), float(unit.max())
        if not UNITS[0] <= low <= high <= UNITS[1]:
            raise Unreadable(f"from {low:.3g} to {high:.3g} steps of the weights to 1; allowed: {UNITS[0]:.3g} to {UNITS[1]:.3g}")
        self.unit = unit
        found = Weighted(where, weights.astype(np.float64), bias.astype(np.float64), integers_below=LIMIT)
        if not isinstance(module, PreparedConv2d):
            return found
        whole, padding, _ = convolution(
            where,
            found.weights,
            stride=pair(module.stride),
            padding=module.padding if isinstance(module.padding, str) else pair(module.padding),
            dilation=pair(module.dilation),
            groups=module.groups,
        )
        return replace(found, weights=whole, stride=pair(module.stride), padding=padding)

    def neurons(self, where: str, module: PreparedNeurons) -> Neurons:
        if self.layer is None or module.layer[0] is not self.layer:
            raise Unreadable(f"prepared for another layer than the one before them; {AGAIN}")
        if module in self.fired:
            raise Unreadable("the same neurons at two places, so that both have one potential; allowed: neurons of its own")
        self.fired.add(module)
        if self.unit is None:
            raise Unreadable()
        threshold = module.threshold_tensor()
        check_tensor("threshold", threshold)
        with torch.no_grad():
            theta = to_integers(where, module.theta(threshold, self.unit).cpu())
        return Neurons(where, module.neuron.reset, (module.neuron.fraction,), theta.astype(np.float64), integers=True)


def _other_steps(prepared: Steps | None, asked: Steps | None) -> str:
    shown = ["spikes" if one is None else f"{one.low} to {one.high} times {one.scale}" for one in (prepared, asked)]
    return f"prepared for inputs of {shown[0]}, and takes {shown[1]}; allowed: the image format and modules of prepare"
