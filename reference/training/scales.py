"""Quantizers of training: real numbers in whole steps of a scale that their largest magnitude gives."""

from __future__ import annotations

from collections.abc import Callable

import torch

SCALES = ("channel", "tensor")
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
    scale = weight_scale(weight.detach(), bits, "channel")
    return (weight / per_channel(scale, weight)).clamp(-limit, limit), scale


def weight_scale(weight: torch.Tensor, bits: int, per: str) -> torch.Tensor:
    """The scale [O] of weights [O, ...]: max|w| / (2^(bits-1) - 1) of each output channel, or of all as `per` is "tensor"."""
    largest = weight.abs().flatten(1).amax(1) if per == "channel" else weight.abs().max().expand(len(weight))
    return largest.clamp_min(MIN_SCALE) / (2 ** (bits - 1) - 1)


def per_channel(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """[O] -> [O, 1, ...], to meet weights [O, ...]."""
    return values.reshape(-1, *[1] * (weight.ndim - 1))


def in_steps(
    values: torch.Tensor, scale: torch.Tensor, low: int, high: int, rounded: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """values / scale, rounded and clamped to low .. high, with the gradient of scale * result in units of the scale.

    That is Brevitas' gradient: straight through rounding and clamping, and through the scale, d(s*q) = dv + (q - v/s) ds.

    >>> in_steps(torch.tensor([0.5, -1.0]), torch.tensor(0.25), -3, 3, torch.round)
    tensor([ 2., -3.])
    """
    fixed = scale.detach()
    steps = values / fixed
    whole = rounded(steps)
    whole = whole + (whole.detach().clamp(low, high) - whole.detach())
    # A factor of exactly 0 in the forward pass, whose gradient is that of the scale.
    return whole + (whole - steps).detach() * (scale / fixed - 1)


def rounded_bias(bias: torch.Tensor, bits: int) -> torch.Tensor:
    """Biases [O] as whole multiples of max|b| / 2^(bits-1), clamped to -2^(bits-1) .. 2^(bits-1) - 1; real numbers.

    Brevitas' Int8BiasPerTensorFloatInternalScaling. Its gradient goes through the scale, too.
    """
    limit = 2 ** (bits - 1)
    scale = bias.abs().max().clamp_min(MIN_SCALE) / limit
    return in_steps(bias, scale, -limit, limit - 1, Round.apply) * scale.detach()
