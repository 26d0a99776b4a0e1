"""What a module of a user's own computes: its parts in the order of their use, followed through its forward by torch.fx.

The forward runs once on random images, with proxies that stand for what comes of them. A proxy knows its tensor, so that code may
ask for shapes; and which parts made it, at which timestep. Code whose way depends on values cannot be followed.

Where forward loops over time, each timestep must be the same chain of parts, and each group of neurons keep its own potential
from one to the next: it stays in the module, or goes out and in again as it is.
"""

from __future__ import annotations

import copy
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from duospike.reference.errors import brief
from duospike.reference.exchange.refusal import by_option, not_in_hardware
from duospike.reference.exchange.source import Interface
from duospike.reference.network import MEMBRANE_READOUTS

from .module_calls import type_of
from .signals import ALL, BATCHED, ONE, SCALED, SUMMED, Link, Signal, State, meaning_of

BATCHES = (2, 3)
"""Numbers of images that forward is followed for, so that no axis is taken for another of the same size."""

ASSUMED_TIMESTEPS = 3
"""Where forward takes the images of all timesteps, and their number is not known yet."""

LIBRARIES = ("torch", "snntorch", "spikingjelly", "brevitas", "norse", "sinabs")
"""Their modules are parts, and are not followed into; models that a library has are followed like a user's own."""

ANY_STEP = (
    *("Linear", "QuantLinear", "Dropout", "Dropout2d", "Identity"),
    *("PreparedConv2d", "PreparedLinear", "PreparedBatchNorm1d", "PreparedBatchNorm2d"),
)
"""Modules that compute the same of [N, ...] and of [T, N, ...], whatever their step mode."""

SIZES = ("size", "dim", "ndimension", "numel", "nelement", "stride", "get_device", "is_floating_point")
"""Methods whose results are numbers, which code may use in any way."""

MAX_DEPTH = 8
"""Of objects within objects that are compared."""

FIXED = ("shape", "ndim", "dtype", "device", "is_cuda", "requires_grad", "layout")
INTERNAL = vars(nn.Module()).keys()
"""Attributes of every module: what torch itself keeps there."""

RUNNING = {"mem", "num_batches_tracked"}
"""What a library's parts change when they run: a potential, which is checked by itself, and what nothing computes with."""

ADVICE = "pass the parts in their order: an nn.Sequential, or a list"


@dataclass
class Traced:
    """links: the parts in order. timesteps: how many forward itself goes through, 0 where it is one. reasons: why not.

    ran: whether forward takes images of the shape that was tried.
    """

    links: tuple[Link, ...] = ()
    timesteps: int = 0
    reasons: list[str] = field(default_factory=list)
    ran: bool = True


def is_of_library(module: nn.Module) -> bool:
    """Whether a module is a layer, neurons or a container of a library, or derived from one; not a model that it has."""
    kinds = [kind for kind in type_of(module).__mro__ if kind not in (nn.Module, nn.Sequential)]
    return any(kind.__module__.split(".")[0] in LIBRARIES and ".model" not in kind.__module__ for kind in kinds)


def trace(net: nn.Module, interface: Interface, is_part: Callable[[nn.Module], bool]) -> Traced:
    """The parts that a module's forward uses, or why that is not known. is_part: whether a module is read as a whole.

    The module itself is not changed: a copy of it runs, in evaluation mode.
    """
    tried = [_agreeing(net, lead, interface, is_part) for lead in ((), (interface.timesteps or ASSUMED_TIMESTEPS,))]
    found = next((one for one in tried if not one.reasons), None) or next((one for one in tried if one.ran), tried[0])
    if not found.reasons and found is tried[0] and found.timesteps > 1 and interface.coding != "direct":
        reason = f"forward: gives one image to {found.timesteps} timesteps; {interface.coding} are another one for each"
        return Traced(reasons=[by_option(reason, "--coding direct")])
    return found


def _agreeing(net: nn.Module, lead: tuple[int, ...], interface: Interface, is_part: Callable[[nn.Module], bool]) -> Traced:
    """What is found for all numbers of images. lead: of an axis of time before them."""
    first = _try(net, (*lead, BATCHES[0]), interface, is_part)
    if first.reasons:
        return first
    second = _try(net, (*lead, BATCHES[1]), interface, is_part)
    names = [[link.described for link in one.links] for one in (first, second)]
    if second.reasons or (names[0], first.timesteps) != (names[1], second.timesteps):
        how = f"computes something else for {BATCHES[1]} images than for {BATCHES[0]}"
        return Traced(reasons=[*second.reasons, *[f"forward: {how}; {ADVICE}"] * (not second.reasons)])
    return first


