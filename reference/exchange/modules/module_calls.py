"""What a call of a torch module computes: whether it is its class's forward, and the numbers that it computes with.

A module is Python: hooks, an attribute `forward`, a compiled call or a patched class change what a call computes, and pruning or
a norm of the weights sets `weight` only when the module is called. Whatever cannot be followed is refused.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Iterable
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.utils._python_dispatch import TorchDispatchMode

from duospike.reference.errors import brief

REAL = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int8,
    torch.uint8,
    torch.int16,
    torch.int32,
    torch.int64,
)
PARAMETRIZED = ("__getstate__", "__deepcopy__")
"""What torch gives to the classes that it derives for parametrized modules."""

READS = 16
"""How often a number is read that a user's own code may compute, so that it hardly stays the same by chance."""

CALLS = ("__call__", "_wrapped_call_impl", "_call_impl", "__getattr__")
"""What nn.Module does on the way to a forward."""


class Unreadable(Exception):
    """Why the numbers of a module cannot be read."""


def type_of(module: nn.Module) -> type:
    """The class of a module; parametrized ones have a class of their own that is derived from it."""
    return parametrize.type_before_parametrizations(module)


def path_of(kind: type) -> str:
    """Where a class comes from, for a message: torch.nn.ReLU, mylib.Conv2d."""
    name, module = kind.__qualname__, kind.__module__
    parts = module.split(".")
    homes = ("torch.nn", *(".".join(parts[: end + 1]) for end in range(len(parts))))
    home = next((home for home in homes if getattr(sys.modules.get(home), name, None) is kind), module)
    return f"{home}.{name}"


def call_reasons(module: nn.Module) -> list[str]:
    """Why a call may compute something else than its class's forward with the module's attributes."""
    return [*_class_reasons(module), *_hook_reasons(module), *_mode_reasons(module)]


def _class_reasons(module: nn.Module) -> list[str]:
    kind, reasons = type_of(module), []
    replaced = sorted(name for name in vars(module) if callable(getattr(kind, name, None)))
    if replaced:
        reasons.append(f"{_listed(replaced)} of this object is not its class's; allowed: the class's (del module.{replaced[0]})")
    added = [name for name, value in vars(type(module)).items() if isinstance(value, FunctionType) and name not in PARAMETRIZED]
    if type(module) is not kind and added:
        reasons.append(f"its class has its own {_listed(added)}; allowed: {kind.__name__}, parametrized by torch or not")
    patched = patched_methods(kind)
    if patched:
        reasons.append(f"{_listed(patched)} of its class is not the library's own; import it where nothing patches the library")
    if getattr(module, "_compiled_call_impl", None) is not None:
        reasons.append("its call is compiled; pass the module without compile()")
    return reasons


def _hook_reasons(module: nn.Module) -> list[str]:
    hooks = [*module._forward_hooks.values(), *(hook for hook in module._forward_pre_hooks.values() if not _is_known(hook))]
    names = sorted({getattr(hook, "__qualname__", type(hook).__qualname__) for hook in hooks})
    reason = f"has the forward hook {_listed(names)}, which may change what it computes; remove it first: handle.remove()"
    return [reason] if hooks else []


def _mode_reasons(module: nn.Module) -> list[str]:
    reasons = []
    if module.training and any(type(hook) is SpectralNorm for hook in module._forward_pre_hooks.values()):
        reasons.append("spectral_norm in training mode, where each call changes the weights; call eval() first")
    if parametrize.is_parametrized(module) and any(one.training for one in module.modules()):
        reasons.append("parametrized and in training mode, where its numbers may change with each call; call eval() first")
    return reasons


def global_reasons() -> list[str]:
    """Why a call of any module may compute something else."""
    hooks = [*torch_module._global_forward_hooks.values(), *torch_module._global_forward_pre_hooks.values()]
    return ["forward hooks for all modules are registered, which may change what they compute; remove them first"] * bool(hooks)


