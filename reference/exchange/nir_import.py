"""Reading NIR graphs (Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 2024).

A graph of NIR describes neurons in continuous time; a network in timesteps takes forward Euler steps of dt:

    LIF  tau*dv/dt = v_leak - v + r*I    v_t = (1 - dt/tau)*v_(t-1) + (dt/tau)*r*I_t
    IF   dv/dt = r*I                     v_t = v_(t-1) + dt*r*I_t

and after a spike v is v_reset, which is the reset to zero. snnTorch writes any of its resets as that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..network import LEAK_SHIFTS
from .source import (
    FLOAT32,
    FLOAT64,
    Flatten,
    Interface,
    MaxPool,
    Neurons,
    Part,
    Source,
    Weighted,
    assemble,
    convolution_reasons,
)

NOT_INSTALLED = "the package nir is not installed: pip install -e '.[nir]'"
ALLOWED = "Conv2d, Linear, Affine, LIF, IF, Threshold, Flatten, SumPool2d before a Threshold"
NEAR = 8
"""Roundings that a fraction written into a graph may have gone through."""


def read_graph(path: Path | str) -> Any:
    """The NIRGraph of a file. InputError: nir is not installed, no such file, or not a graph."""
    try:
        import nir
    except ModuleNotFoundError:
        raise InputError(NOT_INSTALLED) from None
    if not Path(path).is_file():
        raise InputError(f"{path}: not found")
    try:
        # The types are checked here, layer by layer: snnTorch writes parameters without a shape, which NIR's own check refuses.
        graph = nir.read(str(path), type_check=False)
    except Exception as error:  # neither nir nor h5py has a common exception for the many ways in which a file can be damaged
        raise InputError(f"{path}: not a NIR graph ({type(error).__name__})") from None
    if not isinstance(graph, nir.NIRGraph):
        raise InputError(f"{path}: holds a {type(graph).__name__}; needs a NIRGraph")
    return graph


def input_shape_of(graph: Any) -> tuple[int, ...] | None:
    """The shape that the graph's one Input tells, else None."""
    shapes = [node.input_type["input"] for node in graph.nodes.values() if type(node).__name__ == "Input"]
    return None if len(shapes) != 1 or shapes[0] is None else tuple(int(size) for size in shapes[0])


def from_nir(graph: Any, interface: Interface, *, dt: float, reset: str = "zero") -> Source:
    """The source that a graph is in timesteps of `dt` seconds, in real numbers.

    dt: in the unit of the graph's time constants. reset: the kind, where the graph was written for another than NIR's own.
    What cannot be read is in the source's `reasons`. InputError: dt is not above 0.
    """
    if not dt > 0:
        raise InputError(f"dt {dt}; allowed: above 0")
    reader = _Reader(dt, reset)
    nodes = list(_chain(graph, reader.reasons))
    shape = input_shape_of(graph)
    if shape is not None and shape != interface.input_shape:
        reader.reasons.append(f"the graph's input has shape {shape}, and {interface.input_shape} was asked for")
    reader.read(nodes)
    return assemble(reader.parts, reader.reasons, interface, Fraction(0))


def _chain(graph: Any, reasons: list[str]) -> Iterator[tuple[str, Any]]:
    """Nodes from the input to the output. Where they are no chain, that is a reason, and they come in the graph's order."""
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for start, end in graph.edges:
        if start not in after or end not in after:
            reasons.append(f"edge from {start} to {end}: leads to no node")
            continue
        after[start].append(end)
        before[end].append(start)
    starts = [name for name in graph.nodes if not before[name]]
    order, name = [], starts[0] if len(starts) == 1 else None
    while name is not None and name not in order:
        order.append(name)
        name = after[name][0] if len(after[name]) == 1 else None
    if len(order) != len(graph.nodes) or any(len(ends) > 1 for ends in (*after.values(), *before.values())):
        reasons.append("the graph branches, joins or loops; allowed: one chain of nodes")
        order = list(graph.nodes)
    for name in order:
        if type(graph.nodes[name]).__name__ not in ("Input", "Output"):
            yield name, graph.nodes[name]


