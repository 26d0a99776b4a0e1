"""Architecture strings such as 16C3-32C3-MP2-FC128-FC100, as papers write them."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from .errors import InputError, brief
from .network import Conv, CurrentPool, Layer, Linear, Network, Neuron, Pool, Size, check_count, check_weights, shown_size

ALLOWED = "nCk (n channels, kernel k), nCk+MPk and nCk+APk (currents pooled before the neurons), MPk, APk, FCn; sk, pk after k"
NAMED = {
    "VGG9": "64C3-112C3-MP2-192C3-216C3-MP2-480C3-504C3-560C3-MP2-FC1064-FC1000",
    "VGG9/2": "32C3-56C3-MP2-96C3-108C3-MP2-240C3-252C3-280C3-MP2-FC532-FC500",
    "VGG9/4": "16C3-28C3-MP2-48C3-54C3-MP2-120C3-126C3-140C3-MP2-FC266-FC250",
    "VGG9/8": "8C3-14C3-MP2-24C3-27C3-MP2-60C3-63C3-70C3-MP2-FC133-FC130",
}
"""The network of the paper (Aliyev, Lopez and Adegbija, DATE 2025) for ten classes, and narrower ones: every layer a half, a
quarter and an eighth as wide, the last rounded up to a population that ten classes divide."""
_COUNT = r"[1-9][0-9]{0,8}"
_SIZE = r"[0-9]{1,3}(?:x[0-9]{1,3})?"
_STEPS = rf"(?:s(?P<stride>{_SIZE}))?(?:p(?P<padding>{_SIZE}))?"
_CONV = re.compile(rf"(?P<outputs>{_COUNT})C(?P<kernel>{_SIZE}){_STEPS}(?:\+(?P<op>[MA])P(?P<pooled>{_SIZE}))?")
_POOL = re.compile(rf"(?P<op>[MA])P(?P<kernel>{_SIZE}){_STEPS}")
_FC = re.compile(rf"FC(?P<outputs>{_COUNT})")
_PATTERNS = {"conv": _CONV, "pool": _POOL, "fc": _FC}
_CURRENT_OPS = {"M": "max", "A": "sum"}
_POOL_OPS = {"M": "or", "A": "sum"}


@dataclass(frozen=True)
class LayerSpec:
    """One layer of an architecture string.

    kind: "conv", "pool" or "fc"; name: the kind and its running number (conv1, conv2, pool1, …, fc1).
    outputs: output channels or neurons, 0 for a pool. kernel, stride, padding: rows and columns, of a convolution and a pool.
    op: of a pool. current_pool: of a convolution.
    """

    name: str
    kind: str
    outputs: int = 0
    kernel: Size = (0, 0)
    stride: Size = (1, 1)
    padding: Size = (0, 0)
    op: str = ""
    current_pool: CurrentPool | None = None


def parse(text: str) -> tuple[LayerSpec, ...]:
    """Layers of an architecture string or of a name of NAMED; an unknown layer raises InputError with its position.

    >>> [layer.name for layer in parse("16C3-MP2-FC10")]
    ['conv1', 'pool1', 'fc1']
    """
    specs: list[LayerSpec] = []
    seen: Counter[str] = Counter()
    character = 1
    words = NAMED.get(text, text).split("-")
    check_count(len(words))
    for number, word in enumerate(words, start=1):
        spec = _spec(word, seen)
        if spec is None:
            raise InputError(
                f"architecture: unknown layer {brief(word)} (layer {number}, character {character}); allowed: "
                f"{ALLOWED}, or one of {', '.join(NAMED)}"
            )
        specs.append(spec)
        character += len(word) + 1
    return tuple(specs)


def _spec(word: str, seen: Counter[str]) -> LayerSpec | None:
    """The layer of a word, None if it is none; `seen` counts the layers of each kind."""
    matches = ((kind, pattern.fullmatch(word)) for kind, pattern in _PATTERNS.items())
    kind, match = next((pair for pair in matches if pair[1]), ("", None))
    if match is None:
        return None
    seen[kind] += 1
    name, found = f"{kind}{seen[kind]}", match.groupdict()
    if kind == "fc":
        return LayerSpec(name, kind, int(found["outputs"]))
    kernel = _size(found["kernel"])
    if kind == "pool":
        stride, padding = _size(found["stride"]) if found["stride"] else kernel, _size(found["padding"] or "0")
        return LayerSpec(name, kind, 0, kernel, stride, padding, _POOL_OPS[found["op"]])
    padding = _size(found["padding"]) if found["padding"] else _half(kernel)
    pool = CurrentPool(_CURRENT_OPS[found["op"]], _size(found["pooled"])) if found["op"] else None
    return LayerSpec(name, kind, int(found["outputs"]), kernel, _size(found["stride"] or "1"), padding, "", pool)


def _size(text: str) -> Size:
    """Rows and columns of "3" or "3x5"."""
    rows, _, columns = text.partition("x")
    return int(rows), int(columns or rows)


def _half(kernel: Size) -> Size:
    """The padding that a convolution has where nothing else is written."""
    return (kernel[0] - 1) // 2, (kernel[1] - 1) // 2


def _written(size: Size) -> str:
    return str(size[0]) if size[0] == size[1] else shown_size(size)


def architecture_of(network: Network) -> str:
    """The string of a network's layers, or its name in NAMED; parse() gives their kinds, outputs, kernels and windows back."""
    text = "-".join(map(_word, network.layers))
    return next((name for name, named in NAMED.items() if named == text), text)


