"""Quantization-aware training: a torch module whose forward pass computes the integers of docs/reference/specification.md.

Everything is in units of the layer's accumulator, so that nothing is left to fold afterwards: the convolution runs on
integer weights, and batch norm turns into an integer bias and an integer threshold before the neuron compares. The
float twin is the same module with `exact` rounding switched off.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from duospike.reference.architecture import blank_network
from duospike.reference.coding import encode
from duospike.reference.errors import InputError
from duospike.reference.network import Conv, Linear, Network, Pool
from duospike.reference.neurons import SpikingActivation, float_leak, floor_leak

from .settings import FLOAT, Settings

NORM_EPSILON = 1e-5
NORM_MOMENTUM = 0.1
# Keeps the scale of a channel whose weights are all 0 above 0, and its gradient finite.
MIN_SCALE = 1e-8


class Round(torch.autograd.Function):
    """Nearest integer, halves to even; the gradient passes straight through (Bengio et al. 2013)."""

    @staticmethod
    def forward(ctx, values):
        return torch.round(values)

    @staticmethod
    def backward(ctx, grad):
        return grad


class Floor(Round):
    """The largest integer below, with the same gradient."""

    @staticmethod
    def forward(ctx, values):
        return torch.floor(values)


def scaled_weights(weight: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights [O, ...] in units of each output's scale, not rounded yet, and the scale [O].

    For 4 bits the largest magnitude becomes 7.
    """
    limit = 2 ** (bits - 1) - 1
    scale = weight.detach().abs().flatten(1).amax(1).clamp_min(MIN_SCALE) / limit
    return (weight / scale.reshape(-1, *[1] * (weight.ndim - 1))).clamp(-limit, limit), scale


def convolve(maps: torch.Tensor, weights: torch.Tensor, **window: Any) -> torch.Tensor:
    """Whole maps [N, C, H, W] and weights [O, C / groups, KH, KW] -> sums of products [N, O, H', W'], each exact below 2^24.

    window: groups, stride, padding, dilation, as torch.nn.functional.conv2d takes them.
    """
    # Channels last in memory, with which torch's gradients of a convolution are faster.
    weights = weights.to(memory_format=torch.channels_last)
    # NNPACK, torch's choice on processors without oneDNN, multiplies transforms, whose sums are rounded.
    with torch.backends.nnpack.flags(enabled=False):
        return functional.conv2d(maps, weights, **window)


def per_output(values: torch.Tensor, width: int) -> torch.Tensor:
    """[O] -> [O, 1, W], to meet maps [..., O, H, W].

    Along W too, and in memory as maps with channels last are: torch's innermost loop is then over a row's values, and not over
    a few channels.
    """
    return values.expand(width, -1).contiguous().t()[:, None]


class Moments(torch.autograd.Function):
    """forward(sums) -> mean and variance [O] of sums [T, B, O, H, W] over all else, with a gradient.

    Written out because the chain of small operations goes over the maps far more often.
    """

    AXES = (0, 1, 3, 4)

    @staticmethod
    def forward(ctx, sums):
        mean = sums.mean(Moments.AXES)
        ctx.save_for_backward(sums, mean)
        return mean, (sums - per_output(mean, sums.shape[-1])).square_().mean(Moments.AXES)

    @staticmethod
    def backward(ctx, grad_mean, grad_variance):
        sums, mean = ctx.saved_tensors
        count, width = sums.numel() // len(mean), sums.shape[-1]
        slope = 2 * grad_variance / count
        return torch.addcmul(per_output(grad_mean / count - slope * mean, width), sums, per_output(slope, width))


