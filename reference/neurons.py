"""The leaky integrate-and-fire neuron: one definition for integers, for training and for the float twin.

    charge   v_t from v_(t-1), s_(t-1) and the current a_t, by the reset kind
    fire     s_t = 1 if v_t > theta else 0

`leak` is the only part in which the number systems differ, so it is handed in. v_(-1) = s_(-1) = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .network import Neuron

Leak = Callable[[Any], Any]


def integer_leak(neuron: Neuron) -> Leak:
    """leak(v) = (m * v) >> k with an arithmetic shift, for numpy or torch integers: leak(-1) = -1 for beta = 5/32."""
    return lambda v: (neuron.multiplier * v) >> neuron.shift


def floor_leak(neuron: Neuron) -> Leak:
    """The same integers carried by floats: exact while |m * v| < 2**24, as dividing by a power of two is."""
    return lambda v: torch.floor(v * neuron.multiplier / 2**neuron.shift)


def float_leak(neuron: Neuron) -> Leak:
    """leak(v) = beta * v, without rounding."""
    return lambda v: neuron.beta * v


def charge(kind: str, leak: Leak, v: Any, s: Any, theta: Any, current: Any) -> Any:
    """Potential v_t from the previous potential `v` and spike `s`; arrays of one shape, or scalars.

    subtract:          v_t = leak(v - theta*s) + a_t   snn.Leaky(reset_mechanism="subtract", reset_delay=False)
    subtract_delayed:  v_t = leak(v) - theta*s + a_t   snn.Leaky(reset_mechanism="subtract")
    zero:              v_t = leak(v*(1 - s)) + a_t     snn.Leaky(reset_mechanism="zero"), either reset_delay

    snnTorch 1.0 (Eshraghian et al. 2023) is met exactly, but for one case of the first: where v - theta is still above
    theta after a spike, it takes theta off once more before it compares, and puts it back afterwards.
    """
    if kind == "subtract":
        return leak(v - theta * s) + current
    if kind == "subtract_delayed":
        return leak(v) - theta * s + current
    return leak(v * (1 - s)) + current


def surrogate_slope(v: torch.Tensor, theta: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
    """Stands in for the derivative of the step at v: with x = (v - theta) / width, 1 / (1 + (pi*x)^2) / width.

    The arctan surrogate of Fang et al., "Incorporating Learnable Membrane Time Constant" (ICCV 2021), with alpha = 2.
    """
    slope = (v - theta).mul_(torch.pi / width)
    return slope.square_().add_(1).reciprocal_().div_(width)


def together(steps: list[torch.Tensor]) -> torch.Tensor:
    """T tensors [B, C, H, W] -> [T, B, C, H, W]; unlike torch.stack it keeps channels last where they are so in memory."""
    return torch.cat(steps).unflatten(0, (len(steps), -1))


class SpikingActivation(torch.autograd.Function):
    """Currents to spikes over all timesteps, with the surrogate gradient.

    forward(current, theta, width, timesteps, neuron, leak) -> spikes [T, B, C, H, W] of 0.0 and 1.0
      current  [T, B, C, H, W], or [1, B, C, H, W] where each timestep has the same
      theta    [C, 1, 1] threshold; width [C, 1, 1] the unit of the surrogate's argument, a positive constant

    The gradient flows along the potentials and through the comparison with theta; the reset is held constant, as in
    snnTorch. It is written out because the chain of small operations would cost twice the time and memory.
    """

    @staticmethod
    def forward(ctx, current, theta, width, timesteps, neuron, leak):
        v = s = torch.zeros_like(current[0])
        potentials, spikes = [], []
        for t in range(timesteps):
            v = charge(neuron.kind, leak, v, s, theta, current[min(t, len(current) - 1)])
            s = (v > theta).to(v.dtype)
            potentials.append(v)
            spikes.append(s)
        ctx.save_for_backward(theta, width, *potentials)
        ctx.neuron, ctx.repeated = neuron, len(current) < timesteps
        return together(spikes)

    @staticmethod
    def backward(ctx, grad_spikes):
        theta, width, *potentials = ctx.saved_tensors
        grads, grad_theta, carried = [], torch.zeros_like(theta), 0
        for t in reversed(range(len(potentials))):
            through_spike = surrogate_slope(potentials[t], theta, width).mul_(grad_spikes[t])
            grad_theta -= through_spike.sum((0, 2, 3))[:, None, None]
            grads.append(through_spike + carried)
            kept = (potentials[t - 1] <= theta) if ctx.neuron.kind == "zero" else 1
            carried = grads[-1] * ctx.neuron.beta * kept
        grad_current = sum(grads)[None] if ctx.repeated else together(grads[::-1])
        return grad_current, grad_theta, None, None, None, None
