"""Preparing a network for training with integers: quantization-aware modules in place of its layers, batch norms and neurons."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from duospike.reference.errors import InputError, brief
from duospike.reference.exchange.elements import Neurons, Norm, Pooling, Weighted
from duospike.reference.exchange.exact import as_it_is, exact_layers, pixel_range, range_after, with_leak
from duospike.reference.exchange.leaks import near_leaks
from duospike.reference.exchange.refusal import placed, refuse
from duospike.reference.exchange.source import Interface, Source
from duospike.reference.network import WEIGHT_BITS, Pool, is_in, whole
from duospike.reference.training import prepared
from duospike.reference.training.prepared import PreparedLayer

from .module_calls import type_of
from .prepared_modules import COMPUTED, averages_of, is_prepared, pixels_of
from .torch_modules import from_torch
from .traced import copied

LAYERS: dict[str, type[PreparedLayer]] = {"Conv2d": prepared.PreparedConv2d, "Linear": prepared.PreparedLinear}
NORMS = {"BatchNorm1d": prepared.PreparedBatchNorm1d, "BatchNorm2d": prepared.PreparedBatchNorm2d}
"""What takes the place of layers and batch norms of torch and SpikingJelly, by the name of their class."""

NEURONS = {
    "Leaky": ("duospike.reference.training.prepared_snntorch", "PreparedLeaky"),
    **dict.fromkeys(
        ("IFNode", "LIFNode", "ParametricLIFNode"), ("duospike.reference.training.prepared_spikingjelly", "PreparedNode")
    ),
}
"""Where what takes the place of neurons is, which needs their library, by the name of their class."""


@dataclass(frozen=True, eq=False)
class _Group:
    """A layer with the batch norm and the neurons behind it.

    average: the pooling right before it, of spikes. pool: that of its currents.
    """

    layer: Any
    norm: Any
    neurons: Any
    places: tuple[str, ...]
    element: Neurons
    average: Pooling | None
    pool: Pooling | None


def prepare(model: nn.Module, bits: int, interface: Interface) -> nn.Module:
    """A copy of a network whose layers, batch norms and neurons compute the hardware's integers in its forward pass.

    bits: of the weights. What the hardware does not have is refused as by an import, before anybody trains.
    InputError: with all reasons.
    """
    bits = whole(bits)
    if not is_in(bits, WEIGHT_BITS):
        raise InputError(f"weights of {brief(bits)} bits; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
    if not isinstance(model, nn.Module):
        raise InputError(f"the network is a {type(model).__name__}; allowed: an nn.Module, of which a copy is prepared")
    made = copied(model)
    source = from_torch(made, interface)
    interface = source.interface
    groups = [] if source.reasons else list(_groups(source, made))
    refuse([*source.reasons, *_reasons(groups)], "prepare")
    for number, group in enumerate(groups):
        _replace(group, bits, interface, is_first=not number)
    # Training changes the numbers, hardly their size: what does not fit now is refused before anybody trains.
    found = from_torch(made, interface)
    refuse(found.reasons, "prepare")
    _choose_leaks(groups, found)
    refuse(exact_layers(from_torch(made, interface))[1], "prepare")
    for module, before in zip(made.modules(), model.modules(), strict=True):
        module.training = before.training
    return made


def _groups(source: Source, model: nn.Module) -> Iterator[_Group]:
    """The layers of a source that nothing is against, as modules."""
    layer: list[tuple[str, Any]] = []
    average: Pooling | None = None
    pool: Pooling | None = None
    for element in source.elements:
        if isinstance(element, Pooling) and layer:
            pool = pool.joined(element) if pool else element
        elif isinstance(element, Pooling) and element.op == "sum":
            average = average.joined(element) if average else element
        if not isinstance(element, Weighted | Norm | Neurons):
            continue
        place = element.where.split(" ")[0]
        layer.append((element.where, model.get_submodule(place)))
        if isinstance(element, Neurons):
            (_, weighted), *norm, (_, neurons) = layer
            places = tuple(where for where, _ in layer)
            yield _Group(weighted, norm[0][1] if norm else None, neurons, places, element, average, pool)
            layer, average, pool = [], None, None


def _reasons(groups: list[_Group]) -> list[str]:
    """Why modules that an import reads are not replaced."""
    reasons: list[str] = []
    seen: set[nn.Module] = set()
    for group in groups:
        if group.pool and group.pool.op == "sum":
            reason = "averages or sums currents before neurons; allowed in training with integers: behind neurons, or a maximum"
            reasons.append(placed(group.pool.where, reason))
        modules = [module for module in (group.layer, group.norm, group.neurons) if module is not None]
        for where, module in zip(group.places, modules, strict=True):
            why = "is used at two places; allowed: one of its own for each" if module in seen else _reason(module, group)
            reasons += [placed(where, why)] if why else []
        seen.update(modules)
    return reasons


def _reason(module: Any, group: _Group) -> str | None:
    if is_prepared(module):
        return "is prepared already"
    if type_of(module).__name__ not in {**LAYERS, **NORMS, **NEURONS}:
        return "is quantized already; import it as it is, or prepare a network in floats"
    if parametrize.is_parametrized(module) or module._forward_pre_hooks:
        return COMPUTED
    threshold, outputs = getattr(module, "threshold", None), len(group.layer.weight)
    if len(group.element.betas) > 1 and type_of(module).__name__ in NEURONS:
        return f"{len(group.element.betas)} betas; allowed in training with integers: one for all outputs"
    if isinstance(threshold, torch.Tensor) and threshold.numel() not in (1, outputs):
        return f"threshold of shape {list(threshold.shape)}; allowed: one number, or one for each of {outputs} outputs"
    return None


def _replace(group: _Group, bits: int, interface: Interface, *, is_first: bool) -> None:
    """Give the modules of a layer their other classes; all else of them stays: parameters, arguments, hidden states."""
    layer, neurons, element = group.layer, group.neurons, group.element
    norms = () if group.norm is None else (group.norm,)
    layer.__class__ = LAYERS[type(layer).__name__]
    for norm in norms:
        norm.__class__ = NORMS[type(norm).__name__]
    threshold = float(abs(element.threshold).max()) / float(element.gain.max())
    steps = pixels_of(interface) if is_first else averages_of(group.average)
    layer.prepare(bits, steps, norms, threshold)
    home, name = NEURONS[type(neurons).__name__]
    neurons.__class__ = getattr(import_module(home), name)
    leak, *_ = near_leaks(element.reset, element.betas, interface.timesteps)
    neurons.prepare(leak, layer, float(element.gain.max()), element.inclusive)


def _choose_leaks(groups: list[_Group], source: Source) -> None:
    """Give neurons the first of the near leaks whose widths can be proven, if there is one for whatever weights training finds.

    source: of the prepared network.
    """
    inputs, timesteps = pixel_range(source), source.interface.timesteps
    groups_of_layers = iter(groups)
    for layer in source.layers:
        before, inputs = inputs, range_after(layer)
        if isinstance(layer, Pool):
            continue
        group = next(groups_of_layers)
        limit, leaks = 2 ** (group.layer.weight_bits - 1) - 1, near_leaks(layer.reset, group.element.betas, timesteps)
        largest = dataclasses.replace(layer, weights=np.where(layer.weights < 0, -limit, limit))
        tried = ((one, leak) for one in (largest, layer) for leak in leaks)
        proven = (leak for one, leak in tried if not as_it_is(with_leak(one, leak), before, timesteps)[1])
        group.neurons.set_leak(next(proven, leaks[0]))