def _word(layer: Layer) -> str:
    if isinstance(layer, Linear):
        return f"FC{layer.outputs}"
    steps, usual = layer.stride, layer.kernel if isinstance(layer, Pool) else (1, 1)
    edge = (0, 0) if isinstance(layer, Pool) else _half(layer.kernel)
    text = _written(layer.kernel) + (f"s{_written(steps)}" if steps != usual else "")
    text += f"p{_written(layer.padding)}" if layer.padding != edge else ""
    if isinstance(layer, Pool):
        return f"{_letter(_POOL_OPS, layer.op)}P{text}"
    pool = layer.current_pool
    return f"{layer.outputs}C{text}" + (f"+{_letter(_CURRENT_OPS, pool.op)}P{_written(pool.kernel)}" if pool else "")


def _letter(ops: dict[str, str], op: str) -> str:
    return next(letter for letter, name in ops.items() if name == op)


def blank_network(
    architecture: str,
    *,
    input_shape: tuple[int, int, int],
    classes: int,
    timesteps: int,
    weight_bits: int,
    neuron: Neuron,
    image_bits: int = 8,
    image_signed: bool = False,
    coding: str = "direct",
    coding_seed: int = 0,
    readout: str = "count",
) -> Network:
    """The network of an architecture with all weights, biases and thresholds 0: its names and shapes, checked.

    InputError: what Network refuses, before it takes memory for too many weights.
    """
    layers: list[Layer] = []
    shape, count = input_shape, 0
    for spec in parse(architecture):
        inputs = _inputs(spec, shape)
        count += spec.outputs * math.prod(inputs)
        check_weights(count, spec.name)
        layers.append(_blank_layer(spec, inputs, weight_bits, neuron))
        shape = layers[-1].output_shape(shape)
    return Network(
        input_shape, image_bits, image_signed, timesteps, classes, tuple(layers), coding=coding, coding_seed=coding_seed,
        readout=readout,
    )  # fmt: skip


def _inputs(spec: LayerSpec, shape: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape of an output's weights."""
    return (shape[0], *spec.kernel) if spec.kind == "conv" else (math.prod(shape),)


def _blank_layer(spec: LayerSpec, inputs: tuple[int, ...], weight_bits: int, neuron: Neuron) -> Layer:
    if spec.kind == "pool":
        return Pool(spec.name, spec.op, spec.kernel, spec.stride, spec.padding)
    weights, zeros = np.zeros((spec.outputs, *inputs), dtype=np.int64), np.zeros(spec.outputs, dtype=np.int64)
    if spec.kind == "fc":
        return Linear(spec.name, weights, zeros, zeros, weight_bits, neuron)
    return Conv(spec.name, weights, zeros, zeros, weight_bits, neuron, spec.stride, spec.padding, spec.current_pool)
