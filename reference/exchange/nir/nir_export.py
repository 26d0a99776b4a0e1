"""Writing networks as NIR graphs: those of which NIR holds every spike.

NIR's neurons reset to a value and compute in real numbers. So a network can be written if its neurons reset to zero, and if no
floor of its leaks ever decides a spike in another way than the real numbers do; `compare` proves that. For beta = 1/2^k, and for
any beta with two timesteps, flooring at each timestep is flooring once, and a threshold just below the next whole number
compares as that floor does.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, ManyReasons
from duospike.reference.exchange.equivalence import IntegerNeuron, RealNeuron, Verdict, compare, smallest_factor
from duospike.reference.files import write_atomically
from duospike.reference.network import Conv, Linear, Network, Pool

from .nir_file import INSTALL
from .nir_values import MAX_MAGNITUDE

FLOAT_BITS = 53


def to_nir(network: Network, dt: float) -> Any:
    """The NIRGraph of a network in timesteps of `dt`, which its metadata name, together with T, the classes and the coding.

    Numbers are the integers themselves, in float64; what is fed in are integer pixels, or spikes. A pool becomes a SumPool2d
    with a Threshold.
    InputError with all reasons where NIR cannot hold the network; nir is not installed; dt is not above 0, or not finite.
    """
    try:
        import nir
    except ModuleNotFoundError:
        raise InputError(f"the package nir is not installed: {INSTALL}") from None
    if not 1 / MAX_MAGNITUDE <= dt <= MAX_MAGNITUDE:
        raise InputError(f"dt {dt}; allowed: above 0, from 1e-50 to 1e50")
    reasons = [why for layer in network.layers if not isinstance(layer, Pool) for why in _reasons(layer, network.timesteps)]
    if network.readout != "count":
        reasons.append(f"read-out {network.readout}; NIR says nothing of it, so allowed: count")
    if network.coding == "rate":
        reasons.append("rate coding draws its spikes in the hardware; allowed: direct, events, frames")
    if len(reasons) > 1:
        raise ManyReasons("NIR cannot hold the network", reasons)
    if reasons:
        raise InputError(f"NIR cannot hold the network: {reasons[0]}")
    nodes: dict[str, Any] = {"input": nir.Input(np.array(network.input_shape))}
    for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
        if isinstance(layer, Pool):
            nodes[layer.name] = nir.SumPool2d(*map(np.array, (layer.kernel, layer.stride, layer.padding)))
            if layer.op == "or":
                nodes[f"{layer.name}_or"] = nir.Threshold(np.full(after, 0.5))
            continue
        if isinstance(layer, Linear) and "flatten" not in nodes:
            nodes["flatten"] = nir.Flatten({"input": np.array(before)}, 0, -1)
        nodes[layer.name] = _weights(nir, layer, before)
        if isinstance(layer, Conv) and layer.current_pool:
            kernel = np.array(layer.current_pool.kernel)
            nodes[f"{layer.name}_pool"] = nir.SumPool2d(kernel, kernel, np.array([0, 0]))
        nodes[f"{layer.name}_neurons"] = _neurons(nir, layer, after, network.timesteps, dt)
    nodes["output"] = nir.Output(np.array(network.shapes[-1][:1]))
    names = list(nodes)
    metadata = {
        "dt": dt,
        "timesteps": network.timesteps,
        "classes": network.classes,
        "coding": network.coding,
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
    }
    return nir.NIRGraph(nodes, list(zip(names, names[1:], strict=False)), {key: str(value) for key, value in metadata.items()})


def write_graph(graph: Any, path: Path | str) -> None:
    """Write a graph to a file, whole or not at all. InputError: it cannot be written."""
    import nir

    data = io.BytesIO()
    nir.write(data, graph)
    write_atomically(path, data.getvalue())


def _reasons(layer: Conv | Linear, timesteps: int) -> list[str]:
    if isinstance(layer, Conv) and layer.current_pool and layer.current_pool.op == "max":
        return [f"layer {layer.name}: the largest of its currents; NIR's poolings are sums and averages"]
    if isinstance(layer.neuron.multiplier, tuple):
        return [f"layer {layer.name}: a leak for each channel; allowed: one for all"]
    if layer.neuron.multiplier and layer.neuron.reset != "zero" and timesteps > 1:
        return [f"layer {layer.name}: reset {layer.neuron.reset}; NIR's neurons have zero"]
    if layer.neuron.reset == "subtract_delayed" and timesteps > 1:
        return [f"layer {layer.name}: reset subtract_delayed; NIR's neurons have zero"]
    wrong = [output for output in range(layer.outputs) if not _holds(layer, output, timesteps)]
    if wrong:
        beta = f"{layer.neuron.multiplier}/{2**layer.neuron.shift}"
        return [
            f"layer {layer.name}: {len(wrong)} of {layer.outputs} outputs, the first is {wrong[0]}: the floor of the leak {beta} "
            "may decide a spike, and NIR's leak has none"
        ]
    return []


def _holds(layer: Conv | Linear, output: int, timesteps: int) -> bool:
    """Whether real numbers give the same spikes as the integers of one output, with the threshold that is written."""
    weights = layer.weights[output].ravel()
    factor = int(np.gcd.reduce(weights)) or 1
    needed = smallest_factor(layer.neuron, timesteps)
    if weights.any() and factor % needed:
        return False
    bias, theta = int(layer.bias[output]) * layer.summed, int(layer.theta[output])
    written = Fraction(float(_threshold(layer, timesteps)[output]))
    real = RealNeuron(Fraction(bias, factor), written / factor, (Fraction(0),) * timesteps, silent=not weights.any())
    return compare(real, IntegerNeuron(factor, bias, theta), layer.neuron, timesteps) is Verdict.SAME


def _threshold(layer: Conv | Linear, timesteps: int) -> np.ndarray:
    """theta, or where a leak floors what lies between the next whole number and the largest potential below it."""
    if not layer.neuron.multiplier or not layer.neuron.shift:
        return layer.theta.astype(np.float64)
    return layer.theta + 1 - 0.5 ** min(layer.neuron.shift * (timesteps - 1) + 1, FLOAT_BITS)


def _weights(nir: Any, layer: Conv | Linear, before: tuple[int, int, int]) -> Any:
    weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
    if isinstance(layer, Linear):
        return nir.Affine(weights, bias)
    return nir.Conv2d(before[1:], weights, layer.stride, layer.padding, 1, 1, bias)


def _neurons(nir: Any, layer: Conv | Linear, after: tuple[int, int, int], timesteps: int, dt: float) -> Any:
    shape = after if isinstance(layer, Conv) else after[:1]
    threshold = np.broadcast_to(_threshold(layer, timesteps).reshape(-1, *[1] * (len(shape) - 1)), shape).copy()
    beta = layer.neuron.beta
    if layer.neuron.reset != "zero" or timesteps == 1:
        # Without a memory all resets are the same.
        beta = 0.0
    if beta == 1:
        return nir.IF(np.full(shape, 1 / dt), threshold, np.zeros(shape))
    tau = dt / (1 - beta)
    return nir.LIF(np.full(shape, tau), np.full(shape, tau / dt), np.zeros(shape), threshold, np.zeros(shape))
