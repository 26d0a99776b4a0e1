"""Reading the quantized weights and biases of Brevitas' layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from duospike.reference.errors import brief
from duospike.reference.exchange.refusal import not_in_hardware

from .module_calls import Unreadable, array, check_tensor, path_of, type_of

LAYERS = ("QuantConv2d", "QuantLinear")
MAX_SUM_ERROR = 1e-4
"""Error of a sum, relative to its terms, that rounding alone explains in float32."""


def is_brevitas(module: nn.Module) -> bool:
    """Whether a module is one of Brevitas' own."""
    return type_of(module).__module__.split(".")[0] == "brevitas"


def read(module: Any) -> tuple[torch.Tensor, torch.Tensor | None, np.ndarray | None, str]:
    """Weights and bias that the layer computes with, the step of each output, and what to call its weights.

    Unreadable: they depend on its input or its mode, or cannot be computed.
    """
    name = type_of(module).__name__
    if name not in LAYERS:
        raise Unreadable(not_in_hardware(f"{path_of(type_of(module))} is unknown; allowed of Brevitas: {', '.join(LAYERS)}"))
    if any(part.training for part in module.modules()):
        raise Unreadable("in training mode, where its steps depend on what it has seen; call eval() first")
    for what in ("input", "output"):
        if getattr(module, f"{what}_quant").is_quant_enabled:
            raise Unreadable(f"{what} is quantized; allowed: weights and bias alone, between them are spikes")
    with torch.no_grad():
        quantized, bias = _computed("weights", module.quant_weight), _bias(module)
        weights = getattr(quantized, "value", quantized)
        check_tensor("weight", weights)
    if not module.weight_quant.is_quant_enabled:
        return weights, bias, None, "weights"
    return weights, bias, *_steps(quantized, len(weights))


def _bias(module: Any) -> torch.Tensor | None:
    if module.bias is None:
        return None
    if module.bias_quant.is_quant_enabled and module.bias_quant.requires_input_scale:
        raise Unreadable(
            "bias is quantized in steps that depend on the input's; allowed: bias_quant=None, or one with a scale of its own "
            "(Int8BiasPerTensorFloatInternalScaling)"
        )
    quantized = _computed("bias", module.quant_bias)
    bias = getattr(quantized, "value", quantized)
    check_tensor("bias", bias)
    return bias


def _computed(what: str, compute: Any) -> Any:
    """Unreadable: the quantizer, which may be a user's own code, fails."""
    try:
        return compute()
    except Exception as error:
        raise Unreadable(f"{what} cannot be computed: {type(error).__name__}: {brief(error)}") from None


def compare_with_call(module: Any, weights: torch.Tensor, bias: torch.Tensor | None) -> None:
    """Unreadable: a call of the layer, on numbers drawn at random, does not compute what weights and bias say.

    Quantizers are put together by users, so that reading them is not enough.
    """
    size = (1, weights.shape[1] * module.groups, 9, 9) if weights.ndim == 4 else (1, weights.shape[1])
    inputs = torch.rand(size, generator=torch.Generator().manual_seed(0)).to(weights)
    with torch.no_grad():
        called = _computed("output", lambda: module(inputs))
    if type(called) is not torch.Tensor:
        raise Unreadable(f"returns a {type(called).__name__}; allowed: return_quant_tensor=False")
    wanted = _forward(module, inputs, weights, bias)
    terms = _forward(module, inputs, weights.abs(), None if bias is None else bias.abs())
    if called.shape != wanted.shape or not bool(((called - wanted).abs() <= MAX_SUM_ERROR * terms).all()):
        raise Unreadable("a call of it computes something else than its quantized weights and bias; allowed: Brevitas' own layer")


def _forward(module: Any, inputs: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return functional.linear(inputs, weights, bias) if weights.ndim == 2 else module._conv_forward(inputs, weights, bias)


def _steps(quantized: Any, outputs: int) -> tuple[np.ndarray | None, str]:
    """The step of each output, where there is one, and what to call the weights."""
    exponent, zero_point = getattr(quantized, "exponent_bit_width", None), getattr(quantized, "zero_point", None)
    if exponent is not None:
        bits, more = int(exponent.max()), int(quantized.mantissa_bit_width.max())
        return None, f"float{1 + bits + more} weights ({bits} bits of exponent, {more} of mantissa)"
    if zero_point is not None and bool((zero_point != 0).any()):
        raise Unreadable("weights with a zero point; allowed: symmetric ones")
    scale = array(quantized.scale).reshape(-1)
    if scale.size not in (1, outputs):
        raise Unreadable(f"{scale.size} scales of weights; allowed: one, or one for each output")
    return np.broadcast_to(scale, (outputs,)), "weights"
