"""Random NIR graphs, legal and illegal, and a simulator of any chain of NIR's nodes, written from their definitions in numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import nir
import numpy as np

from duospike.reference.exchange.source import Interface

RESETS = ("zero", "zero", "zero", "subtract", "subtract_delayed")


@dataclass
class Case:
    """A graph, what is asked of its import, and what has been done to it."""

    graph: nir.NIRGraph
    interface: Interface
    dt: float
    reset: str
    inclusive: bool
    odd: list[str] = field(default_factory=list)


# Simulation


def walk(graph):
    """Nodes of a chain, those of nested graphs in their place, without Input and Output."""
    after = dict(graph.edges)
    name = next(name for name in graph.nodes if name not in after.values())
    while name is not None:
        node = graph.nodes[name]
        if isinstance(node, nir.NIRGraph):
            yield from walk(node)
        elif not isinstance(node, nir.Input | nir.Output):
            yield node
        name = after.get(name)


@np.vectorize
def meant(ratio):
    """The small fraction that a ratio of floats approximates: of 1e-4 to float32's 2e-4 it is 1/2; else the ratio itself."""
    near = float(Fraction(float(ratio)).limit_denominator(64))
    return near if abs(near - ratio) <= 4e-7 * abs(near) else float(ratio)


def pair(value):
    return [int(one) for one in np.broadcast_to(np.asarray(value), (2,))]


