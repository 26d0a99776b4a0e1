"""Layers of a SpikingNetwork: a convolution or fully connected layer with its neurons, and pools of spikes.

Everything is in units of the layer's accumulator. One unit of the accumulator is worth `1 / unit` in the real numbers of the
recipe, in which a neuron's threshold is `threshold`.
"""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from duospike.reference.errors import InputError
from duospike.reference.network import Conv, Linear, Pool
from duospike.reference.neurons import SURROGATES, SpikingActivation, float_leak, floor_leak

from .norm import NORM_EPSILON, NORM_MOMENTUM, Moments, NormedCurrents, moments_of, per_output
from .scales import Round, in_steps, per_channel, rounded_bias, weight_scale
from .settings import EXACT, FLOAT, Settings


def convolve(maps: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None = None, **window: Any) -> torch.Tensor:
    """Whole maps [N, C, H, W] and weights [O, C / groups, KH, KW] -> sums of products [N, O, H', W'], each exact below 2^24.

    bias: [O], added to each. window: groups, stride, padding, dilation, as torch.nn.functional.conv2d takes them.
    """
    # Channels last in memory, with which torch's gradients of a convolution are faster.
    weights = weights.to(memory_format=torch.channels_last)
    # NNPACK, torch's choice on processors without oneDNN, multiplies transforms, whose sums are rounded.
    with torch.backends.nnpack.flags(enabled=False):
        return functional.conv2d(maps, weights, bias, **window)


