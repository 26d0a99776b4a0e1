"""The prepared neuron of SpikingJelly."""

from __future__ import annotations

import torch
from spikingjelly.activation_based.neuron import BaseNode
from torch import nn

from duospike.reference.network import Neuron

from .prepared import PreparedLayer, PreparedNeurons


class PreparedNode(PreparedNeurons, BaseNode):
    """In place of an IFNode, LIFNode or ParametricLIFNode, in both step modes; the leak is fixed."""

    def prepare(self, neuron: Neuron, layer: PreparedLayer, gain: float, inclusive: bool) -> None:
        super().prepare(neuron, layer, gain, inclusive)
        if isinstance(getattr(self, "w", None), nn.Parameter):
            self.w.requires_grad_(False)

    def threshold_tensor(self) -> torch.Tensor:
        return torch.as_tensor(self.v_threshold)

    def single_step_functional_forward(self, inputs, states, **kwargs):
        """(Currents [N, ...],), (potentials, ...) -> (spikes,), (potentials, ...)."""
        spikes, v = self.advance(inputs[0], states[0], self.surrogate_function, delayed=False, detach=self.detach_reset)
        return (spikes,), (v, *states[1:])