def _images(shape: tuple[int, ...], interface: Interface) -> torch.Tensor:
    """Random images as the source takes them: whole pixels times the image scale."""
    low = -(2 ** (interface.image_bits - 1)) if interface.image_signed else 0
    pixels = torch.randint(low, low + 2**interface.image_bits, shape, generator=torch.Generator().manual_seed(0))
    return pixels * float(interface.image_scale)


def _try(net: nn.Module, lead: tuple[int, ...], interface: Interface, is_part: Callable[[nn.Module], bool]) -> Traced:
    """Follow forward for some images. lead: axes of the images before those of one."""
    images = _images((*lead, *interface.input_shape), interface)
    try:
        first, again = copied(net), copied(net)
        kind = next((one.dtype for one in net.parameters() if one.is_floating_point()), torch.float32)
        images = images.to(kind)
        tracer = _Tracer(net, images, is_part, reads_membranes=interface.readout in MEMBRANE_READOUTS)
        with torch.no_grad(), _registered(first):
            tracer.trace(_Root(first, tracer.end))
        with torch.no_grad(), _registered(again):
            same = _equal(again(images), tracer.returned)
    except fx.proxy.TraceError as error:
        return Traced(reasons=[f"forward: its way depends on values, which cannot be followed ({brief(error)}); {ADVICE}"])
    except NameError as error:
        return Traced(reasons=[f"forward: {brief(error)}; keep parts as attributes or in an nn.ModuleList, or {ADVICE}"])
    except Exception as error:
        # A user's own code may fail in any way.
        how = f"fails on images of shape {list(images.shape)}: {type(error).__name__}: {brief(error)}"
        return Traced(reasons=[by_option(f"forward: {how}; if a call of it works, {ADVICE}", "--input")], ran=False)
    changed = _changed(net, first)
    if changed:
        return Traced(reasons=[f"forward: changes {changed[0]}; allowed: parts that stay as they are"])
    if tracer.reasons or same:
        return Traced(tracer.links, tracer.timesteps, list(dict.fromkeys(tracer.reasons)))
    return Traced(reasons=[f"forward: computes something else when torch.fx follows it; {ADVICE}"])


def copied(net: nn.Module) -> nn.Module:
    """A copy of the module in evaluation mode, neurons at rest."""
    # What a training step leaves in neurons is part of a graph, and torch does not copy such tensors.
    stores = [store for one in net.modules() for store in (one._buffers, getattr(one, "_memories", {}), vars(one))]
    left = [value for store in stores for value in store.values()]
    memo = {id(one): one.detach().clone() for one in left if isinstance(one, torch.Tensor) and one.grad_fn is not None}
    found = copy.deepcopy(net, memo).eval()
    for module in found.modules():
        if hasattr(module, "_memories_rv"):
            module._memories = copy.deepcopy(module._memories_rv)
        elif isinstance(getattr(module, "mem", None), torch.Tensor):
            module.mem = torch.zeros(0)
    return found


def _changed(net: nn.Module, copied: nn.Module) -> list[str]:
    """The numbers and attributes, other than potentials, that a run of a copy has changed."""
    before, after = _numbers(net), _numbers(copied)
    return [name for name, value in after.items() if name not in before or not _same(before[name], value)]


def _numbers(net: nn.Module) -> dict[str, Any]:
    """Parameters, buffers and attributes of all parts, by their paths; of a library's parts numbers and text alone."""
    found: dict[str, Any] = {}
    for path, module in net.named_modules():
        own = {name: value for name, value in vars(module).items() if name not in INTERNAL}
        if is_of_library(module):
            own = {name: value for name, value in own.items() if type(value) in (int, float, bool, str)}
        own |= {**module._parameters, **module._buffers}
        kept = own.keys() - RUNNING if is_of_library(module) else own.keys()
        found |= {f"{path}.{name}".lstrip("."): own[name] for name in own if name in kept}
    return found