class SpikingLayer(nn.Module):
    """What a layer with batch norm and one with a bias share: weights, sums, neurons, export.

    weights = round(w / s) with the scale s = max|w| / limit of each output channel or of the whole tensor,
    limit = 2^(bits-1) - 1. dropout: the chance that a current is left out of a timestep in training.
    """

    def __init__(self, blank: Conv | Linear, settings: Settings, dropout: float = 0.0):
        super().__init__()
        self.blank, self.timesteps, self.threshold = blank, settings.timesteps, settings.threshold
        self.exact = settings.weight_bits != FLOAT
        self.leak = (floor_leak if self.exact else float_leak)(blank.neuron)
        self.per, self.scale_gradient, self.dropout = settings.weight_scale, settings.scale_gradient, dropout
        self.surrogate = settings.surrogate
        self.surrogate_slope = settings.surrogate_slope
        self.weight = nn.Parameter(torch.empty(blank.weights.shape))
        if settings.initial_weights == "kaiming":
            nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        else:
            nn.init.uniform_(self.weight, -self.torch_bound, self.torch_bound)

    @property
    def torch_bound(self) -> float:
        """Where torch draws initial weights and biases from, to both sides of 0."""
        return 1 / math.sqrt(self.weight[0].numel())

    def round(self, values: torch.Tensor) -> torch.Tensor:
        return Round.apply(values) if self.exact else values

    def scaled(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights [O, ...] in units of their scale, rounded, and the scale [O], a constant."""
        scale, limit = weight_scale(self.weight, self.blank.weight_bits, self.per), 2 ** (self.blank.weight_bits - 1) - 1
        if self.scale_gradient:
            return in_steps(self.weight, per_channel(scale, self.weight), -limit, limit, self.round), scale.detach()
        steps = self.weight / per_channel(scale.detach(), self.weight)
        return self.round(steps.clamp(-limit, limit)), scale.detach()

    def sums(self, inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Inputs [T, B, C, H, W] -> accumulators [T, B, O, H', W'], pooled if the layer's are; T = 1: the image."""
        if isinstance(self.blank, Linear):
            return functional.linear(inputs.flatten(2), weight, bias)[..., None, None]
        sums = convolve(inputs.flatten(0, 1), weight, bias, stride=self.blank.stride, padding=self.blank.padding)
        return self.pool_currents(sums).unflatten(0, inputs.shape[:2])

    def pool_currents(self, sums: torch.Tensor) -> torch.Tensor:
        """Sums [M, O, H, W] -> the largest or the sum of each window, where the layer pools its currents."""
        pool = self.blank.current_pool if isinstance(self.blank, Conv) else None
        if pool is None:
            return sums
        if pool.op == "max":
            return functional.max_pool2d(sums, pool.kernel)
        return functional.avg_pool2d(sums, pool.kernel, divisor_override=1)

    def currents(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs -> currents [T, B, O, H, W], thresholds [O] and units [O], the last a constant."""
        raise NotImplementedError

    def integers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights, bias and theta of the forward pass in evaluation mode."""
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Spikes or image [T, B, C, H, W] -> spikes [T, B, O, H, W]; T = 1 for the image, which meets each timestep."""
        current, theta, unit = self.currents(inputs)
        if self.dropout and self.training:
            current = functional.dropout(current.expand(self.timesteps, *current.shape[1:]), self.dropout)
        width = current.shape[-1]
        surrogate = partial(SURROGATES[self.surrogate], slope=self.surrogate_slope, threshold=self.threshold)
        return SpikingActivation.apply(
            current, per_output(theta, width), per_output(unit, width), self.timesteps, self.blank.neuron, self.leak, surrogate
        )

    def export(self) -> Conv | Linear:
        """The layer in plain integers, those of the forward pass in evaluation mode."""
        weights, bias, theta = (to_integers(self.blank.name, tensor) for tensor in self.integers())
        return dataclasses.replace(self.blank, weights=weights, bias=bias, theta=theta)


class NormedLayer(SpikingLayer):
    """A layer with batch norm. With mean mu and deviation sigma of the accumulator, gain gamma > 0 and offset beta of batch norm,
    and the threshold `threshold` behind it:

        bias = round(beta*sigma/gamma - mu)    theta = round(threshold*sigma/gamma)    unit = sigma/gamma

    which is gamma*(acc - mu)/sigma + beta > threshold, multiplied by the positive sigma/gamma. In training mu and sigma
    are the batch's, over all timesteps; afterwards running averages.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, blank: Conv | Linear, settings: Settings, dropout: float = 0.0):
        super().__init__(blank, settings, dropout)
        self.log_gain = nn.Parameter(torch.zeros(blank.outputs))
        self.offset = nn.Parameter(torch.zeros(blank.outputs))
        self.register_buffer("mean", torch.zeros(blank.outputs))
        self.register_buffer("variance", torch.ones(blank.outputs))

    def statistics(self, sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance [O] of the accumulators: the batch's in training, else the running ones."""
        if not self.training:
            return self.mean, self.variance
        mean, variance = moments_of(sums.detach()) if self.scale_gradient else Moments.apply(sums)
        self.mean.lerp_(mean.detach(), NORM_MOMENTUM)
        self.variance.lerp_(variance.detach(), NORM_MOMENTUM)
        return mean, variance

    def folded(self, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """bias, theta and the unit, each [O], in units of the accumulator."""
        unit = torch.sqrt(variance + NORM_EPSILON) * torch.exp(-self.log_gain)
        return self.round((self.offset * unit - mean) / self.blank.summed), self.round(self.threshold * unit), unit

    def currents(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        sums = self.sums(inputs, self.scaled()[0])
        mean, variance = self.statistics(sums)
        bias, theta, unit = self.folded(mean, variance)
        if self.scale_gradient and self.training:
            whole = self.blank.summed * bias.detach()
            current = NormedCurrents.apply(sums, self.log_gain, self.offset, whole, mean, variance)
            return current, theta.detach(), unit.detach()
        return sums + self.blank.summed * per_output(bias, sums.shape[-1]), theta, unit.detach()

    def integers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.scaled()[0], *self.folded(self.mean, self.variance)[:2]


class BiasedLayer(SpikingLayer):
    """A layer without batch norm, with a trained bias b in real numbers and a scale s of its weights:

        bias = round(b*unit)    theta = round(threshold*unit)    unit = 1 / (s*worth)

    worth: of a whole number of the input in the recipe's real numbers. The bias may be rounded to few bits first.
    """

    def __init__(self, blank: Conv | Linear, settings: Settings, dropout: float = 0.0, worth: float = 1.0):
        super().__init__(blank, settings, dropout)
        self.worth, self.bias_bits = worth, settings.bias_bits
        self.bias = nn.Parameter(torch.zeros(blank.outputs))
        if settings.initial_weights == "torch":
            nn.init.uniform_(self.bias, -self.torch_bound, self.torch_bound)

    def integers(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        weight, bias, unit = self.folded()
        return weight, bias, self.round(self.threshold * unit)

    def folded(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights, bias and the unit [O], in units of the accumulator."""
        weight, scale = self.scaled()
        unit = 1 / (scale * self.worth)
        rounds = self.exact and self.bias_bits != EXACT
        bias = rounded_bias(self.bias, int(self.bias_bits)) if rounds else self.bias
        return weight, self.round(bias * unit), unit

    def currents(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        weight, bias, unit = self.folded()
        return self.sums(inputs, weight, bias), self.round(self.threshold * unit), unit


class PoolLayer(nn.Module):
    """OR or sums of windows of spikes [T, B, C, H, W]."""

    def __init__(self, pool: Pool):
        super().__init__()
        self.pool = pool

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        maps, pool = spikes.flatten(0, 1), self.pool
        if pool.op == "or":
            pooled = functional.max_pool2d(maps, pool.kernel, pool.stride, pool.padding)
        else:
            pooled = functional.avg_pool2d(maps, pool.kernel, divisor_override=1)
        return pooled.unflatten(0, spikes.shape[:2])


def to_integers(name: str, tensor: torch.Tensor) -> np.ndarray:
    """Whole numbers carried by floats -> int64. InputError: one is not finite, as after a diverged training, or beyond int64."""
    if not torch.isfinite(tensor).all():
        raise InputError(f"layer {name}: training has diverged, a value is not finite")
    if tensor.numel() and tensor.abs().max() >= 2**63:
        raise InputError(f"layer {name}: a value of {float(tensor.abs().max()):.6g}; allowed: 64-bit signed integers")
    return tensor.numpy().astype(np.int64)
