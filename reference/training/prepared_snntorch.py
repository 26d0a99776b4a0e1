"""The prepared neuron of snnTorch."""

from __future__ import annotations

import snntorch
import torch

from duospike.reference.network import Neuron

from .prepared import PreparedLayer, PreparedNeurons


class PreparedLeaky(PreparedNeurons, snntorch.Leaky):
    """In place of a snntorch.Leaky, with its arguments, hidden state and surrogate; reset and leak are fixed.

    delayed: what it keeps and returns is the potential before the reset.
    """

    delayed: bool

    def prepare(self, neuron: Neuron, layer: PreparedLayer, gain: float, inclusive: bool) -> None:
        super().prepare(neuron, layer, gain, inclusive)
        self.delayed = self.reset_delay
        self.beta.requires_grad_(False)
        # Where snntorch.utils.reset finds the neurons that it resets. A copy is not in it.
        snntorch.SpikingNeuron.instances.append(self)

    def set_leak(self, neuron: Neuron) -> None:
        super().set_leak(neuron)
        self.beta.data.fill_(neuron.beta)

    def threshold_tensor(self) -> torch.Tensor:
        return self.threshold

    def forward(self, input_: torch.Tensor, mem: torch.Tensor | None = None):
        """Currents [N, ...], and potentials where the state is not hidden -> what the replaced neuron returns."""
        if mem is not None:
            if self.init_hidden:
                raise TypeError("`mem` should not be passed as an argument while `init_hidden=True`")
            self.mem = mem
        if self.mem.shape != input_.shape:
            self.mem = torch.zeros_like(input_)
        spikes, self.mem = self.advance(input_, self.mem, self.spike_grad, delayed=self.delayed)
        return spikes if self.init_hidden and not self.output else (spikes, self.mem)