class _Reader:
    """Turns nodes into parts, and notes what it cannot."""

    def __init__(self, dt: float, reset: str):
        self.dt, self.reset = dt, reset
        self.parts: list[Part] = []
        self.reasons: list[str] = []
        self.readers: dict[str, Callable[[str, Any], None]] = {
            "Conv2d": self.conv,
            "Linear": self.linear,
            "Affine": self.linear,
            "LIF": self.lif,
            "IF": self.integrate,
            "Threshold": self.threshold,
            "Flatten": self.flatten,
        }

    def read(self, nodes: list[tuple[str, Any]]) -> None:
        position = 0
        while position < len(nodes):
            name, node = nodes[position]
            kind = type(node).__name__
            where = f"{name} {kind}"
            if kind == "SumPool2d":
                following = nodes[position + 1][1] if position + 1 < len(nodes) else None
                position += self.pool(where, node, following)
            elif kind in self.readers:
                self.readers[kind](where, node)
            else:
                self.reasons.append(f"{where}: unknown; allowed: {ALLOWED}")
            position += 1

    def conv(self, where: str, node: Any) -> None:
        weights = _array(node.weight)
        padding = node.padding.decode() if isinstance(node.padding, bytes) else node.padding
        if not isinstance(padding, str):
            padding = _pair(padding)
        found = convolution_reasons(
            where, weights, stride=_pair(node.stride), padding=padding, dilation=_pair(node.dilation), groups=int(node.groups)
        )
        self.reasons += found
        self.parts.append(Weighted(where, weights, _array(node.bias), fits=not found))

    def linear(self, where: str, node: Any) -> None:
        weights = _array(node.weight)
        if weights.ndim != 2:
            self.reasons.append(f"{where}: weights of shape {weights.shape}; allowed: [outputs, inputs]")
            return
        bias = _array(node.bias) if hasattr(node, "bias") else np.zeros(len(weights))
        self.parts.append(Weighted(where, weights, bias))

    def flatten(self, where: str, node: Any) -> None:
        if (int(node.start_dim), int(node.end_dim)) not in ((0, -1), (0, 2)):
            self.reasons.append(f"{where}: dimensions {node.start_dim} to {node.end_dim}; allowed: 0 to -1, all of them")
        self.parts.append(Flatten(where))

    def pool(self, where: str, node: Any, following: Any) -> int:
        """A sum of spikes that a threshold compares is their OR. Returns how many of the nodes after it belong to it."""
        sizes = {"window": (node.kernel_size, 2), "stride": (node.stride, 2), "padding": (node.padding, 0)}
        for what, (size, allowed) in sizes.items():
            if _pair(size) != (allowed, allowed):
                self.reasons.append(f"{where}: {what} {_pair(size)}; allowed: {allowed}x{allowed}")
        compared = type(following).__name__ == "Threshold"
        if not compared or not ((_array(following.threshold) >= 0) & (_array(following.threshold) < 1)).all():
            self.reasons.append(f"{where}: sums of spikes; allowed: before a Threshold from 0 to below 1, which makes them an OR")
        self.parts.append(MaxPool(where))
        return int(compared)

    def lif(self, where: str, node: Any) -> None:
        tau, resistance = _array(node.tau), _array(node.r)
        if not (np.isfinite(tau).all() and (tau > 0).all()):
            self.reasons.append(f"{where}: tau {tau.min():.6g}; allowed: above 0")
            return
        share = self.dt / tau
        if (share.reshape(-1) != share.reshape(-1)[0]).any():
            self.reasons.append(f"{where}: several values of tau; allowed: one a layer")
        if (_array(node.v_leak) != 0).any():
            self.reasons.append(f"{where}: v_leak is not 0; allowed: 0")
        if share.max() > 1:
            self.reasons.append(f"{where}: tau {tau.min():.6g} is shorter than dt {self.dt:.6g}, which Euler steps cannot follow")
        beta = near_fraction(1 - float(share.reshape(-1)[0]), _rounding(node.tau))
        self.neurons(where, node, beta, near_one(share * resistance, _rounding(node.tau)))

    def integrate(self, where: str, node: Any) -> None:
        self.neurons(where, node, Fraction(1), near_one(self.dt * _array(node.r), _rounding(node.r)))

    def neurons(self, where: str, node: Any, beta: Fraction, gain: np.ndarray) -> None:
        if node.v_reset is not None and (_array(node.v_reset) != 0).any():
            self.reasons.append(f"{where}: v_reset is not 0; allowed: 0")
        self.parts.append(
            Neurons(
                where,
                self.reset,
                beta,
                self.each_output(where, "threshold", _array(node.v_threshold)),
                gain=self.each_output(where, "r", gain),
            )
        )

    def threshold(self, where: str, node: Any) -> None:
        """Neurons without a memory."""
        self.parts.append(Neurons(where, "zero", Fraction(0), self.each_output(where, "threshold", _array(node.threshold))))

    def each_output(self, where: str, what: str, values: np.ndarray) -> np.ndarray:
        """A number, or one for each output, of an array over neurons."""
        if (values.reshape(-1) == values.reshape(-1)[0]).all():
            return values.reshape(-1)[0].reshape(())
        flat = values.reshape(len(values), -1)
        if (flat != flat[:, :1]).any():
            self.reasons.append(f"{where}: several values of {what} within a channel; allowed: one")
        return flat[:, 0]


def near_fraction(value: float, rounding: Fraction) -> Fraction:
    """The m/2^k of smallest k that a value stands for, up to a few roundings of 1 - value; else the value itself."""
    for shift in LEAK_SHIFTS:
        near = Fraction(round(value * 2**shift), 2**shift)
        if abs(Fraction(value) - near) <= NEAR * (rounding * abs(1 - near) + FLOAT64):
            return near
    return Fraction(value)


def near_one(values: np.ndarray, rounding: Fraction) -> np.ndarray:
    """The values, those that are 1 but for a few roundings set to 1."""
    return np.where(np.abs(values - 1) <= float(NEAR * rounding), 1.0, values)


def _rounding(values: Any) -> Fraction:
    return FLOAT32 if np.asarray(values).dtype == np.float32 else FLOAT64


def _array(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def _pair(value: Any) -> tuple[int, int]:
    pair = np.broadcast_to(np.asarray(value), (2,))
    return int(pair[0]), int(pair[1])