class SpikingLayer(nn.Module):
    """A convolution or fully connected layer, batch norm and LIF, in units of its accumulator.

    With the scale s = max|w| / limit of each output channel, limit = 2^(bits-1) - 1, mean mu and deviation sigma of the
    accumulator, gain gamma > 0 and offset beta of batch norm, and the threshold `threshold` behind it:

        weights = round(w / s)    bias = round(beta*sigma/gamma - mu)    theta = round(threshold*sigma/gamma)

    which is gamma*(acc - mu)/sigma + beta > threshold, multiplied by the positive sigma/gamma. In training mu and sigma
    are the batch's, over all timesteps; afterwards running averages.
    """

    mean: torch.Tensor
    variance: torch.Tensor

    def __init__(self, blank: Conv | Linear, settings: Settings):
        super().__init__()
        self.blank, self.timesteps, self.threshold = blank, settings.timesteps, settings.threshold
        self.exact = settings.weight_bits != FLOAT
        self.leak = (floor_leak if self.exact else float_leak)(blank.neuron)
        self.weight = nn.Parameter(torch.empty(blank.weights.shape))
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        self.log_gain = nn.Parameter(torch.zeros(blank.outputs))
        self.offset = nn.Parameter(torch.zeros(blank.outputs))
        self.register_buffer("mean", torch.zeros(blank.outputs))
        self.register_buffer("variance", torch.ones(blank.outputs))

    def round(self, values: torch.Tensor) -> torch.Tensor:
        return Round.apply(values) if self.exact else values

    def quantized_weight(self) -> torch.Tensor:
        """Weights in units of each output channel's scale."""
        return self.round(scaled_weights(self.weight, self.blank.weight_bits)[0])

    def accumulate(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs [T, B, C, H, W] -> accumulators [T, B, O, H', W'], pooled if the layer's are, without bias; T = 1: the image."""
        if isinstance(self.blank, Linear):
            return functional.linear(inputs.flatten(2), self.quantized_weight())[..., None, None]
        sums = convolve(inputs.flatten(0, 1), self.quantized_weight(), stride=self.blank.stride, padding=self.blank.padding)
        return self.pool_currents(sums).unflatten(0, inputs.shape[:2])

    def pool_currents(self, sums: torch.Tensor) -> torch.Tensor:
        """Sums [M, O, H, W] -> the largest or the sum of each window, where the layer pools its currents."""
        pool = self.blank.current_pool if isinstance(self.blank, Conv) else None
        if pool is None:
            return sums
        if pool.op == "max":
            return functional.max_pool2d(sums, pool.kernel)
        return functional.avg_pool2d(sums, pool.kernel, divisor_override=1)

    def statistics(self, sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance [O] of the accumulators: the batch's in training, else the running ones."""
        if not self.training:
            return self.mean, self.variance
        mean, variance = Moments.apply(sums)
        self.mean.lerp_(mean.detach(), NORM_MOMENTUM)
        self.variance.lerp_(variance.detach(), NORM_MOMENTUM)
        return mean, variance

    def folded(self, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """bias, theta and the unrounded theta, each [O], in units of the accumulator."""
        unit = torch.sqrt(variance + NORM_EPSILON) * torch.exp(-self.log_gain)
        theta = self.threshold * unit
        return self.round((self.offset * unit - mean) / self.blank.summed), self.round(theta), theta

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Spikes or image [T, B, C, H, W] -> spikes [T, B, O, H, W]; T = 1 for the image, which meets each timestep."""
        sums = self.accumulate(inputs)
        bias, theta, unit = (per_output(values, sums.shape[-1]) for values in self.folded(*self.statistics(sums)))
        return SpikingActivation.apply(
            sums + self.blank.summed * bias, theta, unit.detach(), self.timesteps, self.blank.neuron, self.leak
        )

    def export(self) -> Conv | Linear:
        """The layer in plain integers, those of the forward pass in evaluation mode."""
        tensors = (self.quantized_weight(), *self.folded(self.mean, self.variance)[:2])
        weights, bias, theta = (to_integers(self.blank.name, tensor) for tensor in tensors)
        return dataclasses.replace(self.blank, weights=weights, bias=bias, theta=theta)


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


def blank_of(
    settings: Settings, input_shape: tuple[int, int, int], *, image_bits: int | None = None, image_signed: bool = False
) -> Network:
    """The network that is to be trained, all zeros. image_bits: by default the settings'. InputError: as blank_network."""
    return blank_network(
        settings.architecture,
        input_shape=input_shape,
        classes=settings.classes,
        timesteps=settings.timesteps,
        weight_bits=8 if settings.weight_bits == FLOAT else int(settings.weight_bits),
        neuron=settings.neuron,
        image_bits=settings.image_bits if image_bits is None else image_bits,
        image_signed=image_signed,
        coding=settings.coding,
        coding_seed=settings.coding_seed,
    )


class SpikingNetwork(nn.Module):
    """The trainable network of `settings` for images of `input_shape`, whose pixels have `image_bits` bits (default: settings').

    Weights are drawn from torch's global generator.
    """

    def __init__(
        self, settings: Settings, input_shape: tuple[int, int, int], *, image_bits: int | None = None, image_signed: bool = False
    ):
        super().__init__()
        self.blank = blank_of(settings, input_shape, image_bits=image_bits, image_signed=image_signed)
        self.exact = settings.weight_bits != FLOAT
        self.layers = nn.ModuleDict(
            {
                layer.name: PoolLayer(layer) if isinstance(layer, Pool) else SpikingLayer(layer, settings)
                for layer in self.blank.layers
            }
        )

    @property
    def max_votes(self) -> int:
        """Votes that a class gets if all its neurons spike at each timestep."""
        return self.blank.timesteps * self.blank.shapes[-1][0] // self.blank.classes

    def first_maps(self, images: torch.Tensor) -> torch.Tensor:
        """What the first layer takes: images [1, B, C, H, W] for all timesteps, or frames or spikes [T, B, C, H, W].

        `images` are on the processor, events [B, T, C, H, W]; the maps are on the device of the weights.
        """
        device = next(self.parameters()).device
        if self.blank.coding == "direct":
            return images[None].to(device)
        if self.blank.coding != "rate":
            return images.transpose(0, 1).to(device)
        whole = images.numpy().astype(np.int64)
        spikes = encode(whole, self.blank.timesteps, self.blank.image_bits, self.blank.coding_seed)
        return torch.from_numpy(spikes).transpose(0, 1).float().to(device)

    def spikes(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Images [B, C, H, W], frames or events [B, T, C, H, W] -> spikes [T, B, C, H, W] of each layer, by its name.

        images: floats, whole numbers.
        """
        maps, trace = self.first_maps(images), {}
        for name, layer in self.layers.items():
            maps = trace[name] = layer(maps)
        return trace

    def votes(self, spikes: torch.Tensor) -> torch.Tensor:
        """Spikes [T, B, O, 1, 1] of the last layer -> votes [B, classes], summed over timesteps and each class's neurons."""
        return spikes.sum(0).reshape(spikes.shape[1], self.blank.classes, -1).sum(-1)

    def spike_rate(self, spikes: dict[str, torch.Tensor]) -> torch.Tensor:
        """The share of neurons and timesteps with a spike, over all layers except pools together; with a gradient."""
        of_neurons = [spikes[layer.name] for layer in self.blank.layers if not isinstance(layer, Pool)]
        return torch.stack([one.sum() for one in of_neurons]).sum() / sum(one.numel() for one in of_neurons)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images, as spikes() takes them -> votes [B, classes]."""
        return self.votes(self.spikes(images)[self.blank.layers[-1].name])

    def export(self) -> Network:
        """The network in plain integers. InputError for a float twin, which has none."""
        if not self.exact:
            raise InputError("a float network has no integers to export; set weight_bits to 2..8")
        blank = self.blank
        with torch.no_grad():
            layers = [
                layer if isinstance(layer, Pool) else self.layers[layer.name].export()  # type: ignore[operator]
                for layer in blank.layers
            ]
        return dataclasses.replace(blank, layers=tuple(layers))


def to_integers(name: str, tensor: torch.Tensor) -> np.ndarray:
    """Whole numbers carried by floats -> int64. InputError: a value is not finite, as after a diverged training."""
    if not torch.isfinite(tensor).all():
        raise InputError(f"layer {name}: training has diverged, a value is not finite")
    return tensor.numpy().astype(np.int64)
