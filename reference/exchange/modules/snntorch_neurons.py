"""Reading snnTorch's Leaky: the neuron that a built one is, which its arguments and its checkpoint need not show.

What counts is what `Leaky.forward` uses: the function in `state_function`, chosen when the neuron was built; `reset_delay`; and
only without that delay the number `reset_mechanism_val`, which a checkpoint or a new `reset_mechanism` may change.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import torch

from duospike.reference.exchange.axes import along_neurons, of_channels
from duospike.reference.exchange.elements import Neurons
from duospike.reference.exchange.refusal import not_in_hardware, placed

from .module_calls import Unreadable, array, check_tensor, read_attribute

KINDS = {"_base_sub": "subtract_delayed", "_base_zero": "zero", "_base_int": "none"}
"""Reset of each state function by itself."""


def read_leaky(where: str, module: Any, shape: tuple[int, ...] | None) -> tuple[Neurons, list[str]]:
    """The neurons of a snntorch.Leaky and why they cannot be integers. Unreadable: their numbers cannot be read, or do not fit.

    shape: of the currents, without the batch, if it is known.
    """
    values = {name: _numbers(module, name) for name in ("threshold", "beta", "graded_spikes_factor")}
    reset, why = _reset(module)
    reasons = [placed(where, reason) for reason in (*why, *_reasons(module, values))]
    each = aligned(values, shape)
    betas = tuple(Fraction(beta) for beta in np.clip(each["beta"], 0, 1).reshape(-1).tolist())
    betas = betas[:1] if len(set(betas)) == 1 else betas
    return Neurons(where, reset, betas, each["threshold"], double_reset=reset == "subtract"), reasons


def aligned(values: dict[str, np.ndarray], shape: tuple[int, ...] | None) -> dict[str, np.ndarray]:
    """A number [] or one for each output [O] of each array. Unreadable: the arrays that are more than that.

    Where the currents' shape is not known, which has its own reason, arrays of several values give none.
    """
    if shape is None:
        if any(one.size > 1 for one in values.values()):
            raise Unreadable
        return {name: one.reshape(()) for name, one in values.items()}
    found = {name: per_output(one, shape) for name, one in values.items()}
    currents = f"currents of shape [batch, {', '.join(map(str, shape))}]"
    wrong = [
        f"{name} of shape {list(values[name].shape)}, which meets {currents} at the last axis; "
        "allowed: one value, or the same one all over a channel"
        for name, one in found.items()
        if one is None
    ]
    if wrong:
        raise Unreadable(*wrong)
    return {name: one for name, one in found.items() if one is not None}


def per_output(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """One value for each output [O] of an array that torch aligns with currents [N, *shape] at the last axis.

    shape: [O] or [O, H, W]. None if the array would stretch the currents or add an axis, or differs within a channel.
    """
    laid = along_neurons(values, shape) if values.ndim <= len(shape) + 1 else None
    return None if laid is None else of_channels(laid)


def _numbers(module: Any, name: str) -> np.ndarray:
    tensor = read_attribute(module, name)
    if tensor is None or not tensor.numel():
        raise Unreadable(f"{name} is empty; allowed: one number, or one for each output")
    return array(tensor)


def _reset(module: Any) -> tuple[str, list[str]]:
    """The reset that the neuron computes, and why it is none that the hardware has.

    Without the delay and with the number of "zero" the potential of a neuron that spikes is 0 before the next timestep, so that
    no state function, each of which resets neurons still above the threshold, has anything left to reset.
    """
    import snntorch

    function = getattr(module.state_function, "__func__", None)
    methods = {getattr(snntorch.Leaky, name): name for name in ("_base_sub", "_base_zero", "_base_int")}
    if function not in methods or module.state_function.__self__ is not module:
        return "zero", ["state_function is not its own, as in a shallow copy; allowed: neurons built by snntorch.Leaky(...)"]
    name = methods[function]
    check_tensor("reset_mechanism_val", module.reset_mechanism_val)
    if module.reset_mechanism_val.numel() != 1:
        return "zero", [f"reset_mechanism_val of shape {list(module.reset_mechanism_val.shape)}; allowed: one number"]
    number = module.reset_mechanism_val.item()
    if not module.reset_delay and number == 1:
        return "zero", []
    if not module.reset_delay and number == 0:
        mixed = f"built with another reset than 'subtract', and reset_mechanism_val 0 with reset_delay=False ({name})"
        return "subtract", [] if name == "_base_sub" else [f"{mixed}; build it anew with reset_mechanism='subtract'"]
    return KINDS[name], []


def _reasons(module: Any, values: dict[str, np.ndarray]) -> list[str]:
    threshold, reasons = values["threshold"], []
    if module.inhibition:
        reasons.append(not_in_hardware("inhibition; allowed: none"))
    if module.state_quant:
        reasons.append(not_in_hardware("quantized state; allowed: none, the hardware's potential has whole steps of the weights"))
    if (values["graded_spikes_factor"] != 1).any():
        reasons.append(not_in_hardware("graded spikes; allowed: a factor of 1"))
    rounded = threshold.astype(np.float32) != threshold
    if rounded.any():
        reasons.append(f"threshold {threshold[rounded][0]:.9g} is no number of float32, in which snnTorch subtracts it")
    if (threshold < 0).any():
        reasons.append(f"threshold {threshold.min():.6g}; allowed: from 0 up, since below snnTorch resets before the first spike")
    return reasons + _spike_reasons(module.spike_grad)


def _spike_reasons(spike_grad: Any) -> list[str]:
    """Why a surrogate's forward is not the step at 0. Those of snnTorch are known, and tried at all magnitudes."""
    import snntorch
    from snntorch import surrogate

    of_library = getattr(spike_grad, "__globals__", None) is vars(surrogate)
    allowed = (
        "allowed: those of snntorch.surrogate, which differ in training alone, so set it before the import: "
        "neuron.spike_grad = snntorch.surrogate.atan()"
    )
    if not of_library and spike_grad is not snntorch.SpikingNeuron._surrogate_bypass:
        return [f"spike_grad is not snnTorch's, and its spikes are not known; {allowed}"]
    points = 2.0 ** torch.arange(-126, 128)
    points = torch.cat([points, -points, torch.zeros(1)])
    try:
        with torch.no_grad():
            is_step = torch.equal(spike_grad(points), (points > 0).float())
    except Exception as error:
        return [f"spike_grad fails: {type(error).__name__}; {allowed}"]
    return [] if is_step else [f"spike_grad is no step at the threshold; {allowed}"]
