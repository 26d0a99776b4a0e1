"""A NIR graph as plain records, and the chain of nodes that it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from duospike.reference.errors import InputError, name_text
from duospike.reference.exchange.refusal import not_in_hardware

MAX_NESTING = 8
MAX_DIMENSIONS = 8
ALLOWED = "allowed: one chain of nodes from input to output"


@dataclass(frozen=True, eq=False)
class Node:
    """kind: the name of NIR's class. values: its parameters by name, as they are stored: nothing is known of their types."""

    kind: str
    values: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """nodes: by name; a graph among them is nested. edges: (from, to)."""

    nodes: dict[str, Node | Graph]
    edges: tuple[tuple[str, str], ...]


def graph_of(graph: Any, nested: int = 1) -> Graph:
    """The records of a nir.NIRGraph. InputError: graphs within it are nested too deep."""
    if nested > MAX_NESTING:
        raise InputError(f"the graph is nested more than {MAX_NESTING} deep")
    nodes = {str(name): _record(node, nested) for name, node in graph.nodes.items()}
    return Graph(nodes, tuple((str(start), str(end)) for start, end in graph.edges))


def _record(node: Any, nested: int) -> Node | Graph:
    kind, values = type(node).__name__, dict(getattr(node, "__dict__", {}))
    if kind == "NIRGraph":
        return graph_of(node, nested + 1)
    if kind in ("Input", "Output"):
        values["shape"] = (getattr(node, "input_type", None) or {}).get("input")
    if kind == "Flatten":
        values["input_type"] = (values.get("input_type") or {}).get("input")
    return Node(kind, values)


def input_shape_of(graph: Graph) -> Any:
    """What the graph's one Input says its shape is, unchecked; None if there is not one, or it says nothing."""
    inputs = [node for node in graph.nodes.values() if isinstance(node, Node) and node.kind == "Input"]
    return inputs[0].values.get("shape") if len(inputs) == 1 else None


def kinds_of(graph: Graph, prefix: str = "") -> list[tuple[str, str]]:
    """(name, kind) of every node that is no graph, nested ones too."""
    found = []
    for name, node in graph.nodes.items():
        found += kinds_of(node, f"{prefix}{name}.") if isinstance(node, Graph) else [(f"{prefix}{name}", node.kind)]
    return found


def chain(graph: Graph, reasons: list[str], prefix: str = "") -> list[tuple[str, Node]] | None:
    """Nodes from the input to the output, without Input and Output, and those of a nested graph in its place.

    None where they are no chain, and one more reason that says where not.
    """
    reason = _edge_reason(graph, prefix) or _branch_reason(graph, prefix)
    order = [] if reason else _in_order(graph)
    reason = reason or _order_reason(graph, order, prefix)
    if reason:
        reasons.append(not_in_hardware(reason) if reason.endswith(ALLOWED) else reason)
        return None
    found: list[tuple[str, Node]] = []
    for name in order:
        node = graph.nodes[name]
        if isinstance(node, Graph):
            inner = chain(node, reasons, f"{prefix}{name}.")
            if inner is None:
                return None
            found += inner
        elif node.kind not in ("Input", "Output"):
            found.append((f"{prefix}{name}", node))
    return found


def _neighbours(graph: Graph) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    before: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for start, end in graph.edges:
        after[start].append(end)
        before[end].append(start)
    return after, before


def _edge_reason(graph: Graph, prefix: str) -> str | None:
    """What is wrong with an edge by itself."""
    for (start, end), times in Counter(graph.edges).items():
        edge = f"edge from {name_text(prefix + start)} to {name_text(prefix + end)}"
        lost = [name for name in (start, end) if name not in graph.nodes]
        if lost:
            return f"{edge}: the graph has no node {name_text(prefix + lost[0])}"
        if times > 1:
            return f"{edge}: is there {times} times; allowed: once, since NIR adds up what comes in"
    return None


def _branch_reason(graph: Graph, prefix: str) -> str | None:
    for how, neighbours in zip(("branches", "joins"), _neighbours(graph), strict=True):
        for name, others in neighbours.items():
            if len(others) > 1:
                named = ", ".join(name_text(prefix + other) for other in others[:4])
                way = "to" if how == "branches" else "from"
                return f"the graph {how} at {name_text(prefix + name)} ({way} {named}); {ALLOWED}"
    return None


def _in_order(graph: Graph) -> list[str]:
    """Nodes from the first that no edge leads to, until the edges end; none where each has an edge that leads to it."""
    after, before = _neighbours(graph)
    order, name = [], next((name for name in graph.nodes if not before[name]), None)
    while name is not None:
        order.append(name)
        name = after[name][0] if after[name] else None
    return order


def _order_reason(graph: Graph, order: list[str], prefix: str) -> str | None:
    if not graph.nodes:
        return f"graph {name_text(prefix[:-1])}: has no nodes" if prefix else "the graph has no nodes"
    walked = set(order)
    left = next((name for name in graph.nodes if name not in walked), None)
    if left is not None:
        _, before = _neighbours(graph)
        where = name_text(prefix + left)
        how = f"loops at {where}" if before[left] else f"has a part of its own from {where} on"
        return f"the graph {how}; {ALLOWED}"
    for i, name in enumerate(order):
        node = graph.nodes[name]
        kind = node.kind if isinstance(node, Node) else ""
        if (kind == "Input" and i) or (kind == "Output" and i < len(order) - 1):
            return f"{name_text(prefix + name)} {kind}: within the chain; {ALLOWED}"
    return None


def shape_of(value: Any) -> tuple[int, ...] | None:
    """A shape of up to MAX_DIMENSIONS positive sizes, or None if it is none."""
    try:
        sizes = np.asarray(value)
    except Exception:  # an array can be made of almost anything, and what cannot fails in many ways
        return None
    if sizes.dtype.kind not in "iu" or sizes.ndim != 1 or not 1 <= sizes.size <= MAX_DIMENSIONS or (sizes < 1).any():
        return None
    return tuple(int(size) for size in sizes)
