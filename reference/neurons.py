"""The leaky integrate-and-fire neuron: one definition for integers, for training and for the float twin.

    charge   v_t from v_(t-1), s_(t-1) and the current a_t, by the reset
    fire     s_t = 1 if v_t > theta else 0

`leak` is the only part in which the number systems differ, so it is a parameter. v_(-1) = s_(-1) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from .network import Neuron

Leak = Callable[[Any], Any]


def integer_leak(neuron: Neuron, axes: int = 0, array: Callable[[tuple[int, ...]], Any] = np.array) -> Leak:
    """leak(v) = (m * v) >> k with an arithmetic shift, for numpy or torch integers: leak(-1) = -1 for beta = 5/32.

    axes: of v behind that of the outputs. array: numpy.array or torch.tensor, whichever v is.
    """
    multiplier = neuron.multiplier
    if isinstance(multiplier, tuple):
        multiplier = array(multiplier).reshape(-1, *[1] * axes)
    return lambda v: (multiplier * v) >> neuron.shift


def floor_leak(neuron: Neuron, floor: Callable[[torch.Tensor], torch.Tensor] = torch.floor) -> Leak:
    """The same integers carried by floats: exact while |m * v| < 2**24, as the product with m / 2**k then is.

    floor: torch.floor, or one with another gradient.
    """
    return lambda v: floor(v * (neuron.multiplier / 2**neuron.shift))


def float_leak(neuron: Neuron) -> Leak:
    """leak(v) = beta * v, without rounding."""
    return lambda v: neuron.beta * v


def charge(reset: str, leak: Leak, v: Any, s: Any, theta: Any, current: Any) -> Any:
    """Potential v_t from the previous potential `v` and spike `s`; arrays of one shape, or scalars.

    subtract:          v_t = leak(v - theta*s) + a_t   snn.Leaky(reset_mechanism="subtract", reset_delay=False)
    subtract_delayed:  v_t = leak(v) - theta*s + a_t   snn.Leaky(reset_mechanism="subtract")
    zero:              v_t = leak(v*(1 - s)) + a_t     snn.Leaky(reset_mechanism="zero"), either reset_delay
    none:              v_t = leak(v) + a_t             snn.Leaky(reset_mechanism="none")

    snnTorch 1.0 (Eshraghian et al. 2023) is met exactly, except in one case of the first: where v - theta is still above
    theta after a spike, it subtracts theta once more before it compares, and adds it again afterwards.
    """
    if reset == "subtract":
        return leak(v - theta * s) + current
    if reset == "subtract_delayed":
        return leak(v) - theta * s + current
    if reset == "none":
        return leak(v) + current
    return leak(v * (1 - s)) + current


Surrogate = Callable[..., torch.Tensor]
"""surrogate(v, theta, unit, out) -> what replaces the derivative of the step at v, written to `out` if it is given."""


def arctan(
    v: torch.Tensor,
    theta: torch.Tensor,
    unit: torch.Tensor,
    out: torch.Tensor | None = None,
    *,
    slope: float = 1.0,
    threshold: float = 1.0,
) -> torch.Tensor:
    """With width = threshold * unit / slope and x = (v - theta) / width, 1 / (1 + (pi*x)^2) / width.

    The surrogate of Fang et al., "Incorporating Learnable Membrane Time Constant" (ICCV 2021), with alpha = 2.
    """
    width = unit * (threshold / slope)
    scale = width / torch.pi**2
    return torch.sub(v, theta, out=out).square_().add_(width * scale).reciprocal_().mul_(scale)


def fast_sigmoid(
    v: torch.Tensor,
    theta: torch.Tensor,
    unit: torch.Tensor,
    out: torch.Tensor | None = None,
    *,
    slope: float = 1.0,
    threshold: float = 1.0,
) -> torch.Tensor:
    """With x = (v - theta) / unit, 1 / (1 + slope*|x|)^2 / unit, for any threshold: snnTorch's surrogate.fast_sigmoid(slope)."""
    width = unit / slope
    return torch.sub(v, theta, out=out).abs_().add_(width).square_().reciprocal_().mul_(width / slope)


SURROGATES: dict[str, Surrogate] = {"arctan": arctan, "fast_sigmoid": fast_sigmoid}


def room_for(timesteps: int, maps: torch.Tensor) -> torch.Tensor:
    """An empty tensor [T, B, C, H, W] whose timesteps lie in memory as `maps` [B, C, H, W] does, channels last or not."""
    is_last = maps.is_contiguous(memory_format=torch.channels_last)
    order = torch.channels_last if is_last else torch.contiguous_format
    shape = (timesteps * maps.shape[0], *maps.shape[1:])
    return torch.empty(shape, dtype=maps.dtype, device=maps.device, memory_format=order).unflatten(0, (timesteps, -1))


class SpikingActivation(torch.autograd.Function):
    """Currents to spikes over all timesteps, with the surrogate gradient.

    forward(current, theta, unit, timesteps, neuron, leak, surrogate) -> spikes [T, B, C, H, W] of 0.0 and 1.0
      current    [T, B, C, H, W], or [1, B, C, H, W] where each timestep has the same
      theta      [C, 1, 1] or [C, 1, W], the threshold of each channel
      unit       of theta's shape, what a real 1 is in the current's units, a positive constant
      surrogate  one of SURROGATES, perhaps with arguments

    The gradient flows along the potentials and through the comparison with theta; the reset is held constant, as in
    snnTorch. It is written out, in place where it can be, because a chain of small operations would keep a map of each.
    """

    @staticmethod
    def forward(ctx, current, theta, unit, timesteps, neuron, leak, surrogate=arctan):
        potentials, spikes = [current[0]], room_for(timesteps, current[0])
        torch.gt(potentials[0], theta, out=spikes[0])
        for t in range(1, timesteps):
            v = charge(neuron.reset, leak, potentials[-1], spikes[t - 1], theta, current[min(t, len(current) - 1)])
            potentials.append(v)
            torch.gt(v, theta, out=spikes[t])
        ctx.save_for_backward(theta, unit, *potentials)
        ctx.neuron, ctx.repeated, ctx.surrogate = neuron, len(current) < timesteps, surrogate
        return spikes

    @staticmethod
    def backward(ctx, grad_spikes):
        theta, unit, *potentials = ctx.saved_tensors
        grads, grad_theta = room_for(len(potentials), potentials[0]), torch.zeros_like(theta)
        for t in reversed(range(len(potentials))):
            grad = ctx.surrogate(potentials[t], theta, unit, out=grads[t]).mul_(grad_spikes[t])
            if ctx.needs_input_grad[1]:
                grad_theta -= grad.sum_to_size(theta.shape)
            if t + 1 < len(potentials):
                carried = grads[t + 1] * (potentials[t] <= theta) if ctx.neuron.reset == "zero" else grads[t + 1]
                grad.add_(carried, alpha=ctx.neuron.beta)
        return grads.sum(0, keepdim=True) if ctx.repeated else grads, grad_theta, None, None, None, None, None
