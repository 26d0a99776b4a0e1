"""Batch norm of currents, in units of the accumulator: statistics of all timesteps together, with their gradients.

Both functions are written out, since the chain of small operations goes over the maps far more often.
"""

from __future__ import annotations

import torch

NORM_EPSILON = 1e-5
NORM_MOMENTUM = 0.1
AXES = (0, 1, 3, 4)
"""Of sums [T, B, O, H, W] all but the channels."""


def per_output(values: torch.Tensor, width: int) -> torch.Tensor:
    """[O] -> [O, 1, W], to meet maps [..., O, H, W].

    Along W too, and in memory as maps with channels last are: torch's innermost loop is then over a row's values, and not over
    a few channels.
    """
    return values.expand(width, -1).contiguous().t()[:, None]


def moments_of(sums: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance [O] of sums [T, B, O, H, W] over all else."""
    mean = sums.mean(AXES)
    return mean, (sums - per_output(mean, sums.shape[-1])).square_().mean(AXES)


class Moments(torch.autograd.Function):
    """forward(sums) -> moments_of(sums), with a gradient."""

    @staticmethod
    def forward(ctx, sums):
        mean, variance = moments_of(sums)
        ctx.save_for_backward(sums, mean)
        return mean, variance

    @staticmethod
    def backward(ctx, grad_mean, grad_variance):
        sums, mean = ctx.saved_tensors
        count, width = sums.numel() // len(mean), sums.shape[-1]
        slope = 2 * grad_variance / count
        return torch.addcmul(per_output(grad_mean / count - slope * mean, width), sums, per_output(slope, width))


class NormedCurrents(torch.autograd.Function):
    """Currents whose gradient is that of batch norm in real numbers.

    forward(sums, log_gain, offset, bias, mean, variance) -> sums + bias
      sums              [T, B, O, H, W]
      log_gain, offset  [O], of batch norm: y = exp(log_gain) * (sums - mean) / sigma + offset, sigma^2 = variance + NORM_EPSILON
      bias              [O], what they make of y in units of the accumulator, rounded or not
      mean, variance    [O], moments_of(sums)

    The gradient is that of y, in the unit sigma / exp(log_gain) of the accumulator as it is here: through mean and variance of
    the sums, through gain and offset, and not through the unit, in which the threshold is written as well.
    """

    @staticmethod
    def forward(ctx, sums, log_gain, offset, bias, mean, variance):
        ctx.save_for_backward(sums, log_gain, mean, variance)
        return sums + per_output(bias, sums.shape[-1])

    @staticmethod
    def backward(ctx, grad):
        sums, log_gain, mean, variance = ctx.saved_tensors
        width, count = sums.shape[-1], sums.numel() // len(mean)
        sigma = torch.sqrt(variance + NORM_EPSILON)
        total = grad.sum(AXES)
        # Of the normalised sums, (sums - mean) / sigma.
        along = ((grad * sums).sum(AXES) - mean * total) / sigma
        slope = -along / (count * sigma)
        grad_sums = torch.addcmul(per_output(-total / count - slope * mean, width), sums, per_output(slope, width)).add_(grad)
        return grad_sums, along * sigma, total * sigma * torch.exp(-log_gain), None, None, None
