"""Loadable cores: their description, and any network of their shape and ranges as the words that fill their memories."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from reference.network import Conv, Layer, Network, Pool
from rtl.accelerator import WITH_PARAMETERS, parameter_tables
from rtl.loading import LOAD_BITS, LoadedTable, pieces_of
from rtl.memory import Table
from rtl.registers import HASH_WORDS, hash_words

from .errors import CosimError
from .plan import Stage, StageWidths, plan_stages, stage_widths
from .pynq_driver import LOAD_HEADER, LOAD_MAGIC
from .sizing import Sizing

DESCRIPTION = "registers.json"
"""File beside the HDL of a core that holds its description, under `load`."""


def loadable_widths(network: Network, headroom: int) -> dict[str, StageWidths]:
    """The widths of a core made from a network: those that it proves, and `headroom` bits more for all but the weights."""
    return {
        name: replace(
            proven,
            current_bits=proven.current_bits + headroom,
            potential_bits=proven.potential_bits + headroom,
            theta_bits=proven.theta_bits + headroom,
        )
        for name, proven in stage_widths(network).items()
    }


def loadable_stages(stages: dict[str, Stage]) -> dict[str, Stage]:
    """The same stages with memories to load in the place of their ROMs, one after the other as parameter_tables has them."""
    tables: dict[str, LoadedTable] = {}
    first = 0
    for table in parameter_tables(stages):
        name = table.path.removesuffix(".hex")
        tables[table.path] = LoadedTable(name, table.width, table.words, first)
        first = tables[table.path].end
    return {name: _with_tables(stage, tables) for name, stage in stages.items()}


def _with_tables(stage: Stage, tables: dict[str, LoadedTable]) -> Stage:
    if not isinstance(stage, WITH_PARAMETERS):
        return stage
    neuron = replace(stage.neuron, theta=tables[stage.neuron.theta.path])
    return replace(stage, weights=tables[stage.weights.path], bias=tables[stage.bias.path], neuron=neuron)


def core_description(
    network: Network, sizing: Sizing, widths: dict[str, StageWidths], stages: dict[str, Stage]
) -> dict[str, Any]:
    """What decides which networks a core takes, and how, in types of JSON.

    stages: from loadable_stages. words: of 32 bits that a network takes. network, layers: what it must be like, and the widths
    that its own must not exceed. sizing: of the core. memories: in the order of their words; each of the `depth` entries of
    `width` bits comes from its lowest bits up, its last word filled with zeros, and is made of fields of `field_bits`.
    """
    tables = [table for table in parameter_tables(stages) if isinstance(table, LoadedTable)]
    fields = [bits for layer in widths.values() for bits in (layer.weight_bits, layer.current_bits, layer.theta_bits)]
    layers = {name: about | asdict(widths[name]) if name in widths else about for name, about in _layers(network).items()}
    return {
        "words": max(table.end for table in tables),
        "network": _network(network),
        "layers": layers,
        "sizing": asdict(sizing),
        "memories": [
            {"name": table.path, "first": table.first, "depth": table.depth, "width": table.width, "field_bits": bits}
            for table, bits in zip(tables, fields, strict=True)
        ],
    }


def _network(network: Network) -> dict[str, Any]:
    """All of a network that a core has in its logic, but for the layers."""
    return {
        "input_shape": list(network.input_shape),
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
        "coding": network.coding,
        **({"coding_seed": network.coding_seed} if network.coding == "rate" else {}),
        "timesteps": network.timesteps,
        "classes": network.classes,
        "layers": [layer.name for layer in network.layers],
    }


def _layers(network: Network) -> dict[str, dict[str, Any]]:
    """The same of its layers, by name."""
    return {layer.name: _layer(layer) for layer in network.layers}


def _layer(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, Pool):
        return {}
    return {
        "outputs": layer.outputs,
        **({"kernel": layer.kernel} if isinstance(layer, Conv) else {}),
        "reset": layer.neuron.kind,
        "multiplier": layer.neuron.multiplier,
        "shift": layer.neuron.shift,
    }


def core_hash(core: dict[str, Any]) -> bytes:
    """SHA-256 of a core's description: a network that is made for one core suits all cores with the same."""
    return hashlib.sha256(json.dumps(core, sort_keys=True).encode()).digest()


def read_core(folder: Path) -> dict[str, Any]:
    """The description of the core whose HDL lies in a folder; CosimError if there is none, or not as it was written."""
    path = folder / DESCRIPTION
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CosimError(f"{path}: cannot be read ({error.strerror}); allowed: the folder of a core by convert --axi") from None
    except (ValueError, RecursionError):
        raise CosimError(f"{path}: not a file of JSON") from None
    if not isinstance(content, dict) or "load" not in content:
        raise CosimError(f"{path}: no loadable core; allowed: one by convert --axi --loadable")
    core = content["load"]
    try:
        hashed = [content["registers"][f"HASH_{i}"]["value"] for i in range(HASH_WORDS)]
    except (KeyError, TypeError):
        hashed = []
    if hashed != hash_words(core_hash(core)):
        raise CosimError(f"{path}: the description does not match its hash in HASH_0 to HASH_3; it was changed")
    return core


def network_words(network: Network, core: dict[str, Any]) -> np.ndarray:
    """The words, uint32, that load a network into a core; CosimError if the core is of another shape or too narrow.

    core: from core_description. The numbers of the network are in the core's widths, which its own must not exceed.
    """
    _check_same("network", _network(network), core["network"])
    widths = {}
    for name, about in _layers(network).items():
        _check_same(f"layer {name}", about, core["layers"][name])
    for name, needed in stage_widths(network).items():
        widths[name] = StageWidths(**{key: core["layers"][name][key] for key in asdict(needed)})
        _check_widths(name, needed, widths[name])
    stages = plan_stages(network, Sizing(**core["sizing"]), widths)
    return np.concatenate([_words(table) for table in parameter_tables(stages)])


def _check_same(where: str, wanted: dict[str, Any], core: dict[str, Any]) -> None:
    for key, value in wanted.items():
        if core.get(key) != value:
            raise CosimError(f"{where}: {key} {_shown(value)}; allowed: {_shown(core.get(key))}, the core's")


def _check_widths(name: str, needed: StageWidths, core: StageWidths) -> None:
    for key, bits in asdict(needed).items():
        if bits > getattr(core, key):
            raise CosimError(f"layer {name}: {key} {bits}; allowed: up to {getattr(core, key)}, the core's")


def _shown(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def _words(table: Table) -> np.ndarray:
    size = pieces_of(table.width) * LOAD_BITS // 8
    return np.frombuffer(b"".join(word.to_bytes(size, "little") for word in table.words), "<u4")


def load_file(network: Network, core: dict[str, Any]) -> bytes:
    """A network for the driver's load(): words of 32 bits, the lowest byte first.

    LOAD_MAGIC; the core's hash, as in HASH_0 to HASH_3; the number of words that follow the header; their CRC-32; the words.
    """
    words = network_words(network, core)
    header = [LOAD_MAGIC, *hash_words(core_hash(core)), len(words), zlib.crc32(words.tobytes())]
    assert len(header) == LOAD_HEADER
    return np.array([*header, *words], "<u4").tobytes()