def _same(before: Any, after: Any, depth: int = 0) -> bool:
    """Whether two values are equal, as far as numbers, text, tensors and arrays, and collections and objects of them go."""
    if depth > MAX_DEPTH:
        return True
    if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor):
        return before.shape == after.shape and torch.equal(before.detach().nan_to_num(), after.detach().nan_to_num())
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(_same(before[key], after[key], depth + 1) for key in before)
    if isinstance(before, list | tuple | deque):
        return len(before) == len(after) and all(_same(one, other, depth + 1) for one, other in zip(before, after, strict=True))
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    if type(before) in (int, float, bool, str, complex, bytes, set, frozenset):
        return before == after or before != before
    inside, later = getattr(before, "__dict__", None), getattr(after, "__dict__", None)
    return type(inside) is not dict or type(later) is not dict or _same(inside, later, depth + 1)


@contextmanager
def _registered(net: nn.Module) -> Iterator[None]:
    """snnTorch resets all neurons that were ever built; here, while this runs, those of a copy instead, which was not built."""
    library = sys.modules.get("snntorch")
    built = library.SpikingNeuron.instances if library else []
    kept, built[:] = list(built), [one for one in net.modules() if library and isinstance(one, library.SpikingNeuron)]
    try:
        yield
    finally:
        built[:] = kept


def _equal(plain: Any, followed: Any) -> bool:
    if isinstance(plain, torch.Tensor) or not isinstance(plain, tuple | list | dict):
        return torch.equal(plain, followed) if isinstance(plain, torch.Tensor) else True
    keys = list(plain) if isinstance(plain, dict) else range(len(plain))
    return len(plain) == len(followed) and all(_equal(plain[key], followed[key]) for key in keys)


class _Root(nn.Module):
    """Calls the network, so that its own call is followed with all that it does."""

    def __init__(self, net: nn.Module, end: Callable[[Any], None]):
        super().__init__()
        self.net, self.end = net, end

    def forward(self, images):
        self.end(self.net(images))
        return images


class _Proxy(fx.Proxy):
    """value: the tensor, or the tuple of them, that it stands for. meaning: what is known of it."""

    value: Any = None
    meaning: Any = None

    def __getattr__(self, name: str) -> Any:
        if name in FIXED:
            return getattr(self.value, name)
        if hasattr(self.value, name) and not callable(getattr(self.value, name)):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        return super().__getattr__(name)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self):
        return iter([self[i] for i in range(len(self.value))])


