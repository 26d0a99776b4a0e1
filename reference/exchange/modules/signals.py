"""What the tensors of a forward stand for: spikes of a chain of parts, at a timestep, at all of them, or added up.

`meaning_of` says what a function of torch makes of them. What it does not know becomes a part that cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from duospike.reference.exchange.refusal import not_in_hardware

ONE, ALL, BATCHED = "one timestep", "all timesteps", "all timesteps as one batch"
"""Of shape [N, ...], [T, N, ...], [T * N, ...]."""

SUMMED, SCALED = "a sum over timesteps", "a sum over timesteps times a number"
"""Of shape [N, ...]. Nothing can be added to the second, since the timesteps would not count alike."""

SAME = ("contiguous", "clone", "detach", "detach_", "float", "double", "to", "cpu", "cuda", "type_as", "data", "requires_grad_")
ORDERED = ("flatten", "view", "reshape", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as")
REPEATED = ("unsqueeze", "expand", "expand_as", "repeat", "tile", "broadcast_to")


@dataclass(frozen=True, eq=False)
class Link:
    """A part: a module by its path, or what a function computes, as a module; None where it cannot be read, for `why`.

    batched: whether it sees all timesteps as one batch.
    """

    name: str
    module: nn.Module | None
    batched: bool = False
    why: str = ""
    of_function: bool = False

    @property
    def described(self) -> str:
        """The name; of a function with its settings, in which two calls may differ."""
        settings = {key: value for key, value in vars(self.module).items() if key[0] != "_"} if self.of_function else ""
        return f"{self.name}{settings}"


@dataclass(frozen=True, eq=False)
class Signal:
    """What links have made of the images. times: which timesteps it is of, None for an image that is the same at all."""

    links: tuple[Link, ...]
    form: str
    times: tuple[int, ...] | None

    def after(self, link: Link) -> Signal:
        return replace(self, links=(*self.links, link))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parts, those of functions with their settings."""
        return tuple(link.described for link in self.links)

    @property
    def shown(self) -> str:
        """For a message."""
        if self.times is None:
            return "an image"
        numbers = ", ".join(str(time + 1) for time in self.times[:4])
        return f"{'timestep' if len(self.times) == 1 else 'timesteps'} {numbers}{', ...' if len(self.times) > 4 else ''}"


@dataclass(frozen=True)
class State:
    """The potential of the neurons at `path` after their call number `call`."""

    path: str
    call: int


def meaning_of(name: str, given: Any, values: Any, named: dict[str, Any], result: Any) -> Any:
    """What a function's result stands for. given: its arguments, what is known of tensors in their place; values: the arguments.

    A Signal, a State, a tuple of them, "potentials" (states put together), "zeros", or None where it is not known.
    """
    first = given[0] if given else None
    if name in ("zeros_like", "new_zeros", "zeros"):
        return "zeros"
    if name == "stack":
        return _stacked(first, values, named, result)
    if name in ("getitem", "select") and isinstance(first, tuple) and isinstance(values[1], int):
        return first[values[1]]
    if name in ("add", "iadd", "add_"):
        return _added(given, named)
    if isinstance(first, State):
        return first if name in SAME and result.dtype == values[0].dtype and torch.equal(values[0], result) else None
    if not isinstance(first, Signal):
        return None
    if not isinstance(values[0], torch.Tensor) or not isinstance(result, torch.Tensor):
        return unknown(name, first)
    for rule in (_kept, _picked, _repeated, _reshaped, _over_time, _scaled):
        found = rule(name, first, values, named, result)
        if found is not None:
            return found
    return _layer(name, first, values, named)


def unknown(name: str, signal: Signal, why: str = "") -> Signal:
    """A part that cannot be read."""
    allowed = "modules, pools, flatten, view, reshape, dropout(training=False); stack, sum, mean over time"
    return signal.after(Link(_place(name, signal), None, why=why or f"{name} is unknown; allowed in a forward: {allowed}"))


def _place(name: str, signal: Signal) -> str:
    return f"{name} after {signal.links[-1].name}" if signal.links else f"{name} of the images"


