"""Reading the quantized weights of Brevitas' layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

LAYERS = ("QuantConv2d", "QuantLinear")


def is_brevitas(module: nn.Module) -> bool:
    """Whether a module is one of Brevitas' own."""
    return type(module).__module__.split(".")[0] == "brevitas"


def read(where: str, module: Any) -> tuple[np.ndarray | None, np.ndarray | None, list[str]]:
    """The weights that the layer computes with, float64, the step of each output, and why it cannot be imported."""
    if type(module).__name__ not in LAYERS:
        return None, None, [f"{where}: unknown; allowed of Brevitas: {', '.join(LAYERS)}"]
    reasons = [
        f"{where}: {what} is quantized; allowed: the weights alone, between them are spikes"
        for what in ("input", "output")
        if getattr(module, f"{what}_quant").is_quant_enabled
    ]
    if module.bias is not None and module.bias_quant.is_quant_enabled:
        reasons.append(f"{where}: bias is quantized by Brevitas, in steps that depend on its input; allowed: bias_quant=None")
    if not module.weight_quant.is_quant_enabled:
        return _array(module.weight), None, reasons
    quantized = module.quant_weight()
    weights = _array(quantized.value)
    if bool((_array(quantized.zero_point) != 0).any()):
        reasons.append(f"{where}: weights with a zero point; allowed: symmetric ones")
    scale = _array(quantized.scale)
    if scale.size not in (1, len(weights)):
        return weights, None, [*reasons, f"{where}: {scale.size} scales of weights; allowed: one, or one for each output"]
    return weights, np.broadcast_to(scale.reshape(-1), (len(weights),)), reasons


def _array(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()
