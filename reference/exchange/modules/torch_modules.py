"""Reading networks of torch modules with snnTorch's neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from duospike.reference.errors import InputError, brief
from duospike.reference.exchange.refusal import not_in_hardware, placed
from duospike.reference.exchange.source import (
    FLOAT32,
    FLOAT64,
    Builder,
    Flatten,
    Interface,
    MaxPool,
    Norm,
    Source,
    Unread,
    Weighted,
    convolution_reasons,
    pool_reasons,
)
from duospike.reference.installation import install_hint

from . import brevitas_layers
from .module_calls import Unreadable, array, call_reasons, global_reasons, path_of, read_attribute, settled, type_of
from .prepared_modules import PreparedReader, is_prepared
from .snntorch_neurons import read_leaky

ROUNDINGS = {torch.float32: FLOAT32, torch.float64: FLOAT64}
MIN_VARIANCE = 2.0**-60
"""Of a batch norm, eps included: float32 holds it, and so does its gain."""

ALLOWED = (
    "Conv2d, Linear, BatchNorm1d, BatchNorm2d, MaxPool2d, Flatten, Dropout, Identity of torch.nn, snntorch.Leaky, "
    "QuantConv2d, QuantLinear of brevitas.nn"
)


def from_snntorch(modules: nn.Module | Sequence[nn.Module], interface: Interface) -> Source:
    """The source that modules in the order of their computation are: an nn.Sequential, or a list of modules.

    Each timestep runs them once, the neurons keeping their potential, which is 0 at first; the answer is the class whose neurons
    spike most. Weights are those with which a call computes: torch's parametrizations, pruning and norms of weights are applied,
    and Brevitas' layers give theirs. The modules are only read, in evaluation mode and in float32 or float64: that is also the
    arithmetic with which the import is proven to agree.

    What cannot be read is in the source's `reasons`. InputError: snnTorch is not installed, or these are no modules.
    """
    reader = _Reader(interface)
    for name, module in _in_order(modules, reader.container):
        reader.read(f"{name} {type_of(module).__name__}", module)
    if len(reader.types) > 1 or not reader.types <= set(ROUNDINGS):
        types = ", ".join(sorted(map(str, reader.types)))
        reader.reasons.append(f"weights and biases of type {types}; allowed: all float32, or all float64")
    return reader.builder.finish(ROUNDINGS.get(next(iter(reader.types), torch.float32), FLOAT32))


def _in_order(modules: Any, container: Callable[[str, nn.Module], None], prefix: str = "", depth: int = 0) -> list:
    """Names and modules. container: is called with each nn.Sequential on the way."""
    if isinstance(modules, nn.Module):
        if type_of(modules) is not nn.Sequential and not prefix:
            raise InputError(
                f"{type(modules).__name__}: the order in which a module of its own uses its parts is not known; pass an "
                "nn.Sequential, or the list of the modules in their order"
            )
        if type_of(modules) is not nn.Sequential:
            return [(prefix, modules)]
        container(f"{prefix} Sequential".lstrip(), modules)
    elif not isinstance(modules, list | tuple):
        what = type(modules).__name__
        raise InputError(f"the network is a {what}; allowed: an nn.Sequential, or the list of modules in their order")
    if depth > 100:
        raise InputError(f"{prefix[:20]}: parts within parts a hundred deep; does the network contain itself?")
    found = []
    for i, module in enumerate(modules):
        if not isinstance(module, nn.Module):
            raise InputError(f"part {i} of the network is {type(module).__name__}; allowed: torch modules")
        found += _in_order(module, container, f"{prefix}.{i}" if prefix else str(i), depth + 1)
    return found


class _Reader:
    """Turns modules into elements of a source, and notes what it cannot read.

    types: of the numbers that currents are computed with. states: where the potentials of neurons are, by their place in memory.
    """

    def __init__(self, interface: Interface):
        try:
            import snntorch
        except ModuleNotFoundError:
            raise InputError(f"snnTorch is not installed: {install_hint('snntorch')}") from None
        self.reasons: list[str] = global_reasons()
        self.builder = Builder(interface, self.reasons)
        self.prepared_modules = PreparedReader(interface)
        self.types: set[torch.dtype] = set()
        self.states: dict[int, str] = {}
        self.readers: dict[type, Callable[[str, Any], None]] = {
            nn.Conv2d: self.plain,
            nn.Linear: self.plain,
            nn.BatchNorm1d: self.norm,
            nn.BatchNorm2d: self.norm,
            nn.MaxPool2d: self.pool,
            nn.Flatten: self.flatten,
            nn.Dropout: self.nothing,
            nn.Dropout2d: self.nothing,
            nn.Identity: self.nothing,
            snntorch.Leaky: self.leaky,
        }

    def container(self, where: str, module: nn.Module) -> None:
        self.reasons += [placed(where, why) for why in call_reasons(module)]

    def read(self, where: str, module: nn.Module) -> None:
        """Add the elements of a module; one that cannot be read is noted once, without the errors that follow from it."""
        try:
            reader = self.brevitas if brevitas_layers.is_brevitas(module) else self.readers.get(type_of(module))
            if is_prepared(module):
                reader = self.prepared
            if reader is None:
                raise Unreadable(not_in_hardware(f"{path_of(type_of(module))} is unknown; allowed: {ALLOWED}"))
            reasons = call_reasons(module)
            if reasons:
                raise Unreadable(*reasons)
            reader(where, settled(module))
        except Unreadable as why:
            self.unread(where, *why.args)
        except AttributeError as missing:
            self.unread(where, f"lacks what its class gives it: {missing}")
        except Exception as error:  # its attributes may be anything that a program has set
            self.unread(where, f"cannot be read ({type(error).__name__}: {brief(error)}); does a call of it work?")

    def unread(self, where: str, *reasons: str) -> None:
        self.reasons += [placed(where, why) for why in reasons]
        self.builder.add(Unread(where))

    def nothing(self, where: str, module: nn.Module) -> None:
        if module.training and bool(getattr(module, "p", False)):
            self.reasons.append(f"{where}: in training mode; call eval() first")

    def plain(self, where: str, module: nn.Conv2d | nn.Linear) -> None:
        weight, bias = read_attribute(module, "weight"), read_attribute(module, "bias")
        self.weighted(where, module, *_of_one_shape(module, weight, bias))

    def brevitas(self, where: str, module: Any) -> None:
        weight, bias, scale, numbers = brevitas_layers.read(module)
        brevitas_layers.compare_with_call(module, *_of_one_shape(module, weight, bias))
        self.weighted(where, module, weight, bias, scale, numbers)

    def prepared(self, where: str, module: Any) -> None:
        for element in self.prepared_modules.read(where, module):
            self.builder.add(element)

    def weighted(
        self,
        where: str,
        module: nn.Conv2d | nn.Linear,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        scale: np.ndarray | None = None,
        numbers: str = "weights",
    ) -> None:
        self.types |= {tensor.dtype for tensor in (weight, bias) if tensor is not None}
        weights = array(weight)
        found = _convolution_reasons(where, module, weights) if isinstance(module, nn.Conv2d) else []
        self.reasons += found
        offset = np.zeros(len(weights)) if bias is None else array(bias)
        self.builder.add(Weighted(where, weights, offset, scale, not found, numbers))

    def norm(self, where: str, module: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        if module.training:
            raise Unreadable("in training mode, where its result depends on the batch; call eval() first")
        before = self.builder.open[-1] if self.builder.open else None
        wanted = nn.BatchNorm2d if isinstance(before, Weighted) and before.weights.ndim == 4 else nn.BatchNorm1d
        if isinstance(before, Weighted) and type_of(module) is not wanted:
            raise Unreadable(f"after {before.where}; allowed: {wanted.__name__}")
        mean, variance = read_attribute(module, "running_mean"), read_attribute(module, "running_var")
        if mean is None or variance is None:
            raise Unreadable("keeps no running mean and variance; allowed: track_running_stats=True")
        weight, bias = read_attribute(module, "weight"), read_attribute(module, "bias")
        tensors = [tensor for tensor in (mean, variance, weight, bias) if tensor is not None]
        if any(tensor.ndim != 1 or tensor.shape != mean.shape for tensor in tensors):
            raise Unreadable(f"numbers of shapes {[list(tensor.shape) for tensor in tensors]}; allowed: one for each output")
        sums = array(variance) + module.eps
        if not (array(variance) >= 0).all() or not ((sums >= MIN_VARIANCE) & np.isfinite(sums)).all():
            limit = f"from 0 up, and their sum from {MIN_VARIANCE:.3g}, with which no float overflows"
            raise Unreadable(f"variance {array(variance).min():.6g} with eps {module.eps:.6g}; allowed: {limit}")
        self.types |= {tensor.dtype for tensor in tensors}
        gain = (1.0 if weight is None else array(weight)) / np.sqrt(sums)
        shift = np.zeros_like(gain) if bias is None else array(bias)
        self.builder.add(Norm(where, gain, shift - array(mean) * gain, np.abs(shift) + np.abs(array(mean) * gain)))

    def pool(self, where: str, module: nn.MaxPool2d) -> None:
        kernel = _pair(module.kernel_size)
        stride = kernel if module.stride is None else _pair(module.stride)
        padding, dilation = _pair(module.padding), _pair(module.dilation)
        reasons = pool_reasons(
            where, kernel=kernel, stride=stride, padding=padding, dilation=dilation, ceil=bool(module.ceil_mode)
        )
        if module.return_indices:
            reasons.append(not_in_hardware(f"{where}: return_indices=True; allowed: False"))
        self.reasons += reasons
        self.builder.add(Unread(where) if reasons else MaxPool(where))

    def flatten(self, where: str, module: nn.Flatten) -> None:
        if module.start_dim != 1 or module.end_dim not in (-1, 3):
            raise Unreadable(f"dimensions {module.start_dim} to {module.end_dim}; allowed: 1 to -1")
        self.builder.add(Flatten(where))

    def leaky(self, where: str, module: Any) -> None:
        # Copies of a module may share its buffers, and so its potential.
        first = self.states.setdefault(id(module._buffers), where)
        if first != where:
            raise Unreadable(f"the same neurons as {first}, so that both have one potential; allowed: neurons of its own")
        neurons, reasons = read_leaky(where, module, self.builder.shape if self.builder.open else None)
        self.reasons += reasons
        self.builder.add(neurons)


def _of_one_shape(
    module: nn.Conv2d | nn.Linear, weight: torch.Tensor | None, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weight and bias. Unreadable: they have not the dimensions of the layer."""
    dimensions = 4 if isinstance(module, nn.Conv2d) else 2
    if weight is None or weight.ndim != dimensions or not weight.numel():
        shape = "none" if weight is None else list(weight.shape)
        raise Unreadable(f"weights of shape {shape}; allowed: {dimensions} dimensions, none of them 0")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise Unreadable(f"bias of shape {list(bias.shape)}; allowed: one for each of {len(weight)} outputs")
    return weight, bias


def _convolution_reasons(where: str, module: nn.Conv2d, weights: np.ndarray) -> list[str]:
    padding = module.padding if isinstance(module.padding, str) else _pair(module.padding)
    found = convolution_reasons(
        where,
        weights,
        stride=_pair(module.stride),
        padding=padding,
        dilation=_pair(module.dilation),
        groups=module.groups,
    )
    if module.padding_mode != "zeros":
        found.append(not_in_hardware(f"{where}: padding mode {module.padding_mode}; allowed: zeros"))
    return found


def _pair(value: Any) -> tuple[int, int]:
    """(rows, columns) of a size as torch takes it."""
    sizes = (value,) if isinstance(value, int) else tuple(value)
    if len(sizes) not in (1, 2) or not all(isinstance(size, int) for size in sizes):
        raise Unreadable(f"size {value!r}; allowed: one whole number, or two")
    return (sizes[0], sizes[-1])
