"""Where the numbers of a run come from: versions, the network with its hash, the sizing, the images."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from duospike.cosim.version import full_version
from duospike.reference.modelfile import model_bytes
from duospike.reference.network import Conv, Layer, Linear, Network, Neuron, Pool

from .sizing import Sizing


def versions() -> dict[str, str]:
    """Of what computes here."""
    return {"duospike": full_version(), "myhdl": version("myhdl"), "python": platform.python_version()}


def design_provenance(network: Network, sizing: Sizing | None = None) -> dict[str, Any]:
    """What every JSON file of a run says of the design: generator (versions), network, and sizing if there is one."""
    return {
        "generator": versions(),
        "network": _network(network),
        **({} if sizing is None else {"sizing": sizing.as_json()}),
    }


def run_provenance(network: Network, images: np.ndarray, source: str, sizing: Sizing | None = None) -> dict[str, Any]:
    """The same of a run with images, and under data: their source, as --data names it, and the SHA-256 of their pixels."""
    digest = hashlib.sha256()
    # One by one, as eight bytes a pixel of all images are gigabytes.
    for image in images:
        digest.update(np.ascontiguousarray(image, dtype="<i8").tobytes())
    return {
        **design_provenance(network, sizing),
        "data": {"source": source, "shape": list(images.shape), "sha256": digest.hexdigest()},
    }


def _network(network: Network) -> dict[str, Any]:
    """sha256: of the model file that save_model writes for it."""
    return {
        "sha256": hashlib.sha256(model_bytes(network)).hexdigest(),
        "input_shape": list(network.input_shape),
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
        "timesteps": network.timesteps,
        "coding": network.coding,
        "coding_seed": network.coding_seed,
        "classes": network.classes,
        "layers": [_layer(layer, shape) for layer, shape in zip(network.layers, network.shapes[1:], strict=True)],
        "metadata": dict(sorted(network.metadata.items())),
    }


def _layer(layer: Layer, shape: tuple[int, int, int]) -> dict[str, Any]:
    """shape: of its output, channels, height, width."""
    about: dict[str, Any] = {"name": layer.name, "shape": list(shape)}
    if isinstance(layer, Pool):
        return {**about, "kind": "pool", **window_fields(layer)}
    return {
        **about,
        "kind": "conv" if isinstance(layer, Conv) else "linear",
        **window_fields(layer),
        "weights": layer.weights.size,
        "weight_bits": layer.weight_bits,
        "reset": layer.neuron.reset,
        "beta": shown_beta(layer.neuron),
    }


def window_fields(layer: Layer) -> dict[str, Any]:
    """What JSON files say of a layer's windows; of a plain convolution its kernel alone, of the OR of 2x2 spikes nothing."""
    if isinstance(layer, Linear) or (isinstance(layer, Pool) and layer.is_plain):
        return {}
    if isinstance(layer, Conv) and layer.is_plain and layer.kernel[0] == layer.kernel[1]:
        return {"kernel": layer.kernel[0]}
    fields = {what: list(getattr(layer, what)) for what in ("kernel", "stride", "padding")}
    if isinstance(layer, Pool):
        return {"op": layer.op, **fields}
    return {**fields, **({"current_pool": dataclasses.asdict(layer.current_pool)} if layer.current_pool else {})}


def shown_beta(neuron: Neuron) -> str:
    """As a fraction, or those of the channels."""
    if isinstance(neuron.multiplier, int):
        return f"{neuron.multiplier}/{2**neuron.shift}"
    return f"{min(neuron.multiplier)}/{2**neuron.shift} to {max(neuron.multiplier)}/{2**neuron.shift}"
