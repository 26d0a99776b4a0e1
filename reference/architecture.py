"""Architecture strings such as 16C3-32C3-MP2-FC128-FC100, as papers write them."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from .errors import InputError, brief
from .network import KERNELS, Conv, Layer, Linear, Network, Neuron, Pool, check_count, check_weights

ALLOWED = f"nCk (n channels, kernel k of {', '.join(map(str, KERNELS))}), MP2, FCn"
NAMED = {
    "VGG9": "64C3-112C3-MP2-192C3-216C3-MP2-480C3-504C3-560C3-MP2-FC1064-FC1000",
    "VGG9/2": "32C3-56C3-MP2-96C3-108C3-MP2-240C3-252C3-280C3-MP2-FC532-FC500",
    "VGG9/4": "16C3-28C3-MP2-48C3-54C3-MP2-120C3-126C3-140C3-MP2-FC266-FC250",
    "VGG9/8": "8C3-14C3-MP2-24C3-27C3-MP2-60C3-63C3-70C3-MP2-FC133-FC130",
}
"""The network of the paper (Aliyev, Lopez and Adegbija, DATE 2025) for ten classes, and narrower ones: every layer a half, a
quarter and an eighth as wide, the last rounded up to a population that ten classes divide."""
_COUNT = r"[1-9][0-9]{0,8}"
_LAYER = re.compile(rf"(?P<channels>{_COUNT})C(?P<kernel>[{''.join(map(str, KERNELS))}])|(?P<pool>MP2)|FC(?P<neurons>{_COUNT})")


@dataclass(frozen=True)
class LayerSpec:
    """One layer of an architecture string.

    kind: "conv", "pool" or "fc"; name: the kind and its running number (conv1, conv2, pool1, …, fc1).
    outputs: output channels or neurons, 0 for a pool; kernel: height and width of a convolution's kernel, else 0.
    """

    name: str
    kind: str
    outputs: int = 0
    kernel: int = 0


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
        match = _LAYER.fullmatch(word)
        if not match:
            raise InputError(
                f"architecture: unknown layer {brief(word)} (layer {number}, character {character}); allowed: "
                f"{ALLOWED}, or one of {', '.join(NAMED)}"
            )
        specs.append(_spec(match, seen))
        character += len(word) + 1
    return tuple(specs)


def _spec(match: re.Match[str], seen: Counter[str]) -> LayerSpec:
    kind = "conv" if match["channels"] else "pool" if match["pool"] else "fc"
    seen[kind] += 1
    return LayerSpec(f"{kind}{seen[kind]}", kind, int(match["channels"] or match["neurons"] or 0), int(match["kernel"] or 0))


def architecture_of(network: Network) -> str:
    """The string of a network's layers, or its name in NAMED; parse() gives their kinds, outputs and kernels back."""
    words = [
        "MP2"
        if isinstance(layer, Pool)
        else f"{layer.outputs}C{layer.kernel}"
        if isinstance(layer, Conv)
        else f"FC{layer.outputs}"
        for layer in network.layers
    ]
    text = "-".join(words)
    return next((name for name, named in NAMED.items() if named == text), text)


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
        input_shape, image_bits, image_signed, timesteps, classes, tuple(layers), coding=coding, coding_seed=coding_seed
    )


def _inputs(spec: LayerSpec, shape: tuple[int, int, int]) -> tuple[int, ...]:
    """The shape of an output's weights."""
    return (shape[0], spec.kernel, spec.kernel) if spec.kind == "conv" else (math.prod(shape),)


def _blank_layer(spec: LayerSpec, inputs: tuple[int, ...], weight_bits: int, neuron: Neuron) -> Layer:
    if spec.kind == "pool":
        return Pool(spec.name)
    weights, zeros = np.zeros((spec.outputs, *inputs), dtype=np.int64), np.zeros(spec.outputs, dtype=np.int64)
    return (Conv if spec.kind == "conv" else Linear)(spec.name, weights, zeros, zeros, weight_bits, neuron)
