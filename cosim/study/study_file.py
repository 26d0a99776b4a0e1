"""The file of a study: which networks to train, which to load, and how to measure them."""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from duospike.cosim.design.provenance import shown_beta
from duospike.reference.architecture import architecture_of
from duospike.reference.data.datasets import PUBLISHED, Published
from duospike.reference.data.pixels import CENTRED, UNSIGNED
from duospike.reference.errors import InputError, brief, did_you_mean
from duospike.reference.files import read_toml
from duospike.reference.modelfile import load_model, model_bytes
from duospike.reference.network import Network, Pool
from duospike.reference.training.quantize import blank_of
from duospike.reference.training.settings import Settings, settings_from

MAX_POINTS = 1000
MAX_NAME = 200
"""Characters of a point's name, which is that of a folder."""
MAX_PIXEL = 255
"""Pixels of published data sets are bytes."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network of a model file. name: of the file, without its ending. published: the data set that it is measured on."""

    name: str
    network: Network
    published: Published

    @property
    def settings(self) -> dict[str, Any]:
        """What the network itself says, under the names of Settings, and the file's name under `model`."""
        weighted = [layer for layer in self.network.layers if not isinstance(layer, Pool)]
        bits = sorted({layer.weight_bits for layer in weighted})
        neurons = [layer.neuron for layer in weighted]
        return {
            "model": self.name,
            "architecture": architecture_of(self.network),
            "dataset": self.published.name,
            "weight_bits": bits[0] if len(bits) == 1 else "+".join(map(str, bits)),
            "timesteps": self.network.timesteps,
            "beta": "+".join(sorted({shown_beta(neuron) for neuron in neurons})),
            "reset": "+".join(sorted({neuron.reset for neuron in neurons})),
            "classes": self.network.classes,
            "coding": self.network.coding,
            "coding_seed": self.network.coding_seed,
        }

    @property
    def sha256(self) -> str:
        """Of the model file that save_model writes for it."""
        return hashlib.sha256(model_bytes(self.network)).hexdigest()


Point = Settings | LoadedModel
"""What a study measures: the network of a training run, or a loaded one."""


@dataclass(frozen=True)
class Study:
    """points: what to measure, training runs by the values that the grids vary, as text. lanes: of each accelerator in all.

    cycle_images: of the test images, on how many cycles and energy are measured; accuracy and spikes are of all of them.
    clock_mhz: at which static power is integrated; each accelerator is synthesised for its area then, None for neither.
    """

    points: dict[str, Point]
    lanes: int
    cycle_images: int
    clock_mhz: float | None = None