def patched_methods(kind: type) -> list[str]:
    """Methods of a library's class that were not written in the file of the class that has them."""
    found = []
    for base in kind.__mro__:
        for name, value in vars(base).items():
            method = value.__func__ if isinstance(value, staticmethod | classmethod) else value
            if base is nn.Module and name not in CALLS:
                continue
            written = isinstance(method, FunctionType) and method.__globals__.get("__name__") == base.__module__
            if not written and (isinstance(method, FunctionType) or name in ("forward", *CALLS)):
                found.append(name)
    return sorted(set(found))


def settled(module: nn.Module) -> Any:
    """The module, or a copy whose weights are those that its next call sets: pruned, or divided by a norm."""
    hooks = [hook for hook in module._forward_pre_hooks.values() if _is_known(hook)]
    if not hooks:
        return module
    module = copy.copy(module)
    with torch.no_grad():
        for hook in hooks:
            hook(module, ())
    return module


def _is_known(hook: Any) -> bool:
    """Whether a forward pre-hook does nothing but set a parameter of its module, from the module's other parameters."""
    if isinstance(hook, BasePruningMethod):
        own = (type(hook).__call__, type(hook).apply_mask) == (BasePruningMethod.__call__, BasePruningMethod.apply_mask)
        return own and not {"__call__", "apply_mask"} & set(vars(hook))
    return type(hook) in (WeightNorm, SpectralNorm) and "compute_weight" not in vars(hook)


class _RandomOperations(TorchDispatchMode):
    """Notes whether an operation of torch draws random numbers, from any generator."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen |= torch.Tag.nondeterministic_seeded in func.tags
        return func(*args, **(kwargs or {}))


def _other_generators() -> tuple[object, ...]:
    """The states of the generators that Python and numpy share among all who ask."""
    drawn = np.random.get_state(legacy=False)
    return random.getstate(), bytes(drawn["state"]["key"]), drawn["state"]["pos"], drawn["has_gauss"]


def read_attribute(module: Any, name: str) -> torch.Tensor | None:
    """An attribute of a module, a tensor or None. Unreadable: it is neither, or the code that computes it fails or is random."""
    before, operations = _other_generators(), _RandomOperations()
    try:
        with torch.no_grad(), operations:
            value, *others = (getattr(module, name) for _ in range(READS))
    except Exception as error:
        # A parametrization is a user's own code and may fail in any way.
        raise Unreadable(f"{name} cannot be computed: {type(error).__name__}: {brief(error)}") from None
    if value is None:
        return None
    check_tensor(name, value)
    if operations.seen or _other_generators() != before:
        raise Unreadable(f"{name} is computed with random numbers; allowed: numbers that stay")
    if any(other is not value and not torch.equal(other, value) for other in others):
        raise Unreadable(f"{name} is computed and differs from call to call; allowed: numbers that stay")
    return value


def check_tensor(name: str, value: Any) -> None:
    """Unreadable: not a tensor of finite real numbers that lie there as such."""
    if type(value) not in (torch.Tensor, nn.Parameter, nn.Buffer):
        raise Unreadable(f"{name} is a {type(value).__name__}; allowed: torch.Tensor, nn.Parameter")
    if value.device.type == "meta":
        raise Unreadable(f"{name} is on the device meta, without values; allowed: a tensor that has some")
    if value.layout is not torch.strided:
        raise Unreadable(f"{name} has the layout {value.layout}; allowed: torch.strided")
    if value.dtype not in REAL:
        raise Unreadable(f"{name} of type {value.dtype}; allowed: float32 or float64")
    bad = (~torch.isfinite(value)).nonzero()
    if len(bad):
        place = tuple(bad[0].tolist())
        at = f" at {list(place)}" if place else ""
        raise Unreadable(f"{name} is {value[place].item()}{at}; allowed: finite numbers")


def array(tensor: torch.Tensor) -> np.ndarray:
    """The same numbers in float64, which holds those of float32 exactly."""
    return tensor.detach().cpu().to(torch.float64).numpy()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def pair(value: Any) -> tuple[int, int]:
    """(rows, columns) of a size as torch takes it."""
    sizes = (value,) if isinstance(value, int) else tuple(value)
    if len(sizes) not in (1, 2) or not all(isinstance(size, int) for size in sizes):
        raise Unreadable(f"size {value!r}; allowed: one whole number, or two")
    return (sizes[0], sizes[-1])
