"""Quantization-aware modules that stand in a user's own network: what `duospike.prepare` puts in place of its layers.

Each takes and returns what the module did that it replaces, in the user's units, and computes the integers of
docs/reference/specification.md. With `unit` steps of an output's weights to 1 in the user's units:

    layer     current = (sum of integer weights * inputs + bias) / unit
    neurons   a_t = round(current * unit), v = round(potential * unit), and so on in integers; back by a division

Both roundings find the integer again while it is below LIMIT, since a division and a product in float32 are off by 2^-24 of it
each. Batch norm is folded by the layer before it: it gives unit and bias, and itself passes its input on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from duospike.reference.errors import InputError
from duospike.reference.network import Neuron
from duospike.reference.neurons import charge, floor_leak

from .layers import convolve, to_integers
from .norm import Moments
from .scales import Floor, Round, scaled_weights

LIMIT = 2**21
"""Integers below it are found again from their quotient, which is then off by less than a quarter of a step."""

LARGEST_TERM = 2.0**20
"""Steps of a bias or threshold, at most: an output whose weights are next to nothing gets a larger step than theirs."""

MIN_GAIN = 1e-12
DEVIATION = 1 / 64
"""Part of a step of an input that rounding explains, for pixels of up to 16 bits."""


@dataclass(frozen=True)
class Steps:
    """What a layer takes other than spikes: whole multiples, low to high, of `scale`."""

    scale: Fraction
    low: int
    high: int


class PreparedLayer(nn.Module):
    """What PreparedConv2d and PreparedLinear share.

    weight_bits: of the integers. steps: of pixels in the first layer, and of averages of spikes; None for spikes.
    norm: the batch norm behind it, or nothing; in a tuple, so that it stays a part of the user's network alone. threshold: the
    largest of the neurons behind it, for the size of a step. unit: [O], of the last call.
    """

    weight: torch.Tensor
    bias: Any
    weight_bits: int
    steps: Steps | None
    norm: tuple[PreparedNorm, ...]
    threshold: float
    unit: torch.Tensor

    def prepare(self, weight_bits: int, steps: Steps | None, norm: tuple[PreparedNorm, ...], threshold: float) -> None:
        self.weight_bits, self.steps, self.norm, self.threshold = weight_bits, steps, norm, threshold
        self.unit = torch.ones(len(self.weight))

    def sums(self, inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def _replicate_for_data_parallel(self) -> Any:
        """InputError: the neurons of a copy would take the unit of the layer that was copied."""
        raise InputError("a prepared network in nn.DataParallel; allowed: on one device, or in DistributedDataParallel")

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Spikes, or the image, as the replaced module takes them, with any dimensions before -> currents in the user's units."""
        with torch.autocast(inputs.device.type, enabled=False):
            weights, worth = self.quantized()
            sums = self.sums(self.whole(inputs), weights)
            bias, unit = self.folded(worth, sums)
            self.unit = unit.detach()
            return (sums + self.aligned(bias)) / self.aligned(unit)

    def aligned(self, values: torch.Tensor) -> torch.Tensor:
        """[O] -> a shape that meets currents of this layer."""
        return values.reshape(-1, *[1] * (self.weight.ndim - 2))

    def whole(self, inputs: torch.Tensor) -> torch.Tensor:
        """The integers that the inputs are. InputError, in evaluation: inputs that are none, or out of their range."""
        inputs = inputs.to(self.weight.dtype)
        if self.steps is None:
            return inputs
        real = inputs * float(1 / self.steps.scale)
        whole = Round.apply(real)
        if not self.training:
            check_steps(real, whole, self.steps)
        return whole

    def quantized(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Integer weights, with the sign of batch norm's gain, and what their product with 1 is worth [O]."""
        scaled, scale = scaled_weights(self.weight, self.weight_bits)
        worth = scale * float(self.steps.scale) if self.steps else scale
        weights = Round.apply(scaled)
        for norm in self.norm:
            weights = weights * norm.sign().reshape(-1, *[1] * (weights.ndim - 1))
        return weights, worth

    def folded(self, worth: torch.Tensor, sums: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Bias in whole steps [O], and the steps to 1 in the user's units [O]. sums: None for those in evaluation."""
        offset = torch.zeros_like(worth) if self.bias is None else self.bias
        unit = 1 / worth
        for norm in self.norm:
            moments = self.moments(norm, worth, offset, sums) if norm.training and sums is not None else None
            offset, unit = norm.folded(worth, offset, moments)
        unit = torch.minimum(unit, LARGEST_TERM / offset.detach().abs().clamp_min(self.threshold))
        return Round.apply(offset * unit), unit

    def moments(
        self, norm: PreparedNorm, worth: torch.Tensor, offset: torch.Tensor, sums: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance [O] of the batch, in the user's units, as the replaced layer's output would have them."""
        outputs = len(worth)
        maps = sums.reshape(1, -1, outputs, *(sums.shape[-2:] if self.weight.ndim == 4 else (1, 1)))
        mean, variance = Moments.apply(maps)
        mean, variance = norm.sign() * mean * worth + offset, variance * worth.square()
        norm.follow(mean.detach(), variance.detach(), maps.numel() // outputs)
        return mean, variance

    def export(self, where: str) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
        """Weights and bias in integers, int64, those of the forward pass in evaluation, and the unit."""
        with torch.no_grad():
            weights, worth = self.quantized()
            bias, unit = self.folded(worth, None)
        return to_integers(where, weights.cpu()), to_integers(where, bias.cpu()), unit


def check_steps(real: torch.Tensor, whole: torch.Tensor, allowed: Steps) -> None:
    """InputError: inputs, in steps, that are no whole ones, or beyond those that are allowed."""
    off = (real - whole).detach().abs()
    if off.numel() and not float(off.max()) <= DEVIATION:
        value = float(real.flatten()[off.argmax()]) * float(allowed.scale)
        raise InputError(f"an input of {value:.6g} is no whole multiple of {allowed.scale}; allowed: whole pixels times it")
    if whole.numel() and not (allowed.low <= float(whole.min()) and float(whole.max()) <= allowed.high):
        span = f"{float(whole.min()):.0f} to {float(whole.max()):.0f}"
        raise InputError(f"inputs from {span} times {allowed.scale}; allowed: {allowed.low} to {allowed.high}")


class PreparedConv2d(PreparedLayer, nn.Conv2d):
    """In place of a Conv2d that the hardware has."""

    def sums(self, inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """[..., C, H, W] -> [..., O, H, W]."""
        sums = convolve(
            inputs.reshape(-1, *inputs.shape[-3:]),
            weights,
            groups=self.groups,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return sums.reshape(*inputs.shape[:-3], *sums.shape[1:])


class PreparedLinear(PreparedLayer, nn.Linear):
    """In place of a Linear."""

    def sums(self, inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """[..., I] -> [..., O]."""
        return functional.linear(inputs, weights)


class PreparedNorm(nn.modules.batchnorm._BatchNorm):
    """In place of a batch norm, with its parameters and statistics, which the layer before it computes with."""

    def forward(self, currents: torch.Tensor) -> torch.Tensor:
        return currents

    def sign(self) -> torch.Tensor:
        """-1 or 1 for each output [O]."""
        gain = torch.ones_like(self.statistics()[0]) if self.weight is None else self.weight.detach()
        return torch.where(gain < 0, -1.0, 1.0).to(gain.dtype)

    def statistics(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The running mean and variance [O]."""
        assert self.running_mean is not None and self.running_var is not None
        return self.running_mean, self.running_var

    def folded(
        self, worth: torch.Tensor, offset: torch.Tensor, moments: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Offset and unit [O] behind the norm. worth: of a sum of 1. offset: before it. moments: of the batch, None to take the
        running ones.
        """
        mean, variance = moments or self.statistics()
        deviation = torch.sqrt(variance + self.eps)
        gain = torch.ones_like(worth) if self.weight is None else self.weight
        shift = torch.zeros_like(worth) if self.bias is None else self.bias
        return shift + gain * (offset - mean) / deviation, deviation / (gain.abs().clamp_min(MIN_GAIN) * worth)

    def follow(self, mean: torch.Tensor, variance: torch.Tensor, count: int) -> None:
        """Bring the running statistics closer to those of a batch of `count` values, as torch does."""
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        running_mean, running_variance = self.statistics()
        running_mean.lerp_(mean, share)
        running_variance.lerp_(variance * (count / max(count - 1, 1)), share)


class PreparedBatchNorm1d(PreparedNorm, nn.BatchNorm1d):
    pass


class PreparedBatchNorm2d(PreparedNorm, nn.BatchNorm2d):
    pass


class PreparedNeurons:
    """What the replacements of neurons share.

    neuron: reset and leak. layer: the layer that gives the currents, in a tuple, so that it stays a part of the user's network
    alone. gain: factor of the currents. inclusive: a potential equal to the threshold spikes, too.
    """

    neuron: Neuron
    layer: tuple[PreparedLayer]
    gain: float
    inclusive: bool

    def prepare(self, neuron: Neuron, layer: PreparedLayer, gain: float, inclusive: bool) -> None:
        self.layer, self.gain, self.inclusive = (layer,), gain, inclusive
        self.set_leak(neuron)

    def set_leak(self, neuron: Neuron) -> None:
        self.neuron = neuron

    def threshold_tensor(self) -> torch.Tensor:
        """In the user's units, one number or one for each output."""
        raise NotImplementedError

    def theta(self, threshold: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
        """Threshold in whole steps [O]. threshold: of any shape, one number or one for each output. unit: [O]."""
        # A whole number is at a whole threshold or above it where it is above the one before.
        return Round.apply(threshold.to(unit).reshape(-1).clamp_min(0) * (unit / self.gain)) - float(self.inclusive)

    def advance(
        self, current: torch.Tensor, state: torch.Tensor, surrogate: Any, *, delayed: bool, detach: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One timestep: currents and potentials of one shape -> spikes and the potentials to keep, in the user's units.

        surrogate: of the user, whose gradient is taken at potential - threshold, in the user's units. delayed: what is kept is
        the potential before the reset. detach: the reset is held constant.
        InputError, in evaluation: currents or potentials that are no whole steps.
        """
        layer, [reset, dtype] = self.layer[0], [self.neuron.reset, self.layer[0].weight.dtype]
        theta = layer.aligned(self.theta(self.threshold_tensor(), layer.unit))
        unit = layer.aligned(layer.unit)
        a = self.steps(current.to(dtype) * unit, "current")
        unit = unit / self.gain
        v = self.steps(state.to(dtype) * unit, "potential")
        constant = theta.detach()
        before = (v.detach() > constant).to(dtype) if delayed else torch.zeros_like(v)
        v = charge(reset, floor_leak(self.neuron, Floor.apply), v, before, constant, a)
        # The surrogate gives the gradient alone. Its step lies between two whole numbers.
        smooth = surrogate((v - theta - 0.5) / unit)
        spikes = (v.detach() > constant).to(dtype) + (smooth - smooth.detach())
        if not delayed:
            v = charge(reset, lambda kept: kept, v, spikes.detach() if detach else spikes, constant, 0)
        return spikes, v / unit

    def steps(self, values: torch.Tensor, what: str) -> torch.Tensor:
        """The whole steps that values in steps are."""
        whole = Round.apply(values)
        if not self.layer[0].training and values.numel():
            off = float((values.detach() - whole.detach()).abs().max())
            if not off < 0.25:
                raise InputError(
                    f"a {what} of the neurons is {off:.3g} off from a whole step of the weights before them; allowed: what "
                    f"the layer gives, below {LIMIT} steps, and potentials that these neurons returned"
                )
        return whole
