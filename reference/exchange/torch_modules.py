"""Reading networks of torch modules with snnTorch's neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from ..errors import InputError
from . import brevitas_layers
from .source import (
    FLOAT32,
    FLOAT64,
    Flatten,
    Interface,
    MaxPool,
    Neurons,
    Norm,
    Part,
    Source,
    Weighted,
    assemble,
    convolution_reasons,
    pool_reasons,
)

ROUNDINGS = {torch.float32: FLOAT32, torch.float64: FLOAT64}
ALLOWED = (
    "Conv2d, Linear, BatchNorm1d, BatchNorm2d, MaxPool2d, Flatten, Dropout, Identity, snntorch.Leaky, QuantConv2d, QuantLinear"
)


def from_snntorch(modules: nn.Module | Sequence[nn.Module], interface: Interface) -> Source:
    """The source that modules in the order of their computation are: an nn.Sequential, or a list of modules.

    Each timestep runs them once, the neurons keeping their potential; the answer is the class whose neurons spike most.
    Quantized weights may come from torch's parametrizations or from Brevitas' layers. The modules are only read, in
    evaluation mode and in float32 or float64: that is also the arithmetic with which the import is proven to agree.

    What cannot be read is in the source's `reasons`. InputError: snnTorch is not installed, or these are no modules.
    """
    reader = _Reader()
    parts = _in_order(modules)
    for name, module in parts:
        reader.read(f"{name} {type_of(module).__name__}", module)
    # Those of the weights: snnTorch's neurons take the type of their currents.
    found = {parameter.dtype for _, module in parts if hasattr(module, "weight") for parameter in module.parameters()}
    if len(found) != 1 or not found <= set(ROUNDINGS):
        reader.reasons.append(
            f"weights of type {', '.join(sorted(map(str, found))) or 'none'}; allowed: all float32, or all float64"
        )
    return assemble(reader.parts, reader.reasons, interface, ROUNDINGS.get(next(iter(found), torch.float32), FLOAT32))


def type_of(module: nn.Module) -> type:
    """The class of a module; parametrized ones have a class of their own that is derived from it."""
    return parametrize.type_before_parametrizations(module)


def _in_order(modules: nn.Module | Sequence[nn.Module], prefix: str = "") -> list[tuple[str, nn.Module]]:
    if isinstance(modules, nn.Module) and type_of(modules) is not nn.Sequential:
        if not prefix:
            raise InputError(
                f"{type(modules).__name__}: the order in which a module of its own uses its parts is not known; hand over an "
                "nn.Sequential, or the list of the modules in their order"
            )
        return [(prefix, modules)]
    found = []
    for i, module in enumerate(modules):  # type: ignore[arg-type]
        if not isinstance(module, nn.Module):
            raise InputError(f"part {i} of the network is {type(module).__name__}; allowed: torch modules")
        found += _in_order(module, f"{prefix}.{i}" if prefix else str(i))
    return found


class _Reader:
    """Turns modules into parts, and notes what it cannot."""

    def __init__(self):
        try:
            import snntorch
        except ModuleNotFoundError:
            raise InputError("snnTorch is not installed: pip install -e '.[snntorch]'") from None
        self.parts: list[Part] = []
        self.reasons: list[str] = []
        self.readers: dict[type, Callable[[str, Any], None]] = {
            nn.Conv2d: self.conv,
            nn.Linear: self.linear,
            nn.BatchNorm1d: self.norm,
            nn.BatchNorm2d: self.norm,
            nn.MaxPool2d: self.pool,
            nn.Flatten: self.flatten,
            nn.Dropout: self.nothing,
            nn.Dropout2d: self.nothing,
            nn.Identity: self.nothing,
            snntorch.Leaky: self.leaky,
        }

    def read(self, where: str, module: nn.Module) -> None:
        if brevitas_layers.is_brevitas(module):
            weights, scale, reasons = brevitas_layers.read(where, module)
            self.reasons += reasons
            if weights is not None:
                read: Callable[..., None] = self.conv if isinstance(module, nn.Conv2d) else self.linear
                read(where, module, weights, scale)
            return
        reader = self.readers.get(type_of(module))
        if reader is None:
            self.reasons.append(f"{where}: unknown; allowed: {ALLOWED}")
        else:
            reader(where, module)

    def nothing(self, where: str, module: nn.Module) -> None:
        if module.training and not isinstance(module, nn.Identity):
            self.reasons.append(f"{where}: in training mode; call eval() first")

    def conv(self, where: str, module: nn.Conv2d, weights: np.ndarray | None = None, scale: np.ndarray | None = None) -> None:
        weights = array(module.weight) if weights is None else weights
        found = convolution_reasons(
            where, weights, stride=module.stride, padding=module.padding, dilation=module.dilation, groups=module.groups
        )
        if module.padding_mode != "zeros":
            found.append(f"{where}: padding mode {module.padding_mode}; allowed: zeros")
        self.reasons += found
        self.parts.append(Weighted(where, weights, _bias(module, weights), scale, not found))

    def linear(self, where: str, module: nn.Linear, weights: np.ndarray | None = None, scale: np.ndarray | None = None) -> None:
        weights = array(module.weight) if weights is None else weights
        self.parts.append(Weighted(where, weights, _bias(module, weights), scale))

    def norm(self, where: str, module: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        if module.training:
            self.reasons.append(f"{where}: in training mode, where its result depends on the batch; call eval() first")
        if module.running_mean is None or module.running_var is None:
            self.reasons.append(f"{where}: keeps no running mean and variance; allowed: track_running_stats=True")
            return
        mean, variance = array(module.running_mean), array(module.running_var)
        gain = (1.0 if module.weight is None else array(module.weight)) / np.sqrt(variance + module.eps)
        shift = np.zeros_like(mean) if module.bias is None else array(module.bias)
        self.parts.append(Norm(where, gain, shift - mean * gain, np.abs(shift) + np.abs(mean * gain)))

    def pool(self, where: str, module: nn.MaxPool2d) -> None:
        sizes = {
            what: _pair(value)
            for what, value in (
                ("kernel", module.kernel_size),
                ("stride", module.stride),
                ("padding", module.padding),
                ("dilation", module.dilation),
            )
        }
        self.reasons += pool_reasons(where, ceil=module.ceil_mode, **sizes)
        self.parts.append(MaxPool(where))

    def flatten(self, where: str, module: nn.Flatten) -> None:
        if module.start_dim != 1 or module.end_dim not in (-1, 3):
            self.reasons.append(f"{where}: dimensions {module.start_dim} to {module.end_dim}; allowed: 1 to -1")
        self.parts.append(Flatten(where))

    def leaky(self, where: str, module: Any) -> None:
        mechanism, threshold = module.reset_mechanism, array(module.threshold)
        beta = np.clip(array(module.beta), 0, 1)
        self.reasons += [f"{where}: {why}" for why in _leaky_reasons(module, beta, threshold)]
        kind = "zero" if mechanism == "zero" else "subtract_delayed" if module.reset_delay else "subtract"
        if threshold.ndim == 3:
            threshold = threshold.reshape(-1)
        self.parts.append(
            Neurons(
                where,
                kind,
                Fraction(float(beta.reshape(-1)[0])),
                threshold.reshape(()) if threshold.size == 1 else threshold,
                twice=kind == "subtract",
            )
        )


def _leaky_reasons(module: Any, beta: np.ndarray, threshold: np.ndarray) -> list[str]:
    reasons = []
    if int(module.reset_mechanism_val) not in (0, 1):
        reasons.append(f"reset {module.reset_mechanism!r}; allowed: subtract, zero")
    if module.inhibition:
        reasons.append("inhibition; allowed: none")
    if module.state_quant:
        reasons.append("quantized state; allowed: none, the hardware's potential has whole steps of the weights")
    if not (array(module.graded_spikes_factor) == 1).all():
        reasons.append("graded spikes; allowed: a factor of 1")
    if beta.size > 1 and not (beta == beta.reshape(-1)[0]).all():
        reasons.append("several values of beta; allowed: one a layer")
    if not np.isfinite(beta).all():
        reasons.append("beta is not finite")
    if threshold.size > 1 and threshold.ndim != 1 and threshold.shape[1:] != (1, 1):
        reasons.append(f"thresholds of shape {threshold.shape}; allowed: one, [outputs] or [channels, 1, 1]")
    if (threshold.astype(np.float32) != threshold).any():
        reasons.append(f"threshold {threshold.reshape(-1)[0]:.9g} is no number of float32, in which snnTorch takes it off")
    if (threshold < 0).any():
        reasons.append(f"threshold {threshold.min():.6g}; allowed: from 0 up, since below snnTorch resets before the first spike")
    points = torch.tensor([-1.0, -1e-30, 0.0, 1e-30, 1.0])
    with torch.no_grad():
        if module.spike_grad(points).tolist() != [0, 0, 0, 1, 1]:
            reasons.append("its spike_grad is no step at the threshold")
    return reasons


def array(tensor: torch.Tensor) -> np.ndarray:
    """The same numbers in float64, which holds those of float32 exactly."""
    return tensor.detach().cpu().to(torch.float64).numpy()


def _bias(module: nn.Conv2d | nn.Linear, weights: np.ndarray) -> np.ndarray:
    return np.zeros(len(weights)) if module.bias is None else array(module.bias)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)