def _kept(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    attribute = name == "getattr" and values[1] in SAME
    is_dropout = name in ("dropout", "dropout2d") and not named.get("training", True)
    same = result.shape == values[0].shape and torch.equal(result.double(), values[0].double())
    # Spikes are the same in any type of floats.
    spikes = result.is_floating_point() and bool(((result == 0) | (result == 1)).all())
    known = attribute or is_dropout or name in (*SAME, *ORDERED)
    return signal if known and same and (spikes or result.dtype == values[0].dtype) else None


def _picked(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    """One timestep of all."""
    if name not in ("getitem", "select") or signal.form != ALL or signal.times is None:
        return None
    index = values[1] if name == "getitem" else values[2] if len(values) > 2 and values[1] == 0 else None
    if type(index) is not int or not -len(signal.times) <= index < len(signal.times):
        return None
    return replace(signal, form=ONE, times=(signal.times[index],))


def _repeated(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    """The image at all timesteps."""
    if name not in REPEATED or signal.links:
        return None
    image = values[0] if signal.form == ONE and signal.times is None else None
    if signal.form == ALL and signal.times == (0,):
        image = values[0][0]
    if image is None or result.shape[1:] != image.shape or not torch.equal(result, image.expand_as(result)):
        return None
    return Signal((), ALL, tuple(range(len(result))))


def _reshaped(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    """A map flattened, or time and batch put together or apart."""
    if name not in ORDERED:
        return None
    old, new = tuple(values[0].shape), tuple(result.shape)
    lead = 2 if signal.form == ALL else 1
    flat = (*old[:lead], values[0][(0,) * lead].numel()) if values[0].numel() else old
    if new == flat:
        return signal.after(Link(_place(name, signal), nn.Flatten().eval(), signal.form != ONE, of_function=True))
    times = len(signal.times or ())
    if signal.form == ALL and new == (old[0] * old[1], *old[2:]):
        return replace(signal, form=BATCHED)
    if signal.form == BATCHED and new == (times, old[0] // times, *old[1:]):
        return replace(signal, form=ALL)
    return None


def _over_time(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    """The sum or mean over time; or the mean of each channel's map."""
    if name not in ("sum", "mean"):
        return None
    asked = values[1] if len(values) > 1 else named.get("dim", named.get("axis"))
    dims = (asked,) if isinstance(asked, int) else tuple(asked or ())
    if signal.form == ALL and dims in ((0,), (-values[0].ndim,)) and result.ndim == values[0].ndim - 1:
        return replace(signal, form=SUMMED if name == "sum" else SCALED)
    is_map = values[0].ndim == 4 and signal.form in (ONE, BATCHED)
    if name == "mean" and is_map and sorted(one % 4 for one in dims) == [2, 3]:
        place, batched = _place(name, signal), signal.form == BATCHED
        pooled = signal.after(Link(place, nn.AdaptiveAvgPool2d(1).eval(), batched, of_function=True))
        if result.ndim == 4:
            return pooled
        return pooled.after(Link(_place("flatten", pooled), nn.Flatten().eval(), batched, of_function=True))
    return None


def _scaled(name: str, signal: Signal, values: Any, named: Any, result: Any) -> Signal | None:
    """A sum over time, times a number above 0: the largest stays the largest."""
    number = values[1] if len(values) > 1 else None
    scales = name in ("mul", "truediv", "div", "imul", "itruediv") and signal.form in (SUMMED, SCALED) and not named
    return replace(signal, form=SCALED) if scales and isinstance(number, int | float) and number > 0 else None


def _stacked(parts: Any, values: Any, named: Any, result: Any) -> Any:
    """Timesteps put together."""
    dim = values[1] if len(values) > 1 else named.get("dim", 0)
    if parts and all(isinstance(one, State) for one in parts):
        return "potentials"
    signals = [one for one in parts or () if isinstance(one, Signal)]
    if not signals or len(signals) != len(parts):
        return None
    first, times = signals[0], [one.times for one in signals]
    if any(one.form != ONE or one.names != first.names for one in signals) or dim != 0:
        return unknown("stack", first, "puts together other things than all timesteps of the same parts, along dimension 0")
    if all(one is None for one in times) and not first.links:
        return Signal((), ALL, tuple(range(len(times))))
    if any(one is None for one in times):
        return unknown("stack", first, "puts together what is the same at all timesteps")
    return Signal(first.links, ALL, tuple(time for one in times for time in one or ()))


def _added(given: Any, named: Any) -> Any:
    """Timesteps added up, one after the other; a number or a tensor of zeros may be their start."""
    signals = [one for one in given[:2] if isinstance(one, Signal)]
    if not signals:
        return None
    rest = [one for one in given[:2] if not isinstance(one, Signal)]
    first, times = signals[0], [time for one in signals for time in one.times or ()]
    is_start = not rest or (isinstance(rest[0], str) and rest[0] == "zeros") or (type(rest[0]) in (int, float) and rest[0] == 0)
    fits = all(one.form in (ONE, SUMMED) and one.names == first.names for one in signals)
    fits = fits and all(one.times for one in signals) and len(set(times)) == len(times)
    if not is_start or not fits or named or len(given) > 2:
        why = not_in_hardware("adds other things than the timesteps of the same parts; allowed: one chain, without branches")
        return unknown("add", max(signals, key=lambda one: len(one.links)), why)
    return replace(first, form=SUMMED, times=tuple(sorted(times)))


def _layer(name: str, signal: Signal, values: Any, named: Any) -> Signal:
    """A function that a module of torch computes, too."""
    kinds: dict[str, Callable[..., nn.Module]] = {
        "max_pool2d": nn.MaxPool2d,
        "avg_pool2d": nn.AvgPool2d,
        "adaptive_avg_pool2d": nn.AdaptiveAvgPool2d,
        "adaptive_max_pool2d": nn.AdaptiveMaxPool2d,
    }
    kind = kinds.get(name)
    if kind is None or signal.form not in (ONE, BATCHED):
        return unknown(name, signal)
    module = kind(*values[1:], **named).eval()
    return signal.after(Link(_place(name, signal), module, signal.form == BATCHED, of_function=True))
