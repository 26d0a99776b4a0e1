"""Loadable cores: their description, and any network of their shape and ranges as the words that fill their memories."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from duospike.cosim.design.plan import StageWidths, plan_stages, stage_widths
from duospike.cosim.design.provenance import window_fields
from duospike.cosim.design.sizing import JSON_KEYS, Sizing, choose_sizing, dense_fc_image
from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError, brief, name_text
from duospike.reference.files import read_bytes, read_json
from duospike.reference.network import MAX_NEURONS, READOUTS, WEIGHT_BITS, Layer, Network, Pool
from duospike.reference.widths import EXACT_LIMIT, signed_bits
from duospike.rtl.accelerator import parameter_tables
from duospike.rtl.errors import DesignError
from duospike.rtl.loading import LOAD_BITS, LoadedTable, pieces_of
from duospike.rtl.memory import Table
from duospike.rtl.registers import CONSTANTS_FILE, FIRST_HASH, HASH_WORDS, hash_words
from duospike.rtl.stage import NeuronStage, Stage

from .pynq_driver import LOAD_HEADER, LOAD_MAGIC

DESCRIPTION = "registers.json"
"""File beside the HDL of a core that holds its description, under `load`."""
FOLDER_OF_CORE = "allowed: the folder of a core by convert --axi"
MAX_IDENTITY = 2**16
"""Bytes of a core's ROM of constants."""
MAX_HEADROOM = 16
"""Bits of currents, potentials and thresholds that a core may have beyond those that its network needs."""
MAX_BITS = signed_bits(-EXACT_LIMIT, EXACT_LIMIT) + MAX_HEADROOM
"""Width that no number of a core exceeds: of the largest value that a network may have, and the headroom."""
MAX_LISTED = 64
"""Members of a list that a message shows."""
LOADED = "loaded"
"""In the description of a layer in place of the multiplier: each channel has its own, which is loaded."""


class CoreError(CosimError):
    """A description that convert did not write."""


