"""Reading NIR graphs (Pedersen et al., "Neuromorphic intermediate representation", Nature Communications 2024).

A graph of NIR describes neurons in continuous time; a network in timesteps takes forward Euler steps of dt:

    LIF  tau*dv/dt = v_leak - v + r*I    v_t = (1 - dt/tau)*v_(t-1) + (dt/tau)*r*I_t
    IF   dv/dt = r*I                     v_t = v_(t-1) + dt*r*I_t

and after a spike v is v_reset, which is the reset to zero. snnTorch writes any of its resets as that one. NIR's neurons spike
where v > threshold; some programs' neurons do where v >= threshold, and write the same graph.

Parameters of neurons are arrays, laid along the neurons [C, H, W] or [N] as numpy broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, name_text
from duospike.reference.exchange.builder import Builder
from duospike.reference.exchange.elements import (
    Flatten,
    Neurons,
    Pooling,
    Unread,
    Weighted,
    convolution,
    pooling_reasons,
)
from duospike.reference.exchange.refusal import by_option, not_in_hardware, placed
from duospike.reference.exchange.source import FLOAT64, NO_SHAPE, Interface, Source
from duospike.reference.network import Size

from .nir_graph import Graph, Node, chain, graph_of, input_shape_of, kinds_of, shape_of
from .nir_values import (
    MAX_MAGNITUDE,
    UnfitError,
    collected,
    fitting,
    near_fraction,
    near_gain,
    numbers,
    per_output,
    rounding_of,
    whole,
)

UNKNOWN = "unknown; allowed: Conv2d, Linear, Affine, LIF, IF, Threshold, LI, I, Flatten, SumPool2d, AvgPool2d"


def from_nir(graph: Any, interface: Interface, *, dt: float, reset: str = "zero", inclusive: bool = False) -> Source:
    """The source that a graph is in timesteps of `dt` seconds.

    graph: of nir_process.read_graph, or a nir.NIRGraph. dt: in the unit of the graph's time constants. reset: where the
    graph was written for another one than NIR's own. inclusive: neurons spike at their threshold, too, and not only above it.
    The source rounds as the coarsest float type of the graph's arrays does.
    What cannot be read is in the source's `reasons`. InputError: dt is not above 0, or not finite.
    """
    if not 1 / MAX_MAGNITUDE <= dt <= MAX_MAGNITUDE:
        raise InputError(f"dt {dt}; allowed: above 0, from 1e-50 to 1e50")
    graph = graph if isinstance(graph, Graph) else graph_of(graph)
    reader = _Reader(interface, Fraction(dt), reset, inclusive)
    reader.take_timesteps()
    reader.take_image_shape(input_shape_of(graph))
    nodes = chain(graph, reader.reasons)
    if nodes is None:
        read = ("Input", "Output", *reader.readers)
        unknown = [(name, kind) for name, kind in kinds_of(graph) if kind not in read]
        reader.reasons += [placed(f"{name_text(name)} {name_text(kind)}", not_in_hardware(UNKNOWN)) for name, kind in unknown]
        return Source(reader.builder.interface, (), tuple(reader.reasons), FLOAT64)
    reader.read(nodes)
    return reader.builder.finish(reader.rounding)


class _Reader:
    """Turns nodes into elements of a source, and notes what it cannot read.

    batched: whether shapes in the graph begin with a batch of 1. summed: a SumPool2d, of which the next node decides what it is.
    """

    def __init__(self, interface: Interface, dt: Fraction, reset: str, inclusive: bool):
        self.dt, self.reset, self.inclusive = dt, reset, inclusive
        self.reasons: list[str] = []
        self.builder = Builder(interface, self.reasons)
        self.rounding, self.batched = FLOAT64, False
        self.summed: Pooling | None = None
        self.readers: dict[str, Callable[[str, Node], None]] = {
            "Conv2d": self.conv,
            "Linear": self.linear,
            "Affine": self.linear,
            "LIF": self.lif,
            "IF": self.integrate,
            "Threshold": self.threshold,
            "LI": self.leaky_integrator,
            "I": self.integrator,
            "Flatten": self.flatten,
            "SumPool2d": self.sum,
            "AvgPool2d": self.average,
        }

    def take_timesteps(self) -> None:
        """Note that they are missing, where they are."""
        if not self.builder.interface.timesteps:
            self.reasons.append(by_option("the graph does not say how many timesteps there are", "--timesteps"))
            self.builder.interface = replace(self.builder.interface, timesteps=1)

    def take_image_shape(self, declared: Any) -> None:
        """Take the shape that the graph's input says, or compare it with the one asked for."""
        shape, wanted = None if declared is None else shape_of(declared), self.builder.interface.input_shape
        missing = wanted == NO_SHAPE
        if missing and shape is not None and len(shape) in (3, 4) and shape[: len(shape) - 3] in ((), (1,)):
            wanted = (shape[-3], shape[-2], shape[-1])
            self.builder.shape, self.builder.interface = wanted, replace(self.builder.interface, input_shape=wanted)
        elif missing:
            self.reasons.append(by_option("the graph does not say the shape of an image, channels, height and width", "--input"))
            self.builder.interface = replace(self.builder.interface, input_shape=(1, 1, 1))
            return
        if declared is None:
            return
        self.batched = shape == (1, *wanted)
        if shape is None:
            self.reasons.append("the graph's input has a shape that is no list of sizes from 1 up")
        elif shape != wanted and not self.batched:
            self.reasons.append(by_option(f"the graph's input has shape {shape}, and {wanted} was asked for", "--input"))
            # What follows is checked against what the graph itself says.
            self.builder.shape = shape if len(shape) == 3 else None

    def read(self, nodes: list[tuple[str, Node]]) -> None:
        """Read nodes in order. Of those that cannot be read all reasons are noted."""
        for name, node in nodes:
            where = f"{name_text(name)} {name_text(node.kind)}"
            if node.kind != "Threshold":
                self.end_sum()
            try:
                if node.kind not in self.readers:
                    raise UnfitError([not_in_hardware(UNKNOWN)])
                self.readers[node.kind](where, node)
            except UnfitError as unfit:
                self.reasons += [placed(where, reason) for reason in unfit.reasons]
                self.builder.add(Unread(where))
        self.end_sum()

    def end_sum(self) -> None:
        """Add a sum of spikes that no threshold compares."""
        if self.summed:
            self.pooling(self.summed)
        self.summed = None

    def numbers(self, node: Node, *names: str) -> list[np.ndarray]:
        values = numbers(node, *names)
        self.rounding = max(self.rounding, rounding_of(node, *names))
        return values

    def conv(self, where: str, node: Node) -> None:
        (weights, bias), stride, dilation, groups, padding = collected(
            [
                partial(self.numbers, node, "weight", "bias"),
                partial(whole, node, "stride", 2),
                partial(whole, node, "dilation", 2),
                partial(whole, node, "groups", 1),
                partial(_padding, node),
            ]
        )
        if weights.ndim != 4 or bias.shape != weights.shape[:1]:
            shapes = f"weight of shape {weights.shape} and bias of {bias.shape}"
            raise UnfitError([f"{shapes}; allowed: [O, C, rows, columns] and [O]"])
        full, edge, found = convolution(where, weights, stride=stride, padding=padding, dilation=dilation, groups=groups[0])
        self.reasons += found + self.shape_reasons(where, node, "input_shape", slice(1, None))
        self.builder.add(Weighted(where, full, bias, fits=not found, stride=stride, padding=edge))

    def shape_reasons(self, where: str, node: Node, name: str, part: slice) -> list[str]:
        """Why the shape that a node declares for its input is wrong, if it declares one. part: the sizes that it gives."""
        declared, shape = node.values.get(name), self.builder.shape
        if declared is None or shape is None:
            return []
        wanted = shape[part]
        found = shape_of(np.broadcast_to(declared, len(wanted)) if np.ndim(declared) == 0 else declared)
        if found == wanted or (self.batched and found == (1, *wanted)):
            return []
        return [f"{where}: says that its input has shape {found or 'of another kind'}, it has {wanted}"]

    def linear(self, where: str, node: Node) -> None:
        names = ("weight", "bias") if node.kind == "Affine" else ("weight",)
        weights, *rest = self.numbers(node, *names)
        if weights.ndim != 2:
            raise UnfitError([f"weight of shape {weights.shape}; allowed: [outputs, inputs]"])
        bias = per_output("bias", rest[0], weights.shape[:1]) if rest else np.zeros(())
        self.builder.add(Weighted(where, weights, np.broadcast_to(bias, weights.shape[:1])))

    def flatten(self, where: str, node: Node) -> None:
        start, end = _dimension(node, "start_dim", 1), _dimension(node, "end_dim", -1)
        shape = self.builder.shape
        if shape is not None:
            declared = shape_of(node.values.get("input_type"))
            lead = int(declared == (1, *shape) or (declared is None and self.batched))
            if declared is not None and declared not in (shape, (1, *shape)):
                self.reasons.append(f"{where}: says that its input has shape {declared}, it has {shape}")
            elif start not in range(lead + 1) or end not in (-1, len(shape) + lead - 1):
                raise UnfitError([f"dimensions {start} to {end} of {declared or shape}; allowed: {lead} to -1, all of them"])
        self.builder.add(Flatten(where))

    def sum(self, where: str, node: Node) -> None:
        """A sum of spikes that a threshold compares is their OR; else the next layer takes it. One of currents is a sum."""
        if self.builder.open:
            self.pooling(self.window(where, node, lambda kernel: 1))
        else:
            self.summed = self.window(where, node, lambda kernel: 1)

    def average(self, where: str, node: Node) -> None:
        self.pooling(self.window(where, node, lambda kernel: kernel[0] * kernel[1]))

    def window(self, where: str, node: Node, divisor: Callable[[Size], int]) -> Pooling:
        kernel, stride, padding = collected([partial(whole, node, name, 2) for name in ("kernel_size", "stride", "padding")])
        return Pooling(where, "sum", kernel, stride, padding, divisor(kernel))

    def pooling(self, pool: Pooling) -> None:
        """Add a pooling, or note why the hardware has none like it."""
        reasons = pooling_reasons(pool, self.builder.shape)
        self.reasons += reasons
        self.builder.add(Unread(pool.where) if reasons else pool)

    def lif(self, where: str, node: Node) -> None:
        self.leaky(where, node, self.parameters(node, "tau", "r", "v_leak", "v_threshold"))

    def leaky_integrator(self, where: str, node: Node) -> None:
        """Without spikes: the potential is read."""
        self.leaky(where, node, self.parameters(node, "tau", "r", "v_leak"))

    def leaky(self, where: str, node: Node, values: dict[str, np.ndarray]) -> None:
        tau = values["tau"]
        if not (tau > 0).all():
            raise UnfitError([f"tau {tau.min():.6g}; allowed: above 0"])
        if (tau < float(self.dt)).any() and min(self.beta_of(value, node) for value in set(tau.reshape(-1).tolist())) < 0:
            reason = f"tau {tau.min():.6g} is shorter than dt {float(self.dt):.6g}, which Euler steps cannot follow"
            raise UnfitError([by_option(reason, "--dt")])
        rounding = rounding_of(node, "tau", "r")
        self.neurons(where, values, lambda tau: self.beta_of(tau, node), lambda r, beta: near_gain((1 - beta) * r, rounding))

    def beta_of(self, tau: float, node: Node) -> Fraction:
        """What a potential keeps of itself in a timestep."""
        return near_fraction(1 - self.dt / Fraction(tau), rounding_of(node, "tau"))

    def integrate(self, where: str, node: Node) -> None:
        self.keeping(where, node, self.parameters(node, "r", "v_threshold"))

    def integrator(self, where: str, node: Node) -> None:
        """Without spikes: the potential is read."""
        self.keeping(where, node, self.parameters(node, "r"))

    def keeping(self, where: str, node: Node, values: dict[str, np.ndarray]) -> None:
        rounding = rounding_of(node, "r")
        self.neurons(where, values, lambda tau: Fraction(1), lambda r, beta: near_gain(self.dt * r, rounding))

    def parameters(self, node: Node, *names: str) -> dict[str, np.ndarray]:
        """Numbers of neurons by name; v_reset only where the node has one, as NIR has it for those that spike."""
        names += () if node.values.get("v_reset") is None or "v_threshold" not in names else ("v_reset",)
        return dict(zip(names, self.numbers(node, *names), strict=True))

    def neurons(
        self,
        where: str,
        values: dict[str, np.ndarray],
        beta_of: Callable[[float], Fraction],
        gain: Callable[[Fraction, Fraction], Fraction],
    ) -> None:
        """Neurons with a memory. values: all parameters. beta_of: the leak, of tau. gain: of the current, of r and the leak."""
        for name in ("v_leak", "v_reset"):
            if name in values and (values[name] != 0).any():
                self.reasons.append(not_in_hardware(f"{where}: {name} is not 0; allowed: 0"))
        laid = self.laid_out(where, values)
        if laid is None:
            return
        resistance, tau = np.broadcast_arrays(laid["r"], laid.get("tau", np.ones(())))
        betas = tuple(beta_of(value) for value in tau.reshape(-1).tolist())
        exact = [gain(Fraction(value), beta) for value, beta in zip(resistance.reshape(-1).tolist(), betas, strict=True)]
        factor = np.array([float(one) for one in exact]).reshape(resistance.shape)
        rounded = any(Fraction(float(one)) != one for one in exact)
        betas = betas[:1] if len(set(betas)) == 1 else betas
        if "v_threshold" in laid:
            threshold = laid["v_threshold"]
            self.builder.add(Neurons(where, self.reset, betas, threshold, factor, inclusive=self.inclusive, rounded=rounded))
        else:
            self.builder.add(Neurons(where, "none", betas, np.zeros(()), factor, rounded=rounded, fires=False))

    def laid_out(self, where: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
        """Each parameter as a number or [O], laid along the neurons.

        None for neurons without a layer, or of unknown shape with several values: these are added as far as they are known.
        """
        if not self.builder.open:
            self.builder.add(Neurons(where, self.reset, (Fraction(0),), np.zeros(())))
            return None
        shape = self.builder.shape
        if shape is None and any((one != one.reshape(-1)[0]).any() for one in values.values()):
            self.builder.add(Unread(where))
            return None
        laid = collected([partial(per_output, name, one, shape) for name, one in values.items()])
        return dict(zip(values, laid, strict=True))

    def threshold(self, where: str, node: Node) -> None:
        """Neurons without a memory; or behind a sum of spikes, what makes it their OR."""
        summed, self.summed = self.summed, None
        (values,) = self.numbers(node, "threshold")
        if not summed:
            laid = self.laid_out(where, {"threshold": values})
            if laid is not None:
                self.builder.add(Neurons(where, "zero", (Fraction(0),), laid["threshold"], inclusive=self.inclusive))
            return
        self.pooling(replace(summed, op="max"))
        if not self.builder.unread and self.builder.shape is not None:
            fitting("threshold", values, self.builder.shape)
        is_or = (values > 0) & (values <= 1) if self.inclusive else (values >= 0) & (values < 1)
        if not is_or.all():
            limits = "above 0, up to 1" if self.inclusive else "from 0 to below 1"
            reason = f"{summed.where}: sums of spikes; allowed: before a Threshold {limits}, which makes them an OR"
            self.reasons.append(not_in_hardware(reason))


def _padding(node: Node) -> str | tuple[int, ...]:
    value = node.values.get("padding")
    value = value.decode(errors="replace") if isinstance(value, bytes) else value
    if value in ("same", "valid") if isinstance(value, str) else False:
        return "same" if value == "same" else (0, 0)
    return whole(node, "padding", 2)


def _dimension(node: Node, name: str, default: int) -> int:
    return default if node.values.get(name) is None else whole(node, name, 1)[0]
