"""Reading networks of torch modules with neurons of snnTorch and SpikingJelly."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from duospike.reference.errors import InputError, brief
from duospike.reference.exchange.builder import Builder
from duospike.reference.exchange.elements import (
    Flatten,
    Norm,
    Pooling,
    Unread,
    Vote,
    Weighted,
    convolution,
    pooling_of_counts,
    pooling_reasons,
)
from duospike.reference.exchange.refusal import by_option, not_in_hardware, placed
from duospike.reference.exchange.source import FLOAT32, FLOAT64, NO_SHAPE, Interface, Source
from duospike.reference.network import Size

from . import brevitas_layers
from .module_calls import Unreadable, array, call_reasons, global_reasons, pair, path_of, read_attribute, settled, type_of
from .prepared_modules import PreparedReader, is_prepared
from .snntorch_neurons import read_leaky
from .spikingjelly_neurons import HOME, read_neurons
from .traced import is_of_library, step_mode, trace

ROUNDINGS = {torch.float32: FLOAT32, torch.float64: FLOAT64}
MIN_VARIANCE = 2.0**-60
"""Of a batch norm, eps included: float32 holds it, and so does its gain."""

LAYERS = {
    "Conv2d": "plain",
    "Linear": "plain",
    "BatchNorm1d": "norm",
    "BatchNorm2d": "norm",
    "MaxPool2d": "pool",
    "AvgPool2d": "average",
    "AdaptiveAvgPool2d": "adaptive_average",
    "Flatten": "flatten",
    "Dropout": "nothing",
    "Dropout2d": "nothing",
}
READERS = {
    "torch.nn": {**LAYERS, "AdaptiveMaxPool2d": "adaptive_max", "Identity": "nothing"},
    "snntorch": {"Leaky": "leaky"},
    f"{HOME}.layer": {**LAYERS, "VotingLayer": "vote"},
    f"{HOME}.neuron": {"IFNode": "spikingjelly", "LIFNode": "spikingjelly", "ParametricLIFNode": "spikingjelly"},
}
"""Which method of the reader reads a class, by the package that has it. A network of a package has imported it."""

STEP_BY_STEP, MERGED = ("MultiStepContainer",), ("SeqToANNContainer",)
"""Containers of SpikingJelly that call their parts with one timestep after another, or with all as one batch."""


def _allowed() -> str:
    homes = {home: names for home, names in READERS.items() if home in sys.modules} | {"brevitas.nn": brevitas_layers.LAYERS}
    return "; ".join(f"{', '.join(names)} of {home}" for home, names in homes.items())


def from_torch(modules: nn.Module | Sequence[nn.Module], interface: Interface) -> Source:
    """The source that a network of torch modules is: an nn.Sequential, a list of modules in their order, or a module of a user's.

    Of the last, its forward says the order (traced.trace). Each timestep runs the modules once, the neurons keeping their
    potential, which is 0 at first; the answer is the class whose neurons spike most. Weights are those with which calls compute:
    torch's parametrizations, pruning and norms of weights are applied, and Brevitas' layers give theirs. The modules are only
    read, in evaluation mode and in float32 or float64: that is also the arithmetic with which the import is proven to agree.

    What cannot be read is in the source's `reasons`. InputError: these are no modules.
    """
    reader = _Reader(interface)
    if interface.input_shape == NO_SHAPE:
        reader.reasons.append(by_option("the network does not say the shape of an image", "--input"))
    if isinstance(modules, nn.Module) and not reader.is_in_order(modules):
        reader.read_all(reader.traced(modules))
    else:
        reader.read_all(reader.listed(modules))
        reader.check_modes()
    if len(reader.types) > 1 or not reader.types <= set(ROUNDINGS):
        types = ", ".join(sorted(map(str, reader.types)))
        reader.reasons.append(f"weights and biases of type {types}; allowed: all float32, or all float64")
    return reader.builder.finish(ROUNDINGS.get(next(iter(reader.types), torch.float32), FLOAT32))


@dataclass(frozen=True, eq=False)
class Part:
    """A module at its place in the order. container: the kind of the container whose parts do not see time for themselves.

    of_function: whether it stands for a function.
    """

    name: str
    module: nn.Module
    container: str = ""
    of_function: bool = False

    @property
    def kind(self) -> str:
        return type_of(self.module).__name__

    @property
    def where(self) -> str:
        return self.name if self.of_function else f"{self.name} {self.kind}"


def _container_kind(module: nn.Module) -> str | None:
    """Of a module that calls its parts in their order: the name of its class, else None."""
    if type_of(module) is nn.Sequential:
        return "Sequential"
    library = sys.modules.get(f"{HOME}.layer")
    kinds = (*STEP_BY_STEP, *MERGED) if library else ()
    return next((kind for kind in kinds if getattr(library, kind, None) is type_of(module)), None)


def _in_order(modules: Any, note: Callable[[str, nn.Module], None], prefix: str = "", container: str = "") -> Iterator[Part]:
    """The parts of a network in the order of their computation. note: is called with each container on the way."""
    if isinstance(modules, nn.Module):
        kind = _container_kind(modules)
        if kind is None:
            yield Part(prefix, modules, container)
            return
        note(f"{prefix} {kind}".lstrip(), modules)
        container = container if kind == "Sequential" else kind
    elif not isinstance(modules, list | tuple):
        what = type(modules).__name__
        raise InputError(f"the network is a {what}; allowed: an nn.Sequential, or the list of modules in their order")
    if prefix.count(".") > 100:
        raise InputError(f"{prefix[:20]}: parts within parts a hundred deep; does the network contain itself?")
    for i, module in enumerate(modules):
        if not isinstance(module, nn.Module):
            raise InputError(f"part {i} of the network is {type(module).__name__}; allowed: torch modules")
        yield from _in_order(module, note, f"{prefix}.{i}" if prefix else str(i), container)


class _Reader:
    """Turns modules into elements of a source, and notes what it cannot read.

    types: of the numbers that currents are computed with. states: where the potentials of neurons are, by their place in memory.
    modes: the first module of each step mode: s takes [N, ...], m takes [T, N, ...].
    """

    def __init__(self, interface: Interface):
        self.reasons: list[str] = global_reasons()
        self.builder = Builder(interface, self.reasons)
        self.prepared_modules = PreparedReader(interface)
        self.types: set[torch.dtype] = set()
        self.states: dict[int, str] = {}
        self.modes: dict[str, str] = {}
        self.readers: dict[type, Callable[[str, Any], None]] = {
            getattr(sys.modules[home], name): getattr(self, reader)
            for home, names in READERS.items()
            if home in sys.modules
            for name, reader in names.items()
        }

    def container(self, where: str, module: nn.Module) -> None:
        self.reasons += [placed(where, why) for why in call_reasons(module)]
        if _container_kind(module) in (*STEP_BY_STEP, *MERGED):
            self.modes.setdefault("m", where)

    def is_part(self, module: nn.Module) -> bool:
        """Whether a module is read as a whole, and not followed."""
        return type_of(module) in self.readers or is_of_library(module) or is_prepared(module)

    def is_in_order(self, module: nn.Module) -> bool:
        """Whether a module is a part, or a container of nothing but parts, so that their order is known without its forward."""
        if _container_kind(module) is None:
            return self.is_part(module)
        return all(self.is_part(part.module) for part in _in_order(module, lambda where, container: None))

    def listed(self, modules: Any) -> Iterator[Part]:
        """The parts of an nn.Sequential, a list, or one module alone."""
        self.check_timesteps(0)
        alone = isinstance(modules, nn.Module) and _container_kind(modules) is None
        return _in_order([modules] if alone else modules, self.container)

    def traced(self, net: nn.Module) -> Iterator[Part]:
        """The parts that a forward uses, in their order."""
        if self.builder.interface.input_shape == NO_SHAPE:
            return
        found = trace(net, self.builder.interface, self.is_part)
        self.reasons += found.reasons
        self.check_timesteps(found.timesteps, followed=not found.reasons)
        for link in found.links:
            if link.module is None:
                self.unread(link.name, link.why)
            elif link.of_function:
                yield Part(link.name, link.module, of_function=True)
            else:
                yield from _in_order(net.get_submodule(link.name), self.container, link.name, MERGED[0] if link.batched else "")

    def check_timesteps(self, found: int, *, followed: bool = True) -> None:
        """Take over the timesteps that a forward goes through, 0 where it is one.

        followed: whether the forward was; one that was not may have a loop, so its timesteps are not asked for.
        """
        asked = self.builder.interface.timesteps
        if found and asked not in (0, found):
            reason = f"forward: goes through {found} timesteps, and {asked} were asked for"
            self.reasons.append(by_option(reason, "--timesteps"))
        elif not found and not asked and followed:
            self.reasons.append(by_option("the network does not say how many timesteps there are", "--timesteps"))
        self.builder.interface = replace(self.builder.interface, timesteps=found or asked or 1)

    def read_all(self, parts: Iterator[Part]) -> None:
        for part in parts:
            self.mode(part)
            self.read(part)

    def mode(self, part: Part) -> None:
        """Note the step mode of a module."""
        mode = step_mode(part.module)
        if mode is None:
            return
        if part.container and mode == "m":
            self.reasons.append(f"{part.where}: takes all timesteps, within a {part.container}; allowed: step_mode='s' there")
        elif not part.container:
            self.modes.setdefault(mode, part.where)

    def check_modes(self) -> None:
        if {"s", "m"} <= set(self.modes):
            self.reasons.append(
                f"{self.modes['s']}: takes one timestep, and {self.modes['m']} takes all of them; set one step mode for all: "
                "functional.set_step_mode(net, 'm'), with torch's own layers in a SeqToANNContainer"
            )

    def read(self, part: Part) -> None:
        """Add the elements of a module; one that cannot be read is noted once, without the errors that follow from it."""
        where, module = part.where, part.module
        try:
            reader = self.brevitas if brevitas_layers.is_brevitas(module) else self.readers.get(type_of(module))
            if is_prepared(module):
                reader = self.prepared
                self.prepared_modules.begin(module)
            if reader is None:
                raise Unreadable(not_in_hardware(f"{path_of(type_of(module))} is unknown; allowed: {_allowed()}"))
            reasons = call_reasons(module)
            if reasons:
                raise Unreadable(*reasons)
            if part.container in MERGED and reader in (self.leaky, self.spikingjelly):
                raise Unreadable(f"neurons in a {part.container}, where all timesteps are one batch; allowed: outside of it")
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
        for element in self.prepared_modules.read(where, module, self.builder.summed):
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
        weights, found = array(weight), Weighted(where, array(weight), np.zeros(len(weight)), scale, numbers=numbers)
        if isinstance(module, nn.Conv2d):
            weights, padding, reasons = _convolution(where, module, weights)
            self.reasons += reasons
            found = replace(found, weights=weights, fits=not reasons, stride=pair(module.stride), padding=padding)
        self.builder.add(found if bias is None else replace(found, bias=array(bias)))

    def norm(self, where: str, module: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        if module.training:
            raise Unreadable("in training mode, where its result depends on the batch; call eval() first")
        before = self.builder.open[-1] if self.builder.open else None
        wanted = nn.BatchNorm2d if isinstance(before, Weighted) and before.weights.ndim == 4 else nn.BatchNorm1d
        if isinstance(before, Weighted) and not isinstance(module, wanted):
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
        if module.return_indices:
            raise Unreadable(not_in_hardware("return_indices=True; allowed: False"))
        self.pooling(where, module, "max", 1, dilation=pair(module.dilation))

    def average(self, where: str, module: nn.AvgPool2d) -> None:
        divisor = module.divisor_override or math.prod(pair(module.kernel_size))
        if type(divisor) is not int or divisor < 1:
            raise Unreadable(f"divisor {divisor!r:.40}; allowed: a whole number from 1 up")
        self.pooling(where, module, "sum", divisor)

    def pooling(self, where: str, module: Any, op: str, divisor: int, **options: Any) -> None:
        kernel = pair(module.kernel_size)
        stride = kernel if module.stride is None else pair(module.stride)
        pool = Pooling(where, op, kernel, stride, pair(module.padding), divisor)
        reasons = pooling_reasons(pool, self.builder.shape, ceil=bool(module.ceil_mode), **options)
        self.reasons += reasons
        self.builder.add(Unread(where) if reasons else pool)

    def adaptive_average(self, where: str, module: nn.AdaptiveAvgPool2d) -> None:
        self.adaptive(where, module, "sum")

    def adaptive_max(self, where: str, module: nn.AdaptiveMaxPool2d) -> None:
        if module.return_indices:
            raise Unreadable(not_in_hardware("return_indices=True; allowed: False"))
        self.adaptive(where, module, "max")

    def adaptive(self, where: str, module: Any, op: str) -> None:
        """A pooling of windows that fill the map; their size depends on it."""
        shape, wanted = self.builder.shape, module.output_size
        if shape is None or len(shape) != 3:
            # The reason has been noted, or the map is missing.
            raise Unreadable(*([] if shape is None else ["pools what is no map"]))
        sizes = (wanted, wanted) if wanted is None or isinstance(wanted, int) else tuple(wanted)
        counts = tuple(size if count is None else count for size, count in zip(shape[1:], sizes, strict=True))
        whole = all(type(count) is int for count in counts)
        pool = pooling_of_counts(where, op, shape, (counts[0], counts[1])) if whole else None
        if pool is None:
            reason = f"output size {wanted} of a map of {shape[1]}x{shape[2]}; allowed: sizes that divide the map's"
            raise Unreadable(not_in_hardware(reason))
        self.builder.add(pool)

    def flatten(self, where: str, module: nn.Flatten) -> None:
        if module.start_dim != 1 or module.end_dim not in (-1, 3):
            raise Unreadable(f"dimensions {module.start_dim} to {module.end_dim}; allowed: 1 to -1")
        self.builder.add(Flatten(where))

    def vote(self, where: str, module: Any) -> None:
        if type(module.voting_size) is not int or module.voting_size < 1:
            raise Unreadable(f"voting_size {module.voting_size!r:.40}; allowed: a whole number from 1 up")
        self.builder.add(Vote(where, module.voting_size))

    def spikingjelly(self, where: str, module: Any) -> None:
        self.own_state(where, module._memories)
        dtype = next(iter(self.types)) if len(self.types) == 1 else torch.float32
        neurons, reasons = read_neurons(where, module, dtype)
        self.reasons += reasons
        self.builder.add(neurons)

    def own_state(self, where: str, state: Any) -> None:
        """Unreadable: neurons before have the same memory; copies of a module may share it."""
        first = self.states.setdefault(id(state), where)
        if first != where:
            raise Unreadable(f"the same neurons as {first}, so that both have one potential; allowed: neurons of its own")

    def leaky(self, where: str, module: Any) -> None:
        self.own_state(where, module._buffers)
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


def _convolution(where: str, module: nn.Conv2d, weights: np.ndarray) -> tuple[np.ndarray, Size, list[str]]:
    """The hardware's weights and padding, or why it has none."""
    padding = module.padding if isinstance(module.padding, str) else pair(module.padding)
    weights, edge, found = convolution(
        where,
        weights,
        stride=pair(module.stride),
        padding=padding,
        dilation=pair(module.dilation),
        groups=module.groups,
    )
    if module.padding_mode != "zeros" and any(edge):
        found.append(not_in_hardware(f"{where}: padding mode {module.padding_mode}; allowed: zeros"))
    return weights, edge, found