def loadable_widths(network: Network, headroom: int) -> dict[str, StageWidths]:
    """The widths of a core made from a network: those that it proves, and `headroom` bits more for all except the weights.

    Where each channel has its leak, it takes any multiplier that the shift allows.
    """
    shifts = {layer.name: layer.neuron.shift for layer in network.layers if not isinstance(layer, Pool)}
    return {
        name: replace(
            proven,
            current_bits=proven.current_bits + headroom,
            pooled_bits=proven.pooled_bits + headroom,
            potential_bits=proven.potential_bits + headroom,
            theta_bits=proven.theta_bits + headroom,
            leak_bits=shifts[name] + 1 if proven.leak_bits else 0,
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
    if not isinstance(stage, NeuronStage):
        return stage
    loaded = {name: getattr(stage.neuron, name) for name in ("theta", "leaks")}
    loaded = {name: tables[table.path] for name, table in loaded.items() if table in stage.neuron.tables}
    neuron = replace(stage.neuron, **loaded)
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
    field_bits = [bits for name, layer in widths.items() for bits in _field_bits(stages[name], layer)]
    layers = {name: about | widths[name].as_json() if name in widths else about for name, about in _layers(network).items()}
    for name, layer in widths.items():
        if layer.leak_bits:
            layers[name]["multiplier"] = LOADED
    return {
        "words": max(table.end for table in tables),
        "network": _network(network),
        "layers": layers,
        "sizing": sizing.as_json(),
        "memories": [
            {"name": table.path, "first": table.first, "depth": table.depth, "width": table.width, "field_bits": bits}
            for table, bits in zip(tables, field_bits, strict=True)
        ],
    }


def _field_bits(stage: Stage, widths: StageWidths) -> list[int]:
    """Of the tables of a stage, in the order of parameter_tables."""
    assert isinstance(stage, NeuronStage)
    of_neurons = {stage.neuron.theta: widths.theta_bits, stage.neuron.leaks: widths.leak_bits}
    return [widths.weight_bits, widths.current_bits, *(of_neurons[table] for table in stage.neuron.tables)]


def _network(network: Network) -> dict[str, Any]:
    """All of a network that a core has in its logic, except the layers."""
    return {
        "input_shape": list(network.input_shape),
        "image_bits": network.image_bits,
        "image_signed": network.image_signed,
        "coding": network.coding,
        **({"coding_seed": network.coding_seed} if network.coding == "rate" else {}),
        "timesteps": network.timesteps,
        "classes": network.classes,
        **({} if network.readout == READOUTS[0] else {"readout": network.readout}),
        "layers": [layer.name for layer in network.layers],
    }


def _layers(network: Network) -> dict[str, dict[str, Any]]:
    """The same of its layers, by name."""
    return {layer.name: _layer(layer) for layer in network.layers}


def _layer(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, Pool):
        return window_fields(layer)
    multipliers = layer.neuron.multipliers.tolist()
    return {
        "outputs": layer.outputs,
        **window_fields(layer),
        "reset": layer.neuron.reset,
        "multiplier": multipliers[0] if len(set(multipliers)) == 1 else multipliers,
        "shift": layer.neuron.shift,
    }


def core_hash(core: dict[str, Any]) -> bytes:
    """SHA-256 of a core's description: a network that is made for one core suits all cores with the same."""
    return hashlib.sha256(json.dumps(core, sort_keys=True).encode()).digest()


def read_core(folder: Path) -> dict[str, Any]:
    """The description of the core whose HDL lies in a folder; CoreError if there is none, or not that of the hardware.

    The hash of the description must be the one in the hardware's own ROM of constants: a changed description is
    refused, even if its own hash was renewed.
    """
    path = folder / DESCRIPTION
    try:
        content = read_json(path)
    except InputError as error:
        raise CoreError(f"{error}; {FOLDER_OF_CORE}") from None
    if "load" not in content:
        raise CoreError(f"{path}: no loadable core; allowed: one by convert --axi --loadable")
    core = content["load"]
    if hash_words(core_hash(core)) != hardware_hash(folder / CONSTANTS_FILE):
        raise CoreError(f"{path}: the description does not match the hash in {CONSTANTS_FILE}, the hardware's; it was changed")
    return core


def hardware_hash(path: Path) -> list[int]:
    """HASH_0 and the registers after it, as a core has them in its ROM."""
    try:
        lines = read_bytes(path, MAX_IDENTITY).split()[FIRST_HASH : FIRST_HASH + HASH_WORDS]
    except InputError as error:
        raise CoreError(f"{error}; {FOLDER_OF_CORE}") from None
    if not all(re.fullmatch(b"[0-9a-f]{8}", line) for line in lines):
        raise CoreError(f"{path}: not as convert wrote it")
    return [int(line, 16) for line in lines]


def network_words(network: Network, core: dict[str, Any]) -> np.ndarray:
    """The words, uint32, that load a network into a core.

    core: from core_description. Of one that was read from a file only the sizing and the widths are believed, and only if a core
    can have them; all else is computed from them and the network, and compared. CoreError if it differs, CosimError if the
    network is of another shape, or its numbers need more bits than the core has.
    """
    _check_keys("load", core, ("words", "network", "layers", "sizing", "memories"))
    _check_same("network", _network(network), core["network"])
    _check_same("network", {"readout": network.readout}, {"readout": READOUTS[0]} | core["network"])
    widths, sizing = _claimed_widths(network, core["layers"]), claimed_sizing("load: sizing", network, core["sizing"])
    stages = loadable_stages(plan_stages(network, sizing, widths))
    for key, value in core_description(network, sizing, widths, stages).items():
        if plain(core[key]) != plain(value):
            raise CoreError(f"load: {key} is not what the network, the widths and the sizing give; it was changed")
    return np.concatenate([_words(table) for table in parameter_tables(stages)])


def _claimed_widths(network: Network, layers: Any) -> dict[str, StageWidths]:
    """The widths in a description, by layer name; CoreError if they are none, CosimError if the network does not fit."""
    about = _layers(network)
    _check_keys("load: layers", layers, tuple(about))
    for name, wanted in about.items():
        is_loaded = isinstance(layers[name], dict) and layers[name].get("multiplier") == LOADED
        _check_same(f"layer {name}", wanted | ({"multiplier": LOADED} if is_loaded else {}), layers[name])
    widths = {}
    for name, needed in stage_widths(network).items():
        widths[name] = _claimed_stage_widths(f"load: layers: {name}", layers[name])
        _check_widths(name, needed, widths[name])
    return widths


def _claimed_stage_widths(where: str, layer: dict[str, Any]) -> StageWidths:
    claimed: dict[str, Any] = {field.name: layer.get(field.name) for field in fields(StageWidths)}
    if "pooled_bits" not in layer:
        claimed["pooled_bits"] = claimed["current_bits"]
    if layer["multiplier"] != LOADED:
        claimed["leak_bits"] = claimed["leak_bits"] or 0
    limits = {"weight_bits": (1, WEIGHT_BITS.stop - 1), "leak_bits": (layer["multiplier"] == LOADED, layer["shift"] + 1)}
    for key, bits in claimed.items():
        _check_integer(f"{where}: {key}", bits, *limits.get(key, (1, MAX_BITS)))
    widths = StageWidths(**claimed)
    sums = (layer.get("current_pool") or {}).get("op") == "sum"
    most = MAX_BITS if sums else widths.current_bits
    _check_integer(f"{where}: pooled_bits", widths.pooled_bits, widths.current_bits, most)
    widest = max(widths.pooled_bits, widths.theta_bits)
    _check_integer(f"{where}: potential_bits", widths.potential_bits, widest, MAX_BITS)
    return widths


def claimed_sizing(where: str, network: Network, sizing: Any) -> Sizing:
    """The sizing in a description; CoreError if no core for the network can have it. where: its place, for the message."""
    keys = {name: key for name, key in JSON_KEYS.items() if name != "lane_multipliers" or dense_fc_image(network)}
    _check_keys(where, sizing, tuple(keys.values()))
    for key, value in sizing.items():
        numbers = value if key in ("lanes", "parts", "lane_multipliers") else {"": value}
        if not isinstance(numbers, dict):
            raise CoreError(f"{where}: {key} {brief(value)}; allowed: a number for each layer")
        for layer, number in numbers.items():
            _check_integer(f"{where}: {key}" + (f" {name_text(layer)}" if layer else ""), number, 1, MAX_NEURONS)
    try:
        return choose_sizing(network, **{name: sizing[key] for name, key in keys.items()})
    except (InputError, DesignError) as error:
        raise CoreError(f"{where}: {error}") from None


def _check_keys(where: str, content: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(content, dict) or set(content) != set(keys):
        raise CoreError(f"{where}: other entries than convert writes; allowed: {', '.join(keys)}")


def _check_integer(where: str, value: Any, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise CoreError(f"{where} {brief(value)}; allowed: {low} to {high}")


def plain(value: Any) -> str:
    """As text, in which neither true nor 1.0 is 1."""
    return json.dumps(value, sort_keys=True)


def _check_same(where: str, wanted: dict[str, Any], core: Any) -> None:
    """CosimError if a network differs from what a core has in its logic."""
    if not isinstance(core, dict):
        raise CoreError(f"load: {where}: not the entries that convert writes")
    for key, value in wanted.items():
        if plain(core.get(key)) != plain(value):
            raise CosimError(f"{where}: {key} {_shown(value)}; allowed: {_shown(core.get(key))}, the core's")


def _check_widths(name: str, needed: StageWidths, core: StageWidths) -> None:
    for key, bits in asdict(needed).items():
        if bits > getattr(core, key):
            raise CosimError(f"layer {name}: {key} {bits}; allowed: up to {getattr(core, key)}, the core's")


def _shown(value: Any) -> str:
    return "-".join(map(name_text, value)) if isinstance(value, list) and len(value) <= MAX_LISTED else name_text(value)


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


def load_file_of(network: Network, folder: Path) -> tuple[bytes, dict[str, Any]]:
    """load_file() for the core whose HDL lies in a folder, and the description of that core.

    CoreError, which names the file, for a description that convert did not write; CosimError for a network that does not fit.
    """
    core = read_core(folder)
    try:
        return load_file(network, core), core
    except CoreError as error:
        raise CoreError(f"{folder / DESCRIPTION}: {error}") from None
