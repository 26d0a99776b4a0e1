"""Reading the modules that `duospike.prepare` has made: their numbers are the hardware's already."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from torch import nn

from duospike.reference.exchange.source import Element, Interface, Neurons, Weighted
from duospike.reference.training.prepared import LIMIT, Pixels, PreparedLayer, PreparedNeurons, PreparedNorm
from duospike.reference.training.quantize import to_integers

from .module_calls import Unreadable, check_tensor

UNITS = 2.0**-60, 2.0**60
"""Steps to 1 in the user's units, with which no float32 overflows or underflows."""

AGAIN = "allowed: the modules in the order in which they were prepared; prepare the network again after a change of it"


def is_prepared(module: nn.Module) -> bool:
    return isinstance(module, PreparedLayer | PreparedNorm | PreparedNeurons)


def pixels_of(interface: Interface) -> Pixels:
    """What the first layer takes."""
    low = -(2 ** (interface.image_bits - 1)) if interface.image_signed else 0
    return Pixels(interface.image_scale, low, low + 2**interface.image_bits - 1)


class PreparedReader:
    """Reads prepared modules in their order. layer: the last one. unit: its steps to 1 in the user's units [O]."""

    def __init__(self, interface: Interface):
        self.interface = interface
        self.layer: PreparedLayer | None = None
        self.unit = torch.ones(0)

    def read(self, where: str, module: nn.Module) -> list[Element]:
        """The element of a module; none of a batch norm, which its layer has folded. Unreadable: it fits not what is before."""
        if isinstance(module, PreparedLayer):
            return [self.weighted(where, module)]
        if isinstance(module, PreparedNeurons):
            return [self.neurons(where, module)]
        assert isinstance(module, PreparedNorm)
        if self.layer is None or self.layer.norm != (module,):
            raise Unreadable(f"prepared for another layer than the one before it; {AGAIN}")
        return []

    def weighted(self, where: str, module: PreparedLayer) -> Weighted:
        pixels = None if self.layer else pixels_of(self.interface)
        if module.pixels != pixels:
            raise Unreadable(_other_pixels(module.pixels, pixels))
        if any(norm.training for norm in module.norm):
            raise Unreadable("in training mode, where its batch norm depends on the batch; call eval() first")
        for name, tensor in module.state_dict().items():
            check_tensor(name, tensor)
        for norm in module.norm:
            for name, tensor in norm.state_dict().items():
                check_tensor(f"{name} of its batch norm", tensor)
        weights, bias, self.unit = module.export(where)
        low, high = float(self.unit.min()), float(self.unit.max())
        if not UNITS[0] <= low <= high <= UNITS[1]:
            raise Unreadable(f"from {low:.3g} to {high:.3g} steps of the weights to 1; allowed: {UNITS[0]:.3g} to {UNITS[1]:.3g}")
        self.layer = module
        return Weighted(where, weights.astype(np.float64), bias.astype(np.float64), integers_below=LIMIT)

    def neurons(self, where: str, module: PreparedNeurons) -> Neurons:
        if self.layer is None or module.layer[0] is not self.layer:
            raise Unreadable(f"prepared for another layer than the one before them; {AGAIN}")
        threshold = module.threshold_tensor()
        check_tensor("threshold", threshold)
        with torch.no_grad():
            theta = to_integers(where, module.theta(threshold, self.unit).cpu())
        beta = Fraction(module.neuron.multiplier, 2**module.neuron.shift)
        return Neurons(where, module.neuron.reset, beta, theta.astype(np.float64), integers=True)


def _other_pixels(prepared: Pixels | None, asked: Pixels | None) -> str:
    if prepared is None or asked is None:
        return f"prepared for {'the image' if prepared else 'spikes'}, and takes {'the image' if asked else 'spikes'}; {AGAIN}"
    return (
        f"prepared for pixels {prepared.low} to {prepared.high} times {prepared.scale}, imported for {asked.low} to {asked.high} "
        f"times {asked.scale}; allowed: the image format that it was prepared with"
    )