def pads_of(node):
    """Rows and columns of zeros before and behind a map, for a convolution."""
    if not isinstance(node.padding, str):
        return [(size, size) for size in pair(node.padding)]
    spans = [(size - 1) * wide for size, wide in zip(np.shape(node.weight)[2:], pair(node.dilation), strict=True)]
    return [(span // 2, span - span // 2) if node.padding == "same" else (0, 0) for span in spans]


def convolve(node, maps):
    """Cross-correlation [C, H, W] -> [O, H', W'] with any stride, padding, dilation and groups."""
    weights, groups = np.asarray(node.weight, dtype=float), int(node.groups)
    (rows, columns), (step_y, step_x), (wide_y, wide_x) = weights.shape[2:], pair(node.stride), pair(node.dilation)
    span_y, span_x = (rows - 1) * wide_y, (columns - 1) * wide_x
    padded = np.pad(maps, [(0, 0), *pads_of(node)])
    height, width = padded.shape[1] - span_y, padded.shape[2] - span_x
    out = np.zeros((len(weights), -(-height // step_y), -(-width // step_x)))
    each, inputs = len(weights) // groups, len(maps) // groups
    assert weights.shape[1] == inputs
    for o in range(len(weights)):
        group = padded[o // each * inputs : (o // each + 1) * inputs]
        for y in range(rows):
            for x in range(columns):
                part = group[:, y * wide_y : y * wide_y + height : step_y, x * wide_x : x * wide_x + width : step_x]
                out[o] += np.tensordot(weights[o, :, y, x], part, 1)
    return out + np.asarray(node.bias, dtype=float)[:, None, None]


def pooled(node, maps, divide):
    (rows, columns), (step_y, step_x), (pad_y, pad_x) = pair(node.kernel_size), pair(node.stride), pair(node.padding)
    padded = np.pad(maps, [(0, 0), (pad_y, pad_y), (pad_x, pad_x)])
    height, width = (padded.shape[1] - rows) // step_y + 1, (padded.shape[2] - columns) // step_x + 1
    out = np.zeros((len(maps), height, width))
    for y in range(height):
        for x in range(width):
            out[:, y, x] = padded[:, y * step_y : y * step_y + rows, x * step_x : x * step_x + columns].sum((1, 2))
    return out / (rows * columns) if divide else out


def laid(values, shape):
    """A parameter along neurons of a shape; a leading batch of 1 in front of it is the one that the simulator leaves out."""
    values = np.asarray(values, dtype=float)
    while values.ndim > len(shape) and len(values) == 1:
        values = values[0]
    return np.broadcast_to(values, shape)


class Simulator:
    """Runs a chain of nodes in forward Euler steps in float64.

    Of time constants, resistances and dt only ratios and products count; they are the small fractions that they approximate.
    reset: zero, or what the graph was written for.
    """

    def __init__(self, case):
        self.case, self.nodes, self.known = case, list(walk(case.graph)), {}

    def run(self, image):
        """Outputs [T, ...] of each node that spikes, in order. image: [C, H, W], or of each timestep [T, C, H, W]."""
        states, found = {}, []
        timed = self.case.interface.coding != "direct"
        for t in range(self.case.interface.timesteps):
            value, spikes = (image[t] if timed else image).astype(float), []
            for i, node in enumerate(self.nodes):
                states[i], value = self.step(node, states.get(i), value)
                if type(node).__name__ in ("LIF", "IF", "Threshold"):
                    spikes.append(value)
            found.append(spikes)
        return [np.array(one) for one in zip(*found, strict=True)]

    def step(self, node, state, value):
        kind = type(node).__name__
        if kind == "Conv2d":
            return None, convolve(node, value)
        if kind in ("Linear", "Affine"):
            assert value.ndim == 1
            product = np.asarray(node.weight, dtype=float) @ value
            return None, product + laid(node.bias, product.shape) if kind == "Affine" else product
        if kind == "Flatten":
            return None, self.flatten(node, value)
        if kind in ("SumPool2d", "AvgPool2d"):
            return None, pooled(node, value, divide=kind == "AvgPool2d")
        if kind == "Threshold":
            return None, self.above(value, laid(node.threshold, value.shape))
        assert kind in ("LIF", "IF"), kind
        return self.neurons(node, kind, state, value)

    def flatten(self, node, value):
        said = node.input_type["input"]
        batch = said is not None and len(said) == value.ndim + 1
        whole = value[None] if batch else value
        start, end = (dim % whole.ndim for dim in (int(node.start_dim), int(node.end_dim)))
        shaped = whole.reshape(*whole.shape[:start], -1, *whole.shape[end + 1 :])
        return shaped[0] if batch and start else shaped

    def above(self, value, threshold):
        return (value >= threshold if self.case.inclusive else value > threshold).astype(float)

    def coefficients(self, node, kind):
        """Factor of the current, what is added, and the factor of the potential, in the shapes of the node's parameters."""
        if id(node) not in self.known:
            resistance = np.asarray(node.r, dtype=float)
            if kind == "IF":
                self.known[id(node)] = meant(self.case.dt * resistance), 0.0, 1.0
            else:
                share = self.case.dt / np.asarray(node.tau, dtype=float)
                self.known[id(node)] = meant(share * resistance), meant(share) * node.v_leak, 1 - meant(share)
        return self.known[id(node)]

    def neurons(self, node, kind, state, value):
        gain, leak, keep = self.coefficients(node, kind)
        theta = laid(node.v_threshold, value.shape)
        v, spike = (np.zeros(value.shape), np.zeros(value.shape)) if state is None else state
        if self.case.reset == "subtract":
            v = v - theta * spike
        if self.case.reset == "zero":
            rest = np.zeros(value.shape) if node.v_reset is None else laid(node.v_reset, value.shape)
            v = np.where(spike > 0, rest, v)
        gain, leak, keep = (laid(one, value.shape) for one in (gain, leak, keep))
        v = keep * v + leak + gain * value
        if self.case.reset == "subtract_delayed":
            v = v - theta * spike
        spike = self.above(v, theta)
        return (v, spike), spike


# Generation


class Generator:
    """Draws a legal chain, then does odd things to it."""

    def __init__(self, seed):
        self.draw = np.random.default_rng(seed)
        self.dt = float(self.pick([1.0, 1.0, 0.5, 1e-3, 1e-4]))
        self.reset, self.inclusive = self.pick(RESETS), bool(self.draw.random() < 0.25)
        self.float = self.pick([np.float64, np.float64, np.float32])
        self.step = float(self.pick([1.0, 1.0, 1 / 16, 1 / 16, 1 / 16, 0.375, 0.375, 0.1]))
        self.odd = []

    def pick(self, values):
        return values[int(self.draw.integers(len(values)))]

    def chance(self, share):
        return self.draw.random() < share

    def case(self):
        events = self.chance(0.25)
        shape = (int(self.draw.integers(1, 3)), *(int(size) for size in self.draw.integers(3, 8, 2)))
        timesteps, self.classes = int(self.draw.integers(1, 5)), int(self.draw.integers(2, 4))
        bits, signed = (1, False) if events else (int(self.draw.integers(1, 5)), self.chance(0.3))
        scale = Fraction(1) if events else self.pick([Fraction(1)] * 3 + [Fraction(1, 16)] * 3 + [Fraction(1, 15)])
        self.scale = float(scale)
        self.batch = self.chance(0.15)
        nodes = self.chain(shape, events)
        if self.chance(0.5):
            for _ in range(int(self.draw.integers(1, 3))):
                nodes = self.distort(nodes)
        graph = self.graph(nodes, shape)
        # Drawn last, so that it changes nothing else.
        coding = "events" if events else "frames" if self.chance(0.3) else "direct"
        interface = Interface(shape, timesteps, self.classes, coding, bits, signed, scale)
        return Case(graph, interface, self.dt, self.reset, self.inclusive, self.odd)

    def chain(self, shape, events):
        """A legal list of nodes; of events sometimes fully connected layers alone."""
        nodes = []
        for _ in range(0 if events and self.chance(0.25) else int(self.draw.integers(1, 3))):
            outputs = int(self.draw.integers(1, 5))
            nodes.append(self.conv(shape, outputs))
            shape = convolve(nodes[-1], np.zeros(shape)).shape
            if self.chance(0.15):
                nodes.append(self.pool(shape, tiles=self.chance(0.9)))
                shape = pooled(nodes[-1], np.zeros(shape), divide=False).shape
            nodes.append(self.neurons(shape))
            self.scale = 1.0
            if self.chance(0.5):
                is_or = self.chance(0.6)
                nodes.append(self.pool(shape, tiles=self.chance(0.5 if is_or else 0.95)))
                shape = pooled(nodes[-1], np.zeros(shape), divide=False).shape
                low, high = (0.1, 1.0) if self.inclusive else (0.0, 0.9)
                if is_or:
                    nodes[-1] = nir.SumPool2d(nodes[-1].kernel_size, nodes[-1].stride, nodes[-1].padding)
                    nodes.append(nir.Threshold(self.shaped(self.pick([low, 0.5, high]), shape)))
        said = np.array((1, *shape) if self.batch else shape)
        nodes.append(nir.Flatten({"input": said}, 1 if self.batch else 0, self.pick([-1, -1, len(said) - 1])))
        size = int(np.prod(shape))
        for last in (False, True) if self.chance(0.4) else (True,):
            outputs = self.classes * int(self.draw.integers(1, 4)) if last else int(self.draw.integers(2, 7))
            nodes += [self.linear(size, outputs), self.neurons((outputs,))]
            size = outputs
        return nodes

    def whole(self, *shape):
        """Whole numbers up to 7, many of them 0."""
        return self.draw.integers(-7, 8, shape) * (self.draw.random(shape) < 0.7)

    def weights(self, *shape):
        return (self.whole(*shape) * self.step).astype(self.float)

    def biases(self, outputs):
        values = self.draw.integers(-6, 7, outputs) * self.step / self.pick([1, 1, 2, 2, 4, 4, 4, 3])
        return np.zeros(outputs) if self.chance(0.3) else values.astype(self.float)

    def conv(self, shape, outputs):
        """A convolution whose windows fit into the map."""
        while True:
            kernel = self.pick([(1, 1), (3, 3), (3, 3), (5, 5), tuple(int(one) for one in self.draw.integers(1, 7, 2))])
            stride = self.pick([1, 1, 1, 2, (2, 1)])
            half = tuple((one - 1) // 2 for one in kernel)
            padding = self.pick([half, half, "valid", tuple(int(self.draw.integers(0, most + 1)) for most in half)])
            padding = "same" if stride == 1 and self.chance(0.2) else padding
            weights = self.weights(outputs, shape[0], *kernel)
            node = nir.Conv2d(shape[1:], weights, stride, padding, 1, 1, self.biases(outputs))
            sizes = (sum(pads) + size for pads, size in zip(pads_of(node), shape[1:], strict=True))
            if all(size >= width for size, width in zip(sizes, kernel, strict=True)):
                return node

    def pool(self, shape, tiles):
        """Sums or averages of windows that fit into the map, side by side or not."""
        kernel = np.minimum(self.pick([(2, 2), (2, 2), (3, 3), (1, 2), (3, 1)]), shape[1:])
        stride = kernel if tiles else self.draw.integers(1, 4, 2)
        padding = np.zeros(2, int) if tiles else self.draw.integers(0, kernel // 2 + 1)
        return self.pick([nir.SumPool2d, nir.SumPool2d, nir.AvgPool2d])(kernel, stride, padding)

    def linear(self, inputs, outputs):
        weights = self.weights(outputs, inputs)
        return nir.Linear(weights) if self.chance(0.3) else nir.Affine(weights, self.biases(outputs))

    def neurons(self, shape):
        kind = self.pick(["LIF", "LIF", "IF", "Threshold"])
        outputs = shape[0]
        theta = self.draw.integers(0, 12, outputs) * self.step * self.scale * self.pick([1, 1, 0.5, 1.25])
        if self.chance(0.4):
            theta[:] = theta[0]
        gain = self.pick([1] * 8 + [0.5, 0.5, 2, 2, 0.3])
        if kind == "Threshold":
            return nir.Threshold(self.shaped(theta, shape))
        zeros = np.zeros(shape)
        if kind == "IF":
            node = nir.IF(zeros, zeros, zeros)
            node.r = self.shaped(gain / self.dt, shape)
        else:
            node = nir.LIF(zeros, zeros, zeros, zeros, zeros)
            share = float(self.pick([1, 1, 0.5, 0.5, 0.5, 0.25, 0.75, 1 / 16]))
            node.tau, node.r = self.shaped(self.dt / share, shape), self.shaped(gain / share, shape)
            node.v_leak = self.shaped(0.0, shape)
        node.v_threshold, node.v_reset = self.shaped(theta * gain, shape), self.pick([self.shaped(0.0, shape), None])
        return node

    def shaped(self, values, shape):
        """One value, or one for each channel, in any shape that numpy broadcasts to the neurons' so."""
        values = np.asarray(values, dtype=self.float)
        if values.ndim and (values == values[0]).all():
            values = values[0]
        if values.ndim == 0:
            rest = [(), (1,), (1,) * len(shape), shape, shape[1:], shape[-1:]]
        else:
            values = values.reshape(-1, *[1] * (len(shape) - 1))
            rest = [values.shape, (len(values), *shape[1:])]
        found = np.broadcast_to(values, self.pick(rest)).copy()
        return found[None] if self.batch and found.shape == shape and self.chance(0.5) else found

    # What is odd about a graph

    def distort(self, nodes):
        name = self.pick(sorted(DISTORTIONS))
        place = DISTORTIONS[name](self, list(nodes))
        if place is None:
            return nodes
        self.odd.append(name)
        return place

    def some(self, nodes, *kinds):
        """The place of one of the nodes of some kinds, or None."""
        places = [i for i, node in enumerate(nodes) if type(node).__name__ in kinds]
        return self.pick(places) if places else None

    def graph(self, nodes, shape):
        """The graph of a list of nodes; edges may be odd, too, and a part may be nested."""
        names = [f"{i}_{type(node).__name__.lower()}" for i, node in enumerate(nodes)]
        nodes = dict(zip(names, nodes, strict=True))
        if self.chance(0.3):
            names, nodes = self.nested(names, nodes)
        shape = ((1, *shape) if self.batch else shape) if "input shape" not in self.odd else (shape[0], shape[1] + 1, shape[2])
        said = np.array(shape)
        nodes = {"input": nir.Input({"input": said}), **nodes, "output": nir.Output({"output": np.array([2])})}
        order = ["input", *names, "output"]
        edges = list(zip(order, order[1:], strict=False))
        for name, change in EDGES.items():
            if name in self.odd:
                change(self, order, edges)
        shuffled = [edges[i] for i in self.draw.permutation(len(edges))]
        return nir.NIRGraph(nodes, shuffled, type_check=False)

    def nested(self, names, nodes):
        first = int(self.draw.integers(len(names)))
        last = int(self.draw.integers(first, len(names)))
        inner = names[first : last + 1]
        parts = {"in": nir.Input({"input": np.array([1])}), **{name: nodes[name] for name in inner}}
        parts["out"] = nir.Output({"output": np.array([1])})
        order = list(parts)
        block = nir.NIRGraph(parts, list(zip(order, order[1:], strict=False)), type_check=False)
        left = {name: node for name, node in nodes.items() if name not in inner}
        return [*names[:first], "block", *names[last + 1 :]], {**left, "block": block}


def changed(*kinds, **values):
    """A distortion that sets parameters of one node of some kinds; values: made from the generator and the node."""

    def change(self, nodes):
        place = self.some(nodes, *kinds)
        if place is None:
            return None
        for name, make in values.items():
            setattr(nodes[place], name, make(self, nodes[place]))
        return nodes

    return change


def replaced(*kinds, by):
    def change(self, nodes):
        place = self.some(nodes, *kinds)
        if place is None:
            return None
        return [*nodes[:place], *by(self, nodes[place]), *nodes[place + 1 :]]

    return change


def spoiled(value):
    """One number of one array is not finite, or not what float64 holds."""

    def change(self, nodes):
        place = self.some(nodes, "Conv2d", "Affine", "Linear", "LIF", "IF", "Threshold")
        node = nodes[place]
        names = [name for name in ("weight", "bias", "tau", "r", "v_leak", "v_threshold", "v_reset", "threshold")
                 if getattr(node, name, None) is not None]  # fmt: skip
        name = self.pick(names)
        array = np.array(getattr(node, name), dtype=float)
        array.reshape(-1)[int(self.draw.integers(array.size))] = value
        setattr(node, name, array)
        return nodes

    return change


def swapped(self, nodes):
    place = int(self.draw.integers(len(nodes) - 1))
    nodes[place], nodes[place + 1] = nodes[place + 1], nodes[place]
    return nodes


def along_columns(self, nodes):
    """Thresholds by column: numpy lays one axis along the last of the map."""
    place = self.some(nodes, "LIF", "IF")
    if place is None:
        return None
    node = nodes[place]
    width = np.asarray(node.v_threshold).shape[-1:]
    node.v_threshold = np.arange(*width or (3,)) * self.step
    return nodes


CUBA = [np.ones(3) for _ in range(5)]
NEURONS = ("LIF", "IF", "Threshold")
DISTORTIONS = {
    "nan": spoiled(np.nan),
    "infinity": spoiled(np.inf),
    "huge": spoiled(1e300),
    "v_reset": changed("LIF", "IF", v_reset=lambda self, node: np.asarray(node.v_threshold) * 0 + self.pick([0.0, -1.0, 0.5])),
    "v_leak": changed("LIF", v_leak=lambda self, node: np.asarray(node.v_threshold) * 0 + 0.5),
    "short tau": changed("LIF", tau=lambda self, node: np.asarray(node.tau) * 0 + self.dt / 2),
    "odd tau": changed("LIF", tau=lambda self, node: np.asarray(node.tau) * 1.1),
    "taus": changed("LIF", tau=lambda self, node: np.stack([np.asarray(node.tau), 2 * np.asarray(node.tau)])),
    "several taus": changed("LIF", tau=lambda self, node: node.tau + self.dt * np.arange(node.r.size).reshape(node.r.shape)),
    "columns": along_columns,
    "thresholds of another shape": changed("LIF", "IF", v_threshold=lambda self, node: np.ones((9, 1, 1))),
    "empty": changed("LIF", "IF", r=lambda self, node: np.zeros((0,))),
    "complex": changed("LIF", "IF", r=lambda self, node: np.ones(1, dtype=complex)),
    "stride": changed("Conv2d", stride=lambda self, node: self.pick([2, (1, 2), (1, 1)])),
    "padding": changed("Conv2d", padding=lambda self, node: self.pick([0, 1, 2, "valid", (0, 1), -1])),
    "dilation": changed("Conv2d", dilation=lambda self, node: self.pick([2, (1, 1)])),
    "groups": changed("Conv2d", groups=lambda self, node: 2),
    "input_shape": changed("Conv2d", input_shape=lambda self, node: self.pick([None, (3, 9)])),
    "kernel": changed("Conv2d", weight=lambda self, node: self.weights(*np.shape(node.weight)[:2], 3, self.pick([1, 3, 4]))),
    "channels": changed("Conv2d", weight=lambda self, node: self.weights(len(node.weight), 3, 3, 3)),
    "bias": changed("Conv2d", "Affine", bias=lambda self, node: np.ones(self.pick([1, 2, len(node.weight)]))),
    "free weights": changed("Conv2d", "Affine", weight=lambda self, node: self.draw.normal(size=np.shape(node.weight))),
    "inputs": changed("Affine", "Linear", weight=lambda self, node: self.weights(4, 5)),
    "whole weights": changed("Affine", "Linear", weight=lambda self, node: self.whole(*np.shape(node.weight))),
    "flatten from 1": changed("Flatten", start_dim=lambda self, node: 1),
    "flatten to 1": changed("Flatten", end_dim=lambda self, node: 1),
    "window": changed("SumPool2d", kernel_size=lambda self, node: np.array([3, 3])),
    "wide pool": changed("SumPool2d", stride=lambda self, node: np.array([1, 1])),
    "average": replaced("SumPool2d", by=lambda self, node: [nir.AvgPool2d(node.kernel_size, node.stride, node.padding)]),
    "sum of currents": replaced("LIF", "IF", by=lambda self, node: [nir.SumPool2d(2, 2, 0), nir.Threshold(np.array(0.5)), node]),
    "pool without threshold": replaced(*NEURONS, by=lambda self, node: [node, nir.SumPool2d(2, 2, 0)]),
    "pool with a high threshold": replaced(
        "LIF", "IF", by=lambda self, node: [node, nir.SumPool2d(2, 2, 0), nir.Threshold(np.array(1.5))]
    ),
    "dropped": replaced("Conv2d", "Affine", "Flatten", *NEURONS, by=lambda self, node: []),
    "doubled": replaced("Conv2d", "Affine", "Flatten", *NEURONS, by=lambda self, node: [node, node]),
    "scale": replaced("Conv2d", "Affine", by=lambda self, node: [node, nir.Scale(np.array(2.0))]),
    "delay": replaced(*NEURONS, by=lambda self, node: [node, nir.Delay(np.array(self.dt))]),
    "current-based": replaced("LIF", by=lambda self, node: [nir.CubaLIF(*CUBA)]),
    "integrator": replaced(*NEURONS, by=lambda self, node: [nir.LI(*CUBA[:3])]),
    "swapped": swapped,
    "input shape": lambda self, nodes: nodes,
    "double edge": lambda self, nodes: nodes,
    "skip": lambda self, nodes: nodes,
    "loop": lambda self, nodes: nodes,
    "no edge": lambda self, nodes: nodes,
    "edge to nowhere": lambda self, nodes: nodes,
}


def add_edge(ends):
    return lambda self, order, edges: edges.append(ends(self, order))


EDGES = {
    "double edge": lambda self, order, edges: edges.append(self.pick(edges)),
    "skip": add_edge(lambda self, order: (order[0], order[-1])),
    "loop": add_edge(lambda self, order: (order[-2], order[1])),
    "no edge": lambda self, order, edges: edges.pop(int(self.draw.integers(len(edges)))),
    "edge to nowhere": add_edge(lambda self, order: (order[1], "nowhere")),
}
"""What is done to the edges when the graph is put together."""


def random_case(seed):
    return Generator(seed).case()


def pixels_for(interface, draw, count=8):
    """Images: random ones, and the extremes of every pixel."""
    bits, signed = interface.image_bits, interface.image_signed
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    shape = interface.image_shape
    some = draw.integers(low, high + 1, (count, *shape))
    ends = draw.choice([low, high], (count // 2, *shape))
    return np.concatenate([some, ends, np.full((1, *shape), low), np.full((1, *shape), high)])