def read_study(path: Path) -> Study:
    """The study of a TOML file: a table `base` of settings as in train.toml, tables `grid` of lists, `models`, and `lanes`.

    Each grid gives every combination of its lists, in place of the base's values. models: model files, from the folder of the
    TOML file, to be measured beside them on the base's data set. InputError: not readable, not TOML, an unknown key, settings
    that cannot be, or a network that does not fit the data set.
    """
    table = read_toml(path)
    try:
        return _study_from(table, path.parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _study_from(table: dict[str, Any], folder: Path) -> Study:
    allowed = ("base", "grid", "models", "lanes", "cycle_images", "clock_mhz")
    for key in table:
        if key not in allowed:
            raise InputError(f"key {brief(key)}; allowed: {', '.join(allowed)}{did_you_mean(key, allowed)}")
    base, grids, models = table.get("base"), table.get("grid", []), table.get("models", [])
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise InputError(f"models = {brief(models)}; allowed: a list of model files")
    is_list = isinstance(grids, list) and all(isinstance(grid, dict) for grid in grids)
    if not isinstance(base, dict) or not is_list or not (grids or models):
        raise InputError("needs a table [base], and tables [[grid]] or a list of models")
    names = [field.name for field in fields(Settings)]
    for where, keys in (("base", base), *(("grid", grid) for grid in grids)):
        for key in keys:
            if key not in names:
                raise InputError(f"{where}: key {brief(key)}; allowed: {', '.join(names)}{did_you_mean(key, names)}")
    numbers: dict[str, Any] = {key: table.get(key) for key in ("lanes", "cycle_images")}
    for key, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{key} = {brief(value)}; allowed: whole numbers from 1 up")
    clock_mhz = table.get("clock_mhz")
    if clock_mhz is not None and (
        not isinstance(clock_mhz, int | float) or isinstance(clock_mhz, bool) or not 0 < clock_mhz < float("inf")
    ):
        raise InputError(f"clock_mhz = {brief(clock_mhz)}; allowed: a number above 0, or none")
    points: dict[str, Point] = _trained_points(base, grids)
    for model in models:
        loaded = _loaded_point(folder / model, base.get("dataset"))
        if loaded.name in points:
            raise InputError(f"models: two of them are called {loaded.name}")
        points[loaded.name] = loaded
    # Points that differ in their seeds alone have the same layers.
    alike = {replace(point, seed=0) if isinstance(point, Settings) else point for point in points.values()}
    for point in alike:
        _check_lanes(point, numbers["lanes"])
    return Study(points, **numbers, clock_mhz=clock_mhz)


def _trained_points(base: dict[str, Any], grids: list[dict[str, Any]]) -> dict[str, Point]:
    varied = list(dict.fromkeys(key for grid in grids for key in grid))
    points: dict[str, Point] = {}
    seen: set[Settings] = set()
    for grid in grids:
        for key, values in grid.items():
            if not isinstance(values, list) or not values:
                raise InputError(f"grid: {key} = {brief(values)}; allowed: a list of values")
    count = sum(math.prod(map(len, grid.values())) for grid in grids)
    if count > MAX_POINTS:
        raise InputError(f"grid: {count} points; allowed: up to {MAX_POINTS}")
    for grid in grids:
        for chosen in itertools.product(*grid.values()):
            settings = settings_from(base | dict(zip(grid, chosen, strict=True)))
            if settings in seen:
                raise InputError(f"grid: {brief(dict(zip(grid, chosen, strict=True)))} is there twice")
            seen.add(settings)
            # A name is that of a folder, too: VGG9/8 and beta 5/32 have a slash.
            name = ",".join(f"{key}={getattr(settings, key)}" for key in varied).replace("/", "_")
            if len(name) > MAX_NAME:
                raise InputError(f"grid: {brief(name)} names a point, {len(name)} characters; allowed: up to {MAX_NAME}")
            points[name] = settings
    return points


def _loaded_point(path: Path, dataset: object) -> LoadedModel:
    if not isinstance(dataset, str) or dataset not in PUBLISHED:
        raise InputError(f"base: dataset = {brief(dataset)}; allowed: {', '.join(PUBLISHED)}")
    published, network = PUBLISHED[dataset], load_model(path)
    if published.events or published.shape is None:
        raise InputError(f"models: dataset = {brief(dataset)}; allowed beside models: published data sets of images")
    found, wanted = (network.image_shape, network.classes), (published.shape, published.classes)
    if found != wanted:
        raise InputError(
            f"{path}: takes images of {'x'.join(map(str, found[0]))} for {found[1]} classes; {published.name} has "
            f"{'x'.join(map(str, wanted[0]))} and {wanted[1]}"
        )
    if network.metadata.get("pixels", UNSIGNED) != CENTRED and (network.pixel_range[0] > 0 or network.pixel_range[1] < MAX_PIXEL):
        raise InputError(
            f"{path}: takes pixels from {network.pixel_range[0]} to {network.pixel_range[1]}; needs 0 to {MAX_PIXEL}"
        )
    return LoadedModel(path.stem, network, published)


def _check_lanes(point: Point, lanes: int) -> None:
    """Refuse, before any training, what can be known then."""
    network = point.network if isinstance(point, LoadedModel) else blank_of(point, point.input_shape)
    layers = sum(not isinstance(layer, Pool) for layer in network.layers)
    if lanes < layers:
        raise InputError(f"lanes = {lanes}; allowed: {layers} or more, one for each layer of {architecture_of(network)}")