class _Tracer(fx.Tracer):
    """Runs what it follows, a copy of net.

    calls: how often parts with neurons were called. states: where neurons left their potential, in which version. fired: their
    spikes. reuses: some neurons are called twice in a timestep, so that the numbers of
    calls say nothing about timesteps.
    """

    def __init__(self, net: nn.Module, images: torch.Tensor, is_part: Callable[[nn.Module], bool], *, reads_membranes: bool):
        super().__init__()
        self.net, self.images, self.is_part, self.reads_membranes = net, images, is_part, reads_membranes
        self.running = False
        self.calls: dict[str, int] = {}
        self.reuses = False
        self.states: dict[str, tuple[Any, int]] = {}
        self.reasons: list[str] = []
        self.links: tuple[Link, ...] = ()
        self.timesteps, self.returned = 0, None
        self.fired: dict[str, Signal] = {}

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return self.is_part(m)

    def call_module(self, m, forward, args, kwargs):
        return forward(*args, **kwargs) if self.running else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        return attr_val

    def proxy(self, node: fx.Node) -> _Proxy:
        return _Proxy(node, self)

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None):
        values, named = _values(args), _values(kwargs)
        if kind == "call_method" and target in SIZES:
            return getattr(values[0], target)(*values[1:], **named)
        proxy = super().create_proxy(kind, target, args, kwargs, name, type_expr, proxy_factory_fn)
        if kind == "placeholder":
            times = tuple(range(len(self.images))) if self.images.ndim == 5 else None
            proxy.value, proxy.meaning = self.images, Signal((), ONE if times is None else ALL, times)
        elif kind == "call_module":
            proxy.value, proxy.meaning = self.module(target.removeprefix("net."), values, named, args, kwargs)
        elif kind == "call_method":
            # Before the call, which may add to a tensor of zeros in its place.
            before, given = _versions(args, kwargs), _meanings(args)
            proxy.value = getattr(values[0], target)(*values[1:], **named)
            self.check_unchanged(target, before)
            proxy.meaning = meaning_of(target, given, values, named, proxy.value)
        elif kind == "call_function":
            before, given = _versions(args, kwargs), _meanings(args)
            proxy.value, known = target(*values, **named), _name_of(target)
            self.check_unchanged(known, before)
            proxy.meaning = meaning_of(known, given, values, named, proxy.value)
        return proxy

    def check_unchanged(self, name: str, before: list[tuple[_Proxy, int]]) -> None:
        """Note a function that has changed its arguments: what is known of them holds no more. A sum may grow in its place."""
        changed = [proxy for proxy, version in before if proxy.value._version != version]
        if any(getattr(proxy.meaning, "form", None) != SUMMED or name not in ("iadd", "add_") for proxy in changed):
            self.reasons.append(f"forward: {name} changes numbers in their place; allowed: functions that give new ones")

    def module(self, path: str, values: Any, named: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Run a part, and say what its result is."""
        module = self.root.get_submodule(f"net.{path}")
        where, before = f"{path} {type_of(module).__name__}", _state(module)
        versions = _versions(args, kwargs)
        self.check_part(path, where, module)
        self.running = True
        try:
            value = module(*values, **named)
        finally:
            self.running = False
        self.check_unchanged(where, versions)
        signal, rest = _meanings(args[:1]), [one for one in (*args[1:], *kwargs.values()) if one is not None]
        if not signal or not isinstance(signal[0], Signal):
            self.reasons.append(f"{where}: takes what is not made of the images alone; {ADVICE}")
            return value, None
        wanted, mode = "m" if signal[0].form == ALL else "s", step_mode(module)
        if mode not in (None, wanted):
            takes = {"s": "one timestep, as a batch [N, ...]", "m": "all timesteps [T, N, ...]"}
            self.reasons.append(f"{where}: takes {takes[mode]}, and gets {takes[wanted]}; set its step mode to {wanted!r}")
        if signal[0].form in (SUMMED, SCALED) and type_of(module).__name__ != "VotingLayer":
            reason = f"{where}: after the sum or mean over time; allowed: on the spikes of each timestep"
            self.reasons.append(not_in_hardware(reason))
        if before is not None:
            return value, self.neurons(path, module, signal[0], value, before, rest)
        if rest:
            self.reasons.append(f"{where}: takes more than one input; allowed: one")
        return value, signal[0].after(Link(path, module, signal[0].form == BATCHED))

    def check_part(self, path: str, where: str, module: nn.Module) -> None:
        """Note a part that is called with other numbers than the ones that are read, or twice with neurons within it."""
        for name in _changed(self.net.get_submodule(path), module):
            self.reasons.append(f"forward: changes {path}.{name}; allowed: parts that stay as they are")
        if any(torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")):
            self.reasons.append(f"{where}: called within torch.autocast, which rounds its numbers; allowed: outside of it")
        if _state(module) is None and any(_state(one) is not None for one in module.modules()):
            self.calls[path] = self.calls.get(path, 0) + 1
            if self.calls[path] > 1:
                self.reasons.append(f"{where}: called more than once, and has neurons; allowed: once")

    def neurons(self, path: str, module: Any, signal: Signal, value: Any, before: tuple[Any, int], rest: list[Any]) -> Any:
        """Neurons, whose potential must be the one that their last call left, or 0 at first."""
        where, call = f"{path} {type_of(module).__name__}", self.calls.get(path, 0)
        if any(link.name == path for link in signal.links):
            self.reuses = True
            self.reasons.append(f"{where}: used twice in a timestep, so that both uses have one potential; allowed: once")
        elif signal.form != ONE and call:
            self.reasons.append(f"{where}: called for all timesteps more than once; allowed: once")
        elif signal.form == ALL and signal.times != tuple(range(len(signal.times or ()))):
            self.reasons.append(f"{where}: takes {signal.shown}; allowed: all timesteps in their order")
        elif signal.form == ONE and signal.times not in (None, (call,)) and not self.reuses:
            self.reasons.append(f"{where}: call {call + 1} is for {signal.shown}; allowed: one for each timestep in turn")
        elif not self.is_kept(path, call, before, rest):
            self.reasons.append(f"{where}: its potential is changed between timesteps; allowed: kept as it is, 0 at first")
        self.calls[path], self.states[path] = call + 1, _state(module) or before
        spikes = signal.after(Link(path, module, signal.form == BATCHED))
        spikes = replace(spikes, times=(call,)) if signal.form == ONE else spikes
        self.fired[path] = replace(spikes, form=ALL, times=tuple(range(call + 1))) if signal.form == ONE else spikes
        return (spikes, State(path, call)) if isinstance(value, tuple) else spikes

    def is_kept(self, path: str, call: int, before: tuple[Any, int], rest: list[Any]) -> bool:
        """Whether neurons start a call with what the one before it left: passed on to them, or in the module as it was."""
        value, version = before
        if rest and isinstance(rest[0], _Proxy):
            return len(rest) == 1 and rest[0].meaning == (State(path, call - 1) if call else "zeros")
        if rest:
            value = rest[0]
        elif call:
            return value is self.states[path][0] and version == self.states[path][1]
        return not call and len(rest) < 2 and (not value.any() if isinstance(value, torch.Tensor) else value == 0)

    def end(self, returned: Any) -> None:
        """Read what forward returns, which must come of the spikes of all timesteps."""
        self.returned = _values(returned)
        found: list[Any] = []
        fx.node.map_aggregate(returned, lambda one: found.append(one.meaning if isinstance(one, _Proxy) else None))
        signals = [one for one in _flat(found) if isinstance(one, Signal)]
        potential = any(isinstance(one, State) or one == "potentials" for one in _flat(found))
        if not signals and potential and self.reads_membranes:
            signals = list(self.fired.values())
        if not signals:
            what = (
                "forward: returns a potential; allowed: the last neurons' spikes, or their sum or mean over time"
            )
            read = by_option(what, "--readout last_membrane or max_membrane")
            self.reasons.append(read if potential else f"forward: returns nothing that is made of spikes alone; {ADVICE}")
            return
        signal = max(signals, key=lambda one: len(one.links))
        self.links, times = signal.links, signal.times or (0,)
        loops = max(self.calls.values(), default=1)
        if times != tuple(range(len(times))) or (signal.form == ONE and loops > 1):
            what = f"forward: returns {signal.shown} alone; allowed: the spikes of all timesteps, their sum or mean"
            self.reasons.append(not_in_hardware(what))
        given = self.images.ndim == 5 and len(times) == len(self.images)
        self.timesteps = 0 if given or signal.form == ONE else len(times)


def _versions(*given: Any) -> list[tuple[_Proxy, int]]:
    """The proxies of tensors in arguments, and the versions of these, which each change in place counts up."""
    found: list[tuple[_Proxy, int]] = []

    def note(one: Any) -> None:
        if isinstance(one, _Proxy) and isinstance(one.value, torch.Tensor):
            found.append((one, one.value._version))

    fx.node.map_aggregate(given, note)
    return found


def _name_of(function: Callable[..., Any]) -> str:
    """The name of a function of torch or Python; with its home of another one's, which is not known."""
    home = (getattr(function, "__module__", None) or "torch").split(".")[0]
    return function.__name__ if home in ("torch", "_operator", "builtins") else f"{home}.{function.__name__}"


def step_mode(module: nn.Module) -> str | None:
    """s: a module takes one timestep, [N, ...]; m: all of them, [T, N, ...]; None: either."""
    kind = type_of(module).__name__
    if kind in ("MultiStepContainer", "SeqToANNContainer"):
        # Their attribute is not what they go by.
        return "m"
    return None if kind in ANY_STEP else "m" if getattr(module, "step_mode", "s") == "m" else "s"


def _values(given: Any) -> Any:
    """What is passed to a call, with the tensors in place of their proxies."""
    return fx.node.map_aggregate(given, lambda one: one.value if isinstance(one, _Proxy) else one)


def _meanings(given: Any) -> Any:
    """What is passed to a call, with what is known of it in place of proxies; None in place of other tensors, not of zeros."""

    def meaning(one: Any) -> Any:
        if isinstance(one, torch.Tensor):
            return None if one.any() else "zeros"
        return one.meaning if isinstance(one, _Proxy) else one

    return fx.node.map_aggregate(given, meaning)


def _flat(found: Any) -> list[Any]:
    return [inner for one in found for inner in _flat(one)] if isinstance(found, tuple | list) else [found]


def _state(module: Any) -> tuple[Any, int] | None:
    """The potential of neurons and the version of its tensor, which a change in place counts up; None: no neurons."""
    value = getattr(module, "_memories", {}).get("v") if hasattr(module, "_memories") else getattr(module, "mem", None)
    return None if value is None else (value, getattr(value, "_version", 0))
