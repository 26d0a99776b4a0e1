"""Reading SpikingJelly's IFNode, LIFNode and ParametricLIFNode.

    IFNode                            h_t = v_(t-1) + x_t
    LIFNode, with decay_input         h_t = v_(t-1) + (x_t - v_(t-1)) / tau
    LIFNode, without                  h_t = v_(t-1) - v_(t-1) / tau + x_t
    ParametricLIFNode                 as LIFNode, with sigmoid(w) as a factor in place of 1/tau

and a spike where h_t >= v_threshold, after which v_t is 0 (v_reset=0), or h_t - v_threshold (v_reset=None). So the leak is
1 - 1/tau, and with decay_input the factor of the current 1/tau. Numbers of Python take part as the currents' float type has them.
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from duospike.reference.exchange.elements import Neurons
from duospike.reference.exchange.refusal import not_in_hardware, placed
from duospike.reference.exchange.source import FLOAT32, FLOAT64
from duospike.reference.network import LEAK_SHIFTS

from .module_calls import Unreadable, call_reasons, path_of, read_attribute, type_of

HOME = "spikingjelly.activation_based"
ROUNDINGS = 16
"""In a timestep. With potentials up to s and currents up to s: x - v and its product with 1/tau, three of numbers up to 2s, tau's
own included; the sum, and the reset, each up to s; and four of a leak that is no power of two's. The rest is of higher order."""

NEAR = 4
"""Roundings within which 1/tau is taken for m/2^k."""


def read_neurons(where: str, module: Any, dtype: torch.dtype) -> tuple[Neurons, list[str]]:
    """The neurons of an IFNode, LIFNode or ParametricLIFNode and why they cannot be integers.

    dtype: of the currents. Unreadable: their numbers cannot be read.
    """
    share, exact = _share(module, dtype)
    decays = getattr(module, "decay_input", False)
    gain = float(share) if decays else 1.0
    neurons = Neurons(
        where,
        "subtract" if module.v_reset is None else "zero",
        (1 - share,),
        np.array(_number(module, "v_threshold", dtype)),
        np.array(gain),
        inclusive=True,
        rounded=not exact or Fraction(gain) != (share if decays else 1),
        roundings=ROUNDINGS,
        # x - v, of currents that 1/tau is still to divide.
        spread=2 + (math.ceil(1 / share) if decays else 0),
    )
    return neurons, [placed(where, reason) for reason in _reasons(module)]


def _share(module: Any, dtype: torch.dtype) -> tuple[Fraction, bool]:
    """What leaks of a potential in a timestep, and whether the source computes with exactly that number."""
    kind = type_of(module).__name__
    if kind == "IFNode":
        return Fraction(0), True
    if kind == "LIFNode":
        tau = Fraction(_number(module, "tau", dtype))
        if tau < 1:
            raise Unreadable(f"tau {float(tau):.6g}; allowed: from 1 up")
        return _near(1 / tau, dtype, tau.numerator.bit_count() == tau.denominator == 1)
    weight = read_attribute(module, "w")
    if weight is None or weight.numel() != 1:
        raise Unreadable(f"w of shape {None if weight is None else list(weight.shape)}; allowed: one number")
    with torch.no_grad():
        factor = Fraction(weight.sigmoid().item())
    if not factor:
        raise Unreadable(f"w {weight.item():.6g}, whose sigmoid is 0; allowed: above it")
    # Another machine may round another sigmoid than that of 0 otherwise.
    return _near(factor, weight.dtype, weight.item() == 0)


def _near(share: Fraction, dtype: torch.dtype, exact: bool) -> tuple[Fraction, bool]:
    """The m/2^k that a share is up to a few roundings, else itself."""
    rounding = FLOAT64 if dtype == torch.float64 else FLOAT32
    near = Fraction(round(share * 2 ** LEAK_SHIFTS[-1]), 2 ** LEAK_SHIFTS[-1])
    return (near if near and abs(share - near) <= NEAR * rounding * near else share), exact


def _number(module: Any, name: str, dtype: torch.dtype) -> float:
    """A number of Python as the currents' type has it."""
    value = getattr(module, name)
    if type(value) not in (float, int) or not math.isfinite(value):
        raise Unreadable(f"{name} is {value!r:.40}; allowed: a finite number")
    return float(np.float32(value)) if dtype == torch.float32 else float(value)


def _reasons(module: Any) -> list[str]:
    reasons = []
    if module.v_reset is not None and module.v_reset != 0:
        reasons.append(not_in_hardware(f"v_reset {module.v_reset!r:.40}; allowed: 0.0, or None, which subtracts the threshold"))
    elif not _is_zero(module._memories_rv.get("v")):
        reasons.append(f"v is reset to {module._memories_rv.get('v')!r:.40}; allowed: 0.0, as the hardware's neurons start")
    if set(module._memories) != {"v"}:
        reasons.append(f"has the memories {', '.join(module._memories)}; allowed: v alone, as its class has")
    if module._neuron_precision is not None:
        reasons.append(f"precision {module._neuron_precision!r:.60}; allowed: None, the type of the currents")
    return reasons + _surrogate_reasons(module.surrogate_function)


def _is_zero(value: Any) -> bool:
    return bool((value == 0).all()) if isinstance(value, torch.Tensor) else value == 0


def _surrogate_reasons(function: Any) -> list[str]:
    """Why a surrogate's forward is not the step at 0. Those of SpikingJelly are known, and tried at all magnitudes."""
    allowed = (
        f"allowed: those of {HOME}.surrogate with spiking=True, which differ in training alone, so set it before the import: "
        "neuron.surrogate_function = surrogate.ATan()"
    )
    of_library = isinstance(function, torch.nn.Module) and type(function).__module__ == f"{HOME}.surrogate"
    if not of_library or getattr(sys.modules[f"{HOME}.surrogate"], type(function).__name__, None) is not type(function):
        return [f"surrogate_function is not SpikingJelly's, and its spikes are not known; {allowed}"]
    changed = call_reasons(function)
    if changed:
        return [f"surrogate_function {path_of(type(function))}: {reason}" for reason in changed]
    points = 2.0 ** torch.arange(-126, 128)
    points = torch.cat([points, -points, torch.zeros(1)])
    try:
        with torch.no_grad():
            is_step = torch.equal(function(points), (points >= 0).float())
    except Exception as error:
        return [f"surrogate_function fails: {type(error).__name__}; {allowed}"]
    return [] if is_step else [f"surrogate_function is no step at the threshold; {allowed}"]
