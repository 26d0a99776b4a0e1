"""Model files: a Network in a safetensors file, integers only.

The tensors are `<layer>.weights`, `<layer>.bias` and `<layer>.theta`. One metadata entry, `duospike`, holds the rest as
JSON. One entry, because safetensors does not order several, and the same network must give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from .errors import InputError, brief, did_you_mean
from .files import parse_json, write_atomically
from .network import (
    READOUTS,
    Conv,
    CurrentPool,
    Layer,
    Linear,
    Network,
    Neuron,
    Pool,
    Size,
    check_count,
    check_name,
    check_names,
    check_weights,
)
from .tensors import TensorFile, read_header
from .widths import prove_widths

KEY = "duospike"
VERSION = 1
MODELS = Path(__file__).parents[1] / "models"
"""The networks that come with the package."""
TENSORS = ("weights", "bias", "theta")
_CLASSES: dict[str, type] = {"conv": Conv, "linear": Linear, "pool": Pool}


def save_model(network: Network, path: Path | str) -> None:
    """Write `network` to `path`, whole or not at all; the same network gives the same bytes.

    InputError: the path cannot be written, or prove_widths refuses the network.
    """
    write_atomically(path, model_bytes(network))


def model_bytes(network: Network) -> bytes:
    """The content of the model file of `network`. InputError: prove_widths refuses the network."""
    prove_widths(network)
    tensors = {
        f"{layer.name}.{what}": smallest_type(getattr(layer, what))
        for layer in network.layers
        if not isinstance(layer, Pool)
        for what in TENSORS
    }
    return save(tensors, {KEY: json.dumps(_header(network), sort_keys=True)})


def smallest_type(values: np.ndarray) -> np.ndarray:
    """The same integers in the smallest of int8, int16, int32 and int64 that holds them all."""
    low, high = values.min(), values.max()
    kinds = (np.iinfo(kind) for kind in (np.int8, np.int16, np.int32, np.int64))
    return values.astype(next(kind.dtype for kind in kinds if kind.min <= low and high <= kind.max))


def _header(network: Network) -> dict[str, Any]:
    return {
        "version": VERSION,
        "input_shape": list(network.input_shape),
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
        "timesteps": network.timesteps,
        "classes": network.classes,
        "layers": [_layer_header(layer) for layer in network.layers],
        "metadata": network.metadata,
        **({} if network.coding == "direct" else {"coding": network.coding, "coding_seed": network.coding_seed}),
        **({} if network.readout == READOUTS[0] else {"readout": network.readout}),
    }


def _layer_header(layer: Layer) -> dict[str, Any]:
    kind = next(kind for kind, cls in _CLASSES.items() if isinstance(layer, cls))
    header: dict[str, Any] = {"name": layer.name, "kind": kind}
    if isinstance(layer, Pool):
        return header if layer.is_plain else header | {"op": layer.op} | _sizes(layer)
    multiplier = layer.neuron.multiplier
    header |= {"weight_bits": layer.weight_bits, "reset": layer.neuron.reset, "shift": layer.neuron.shift}
    header |= {"multiplier": list(multiplier) if isinstance(multiplier, tuple) else multiplier}
    if isinstance(layer, Conv) and not layer.is_plain:
        pool = layer.current_pool
        header |= {"stride": list(layer.stride), "padding": list(layer.padding)}
        header |= {"current_pool": {"op": pool.op, "kernel": list(pool.kernel)}} if pool else {}
    return header


def _sizes(pool: Pool) -> dict[str, list[int]]:
    return {"kernel": list(pool.kernel), "stride": list(pool.stride), "padding": list(pool.padding)}


def find_model(name: Path | str) -> Path:
    """The path of a model file, or that of a shipped network by its name, such as fashion-small. InputError: neither."""
    shipped = {file.stem: file for file in MODELS.glob("*.safetensors")}
    path = Path(name)
    if str(name) != path.stem or path.is_file():
        return path
    if str(name) not in shipped:
        hint = did_you_mean(str(name), shipped)
        raise InputError(f"{name}: no such file; networks that come with duospike: {', '.join(sorted(shipped))}{hint}")
    return shipped[str(name)]


def load_model(path: Path | str) -> Network:
    """The network of a model file, found by find_model.

    Nothing in the file is executed, and what it claims is checked before it takes memory.

    InputError, in one line: missing, truncated or foreign file, another version, fields or tensors that are missing,
    unknown, there twice or of the wrong type, more layers or weights than a network may have, values out of range, shapes
    that do not chain, widths that cannot be proven, or more than fits into memory.
    """
    path = find_model(path)
    file = read_header(path)
    try:
        network = _network(_read_header(file), file)
        prove_widths(network)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except MemoryError:
        raise InputError(f"{path}: does not fit into memory") from None
    return network


def _read_header(file: TensorFile) -> dict[str, Any]:
    if KEY not in file.metadata:
        raise InputError(f"not a model file (no metadata entry {KEY!r})")
    if len(file.metadata) > 1:
        other = min(file.metadata.keys() - {KEY})
        raise InputError(f"metadata entry {brief(other)} is unknown; allowed: {KEY!r} alone")
    try:
        header = parse_json(file.metadata[KEY])
    except ValueError as error:
        raise InputError(f"not a model file ({brief(error)})") from None
    if not isinstance(header, dict):
        raise InputError(f"not a model file (the metadata entry {KEY!r} is not a JSON object)")
    return header


def _network(header: dict[str, Any], file: TensorFile) -> Network:
    version = header.pop("version", None)
    if type(version) is not int or version != VERSION:
        raise InputError(f"version {brief(version)} of the model format; this program reads version {VERSION}")
    table = _Table("the header", header)
    if header.get("coding") == "direct":
        raise InputError("the header: field 'coding' is left out with direct coding")
    if header.get("readout") == READOUTS[0]:
        raise InputError(f"the header: field 'readout' is left out where it is {READOUTS[0]}")
    entries = [_Table(f"layer {i}", entry) for i, entry in enumerate(table.take("layers", list), start=1)]
    layers = _layers(entries, file)
    network = Network(
        tuple(_Table("input_shape", dict(enumerate(table.take("input_shape", list)))).take_all(int)),  # type: ignore[arg-type]
        table.take("image_bits", int),
        table.take("image_signed", bool),
        table.take("timesteps", int),
        table.take("classes", int),
        layers,
        _strings(table.take("metadata", dict)),
        *((table.take("coding", str), table.take("coding_seed", int)) if "coding" in header else ()),
        **({"readout": table.take("readout", str)} if "readout" in header else {}),
    )
    table.done()
    return network


def _strings(table: dict[str, Any]) -> dict[str, str]:
    _Table("metadata", dict(table)).take_all(str)
    return table


def _layers(tables: list[_Table], file: TensorFile) -> tuple[Layer, ...]:
    """The layers; their tensors are read only after all names have been checked."""
    check_count(len(tables))
    planned = [_layer(table) for table in tables]
    check_names(name for name, _, _ in planned)
    wanted = {f"{name}.{what}" for name, _, tensors in planned for what in tensors}
    for name in sorted(wanted ^ file.entries.keys()):
        raise InputError(f"tensor {name!r} is missing" if name in wanted else f"unknown tensor {brief(name)}")
    _check_sizes(file)
    return tuple(make(*(file.read(f"{name}.{what}") for what in tensors)) for name, make, tensors in planned)


def _check_sizes(file: TensorFile) -> None:
    """Refuse by their shapes, before they take memory, too many weights, and biases and thresholds of other sizes."""
    weights = {name.removesuffix(".weights"): entry for name, entry in file.entries.items() if name.endswith(".weights")}
    check_weights(sum(entry.count for entry in weights.values()))
    for tensor, entry in file.entries.items():
        name, _, what = tensor.partition(".")
        if what != "weights" and entry.shape != weights[name].shape[:1]:
            raise InputError(f"layer {name}: {what} has shape {entry.shape}, needs {weights[name].shape[:1]}")


def _layer(table: _Table) -> tuple[str, Callable[..., Layer], tuple[str, ...]]:
    """Name of a layer, what makes it of its tensors, and which these are."""
    name, kind = table.take("name", str), table.take("kind", str)
    check_name(name)
    if kind not in _CLASSES:
        raise InputError(f"layer {name}: kind {brief(kind)} is unknown; allowed: {', '.join(_CLASSES)}")
    if kind == "pool":
        pool = _pool(name, table)
        table.done()
        return name, lambda: pool, ()
    neuron = Neuron(table.take("reset", str), _multiplier(table), table.take("shift", int))
    bits = table.take("weight_bits", int)
    window = _window(table) if kind == "conv" else {}
    table.done()
    return name, lambda *tensors: _CLASSES[kind](name, *tensors, bits, neuron, **window), TENSORS


def _pool(name: str, table: _Table) -> Pool:
    if "op" not in table.fields:
        return Pool(name)
    return Pool(name, table.take("op", str), *(table.take_size(what) for what in ("kernel", "stride", "padding")))


def _multiplier(table: _Table) -> int | tuple[int, ...]:
    if not isinstance(table.fields.get("multiplier"), list):
        return table.take("multiplier", int)
    values = dict(enumerate(table.take("multiplier", list)))
    return tuple(_Table(f"{table.where}: multiplier", values).take_all(int))


def _window(table: _Table) -> dict[str, Any]:
    """Stride, padding and pooling of the currents of a convolution, where it has more than a plain one."""
    if "stride" not in table.fields:
        return {}
    window: dict[str, Any] = {what: table.take_size(what) for what in ("stride", "padding")}
    if "current_pool" in table.fields:
        pool = _Table(f"{table.where}: current_pool", table.take("current_pool", dict))
        window["current_pool"] = CurrentPool(pool.take("op", str), pool.take_size("kernel"))
        pool.done()
    return window


class _Table:
    """A JSON object whose fields are taken one by one, each of the type that is asked for."""

    def __init__(self, where: str, fields: Any):
        if not isinstance(fields, dict):
            raise InputError(f"{where}: {brief(fields)} is not a JSON object")
        self.where, self.fields = where, fields

    def take(self, key: Any, wanted: type) -> Any:
        if key not in self.fields:
            raise InputError(f"{self.where}: field {key!r} is missing")
        value = self.fields.pop(key)
        if type(value) is not wanted:
            raise InputError(f"{self.where}: field {brief(key)} is {brief(value)}; needs a value of type {wanted.__name__}")
        return value

    def take_size(self, key: str) -> Size:
        """Rows and columns."""
        values = self.take(key, list)
        if len(values) != 2:
            raise InputError(f"{self.where}: field {key!r} is {brief(values)}; needs rows and columns")
        rows, columns = _Table(f"{self.where}: {key}", dict(enumerate(values))).take_all(int)
        return rows, columns

    def take_all(self, wanted: type) -> list[Any]:
        return [self.take(key, wanted) for key in list(self.fields)]

    def done(self) -> None:
        if self.fields:
            raise InputError(f"{self.where}: unknown field {brief(min(self.fields))}")
