"""A study: a grid of networks, each trained, measured on the whole test set, and put on an accelerator of its own.

A point of the grid is a training run's settings. What is measured of it goes to a file of its own, so that a study that
was stopped goes on where it stood.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from reference import golden, train
from reference.coding import ENCODER
from reference.datasets import Dataset
from reference.errors import InputError
from reference.files import read_toml, write_atomically
from reference.golden import Trace
from reference.modelfile import save_model
from reference.network import Conv, Linear, Network, Pool
from reference.quantize import SpikingNetwork
from reference.settings import Settings, settings_from

from .cycle_model import run_model
from .cycle_report import stage_rows
from .energy import Coefficients, as_float, by_coefficient, operations, static_energy
from .explore import Budget, Problem, choose
from .origin import versions
from .sizing import choose_sizing
from .stage_areas import luts, stage_areas
from .synthesis import Area

RESULT, MODEL = "result.json", "model.safetensors"
BATCH = 100
NANOJOULE = 1e3
"""In picojoules."""


@dataclass(frozen=True)
class Study:
    """points: settings of each training run, by the values that the grids vary, as text. lanes: of each accelerator in all.

    cycle_images: of the test images, on how many cycles and energy are measured; accuracy and spikes are of all of them.
    clock_mhz: at which static power is integrated; each accelerator is synthesised for its area then, None for neither.
    """

    points: dict[str, Settings]
    lanes: int
    cycle_images: int
    clock_mhz: float | None = None


def read_study(path: Path) -> Study:
    """The study of a TOML file: a table `base` of settings as in train.toml, tables `grid` of lists, and `lanes`.

    Each grid gives every combination of its lists, in place of the base's values. InputError: not readable, not TOML, an
    unknown key, or settings that cannot be.
    """
    table = read_toml(path)
    try:
        return _study_from(table)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _study_from(table: dict[str, Any]) -> Study:
    allowed = ("base", "grid", "lanes", "cycle_images", "clock_mhz")
    for key in table:
        if key not in allowed:
            raise InputError(f"key {key!r}; allowed: {', '.join(allowed)}")
    base, grids = table.get("base"), table.get("grid", [])
    is_list = isinstance(grids, list) and grids and all(isinstance(grid, dict) for grid in grids)
    if not isinstance(base, dict) or not is_list:
        raise InputError("needs a table [base] and one or more tables [[grid]]")
    numbers: dict[str, Any] = {key: table.get(key) for key in ("lanes", "cycle_images")}
    for key, value in numbers.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{key} = {value!r}; allowed: whole numbers from 1 up")
    clock_mhz = table.get("clock_mhz")
    if clock_mhz is not None and (
        not isinstance(clock_mhz, int | float) or isinstance(clock_mhz, bool) or not 0 < clock_mhz < float("inf")
    ):
        raise InputError(f"clock_mhz = {clock_mhz!r}; allowed: a number above 0, or none")
    varied = list(dict.fromkeys(key for grid in grids for key in grid))
    points: dict[str, Settings] = {}
    for grid in grids:
        for key, values in grid.items():
            if not isinstance(values, list) or not values:
                raise InputError(f"grid: {key} = {values!r}; allowed: a list of values")
        for chosen in itertools.product(*grid.values()):
            settings = settings_from(base | dict(zip(grid, chosen, strict=True)))
            _check_point(settings, numbers["lanes"])
            if settings in points.values():
                raise InputError(f"grid: {dict(zip(grid, chosen, strict=True))} is there twice")
            points[",".join(f"{key}={getattr(settings, key)}" for key in varied)] = settings
    return Study(points, **numbers, clock_mhz=clock_mhz)


def _check_point(settings: Settings, lanes: int) -> None:
    """Refuse, before any training, what can be known then."""
    blank = SpikingNetwork(settings, settings.published.shape).blank
    layers = sum(not isinstance(layer, Pool) for layer in blank.layers)
    if lanes < layers:
        raise InputError(f"lanes = {lanes}; allowed: {layers} or more, one for each layer of {settings.architecture}")


def measure_point(
    settings: Settings, study: Study, data: tuple[Dataset, Dataset], folder: Path, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Train the network of a point, or go on with it, measure it, and write RESULT and MODEL to its folder.

    data: training and test images. A point that has its RESULT is not measured again.
    """
    asked: dict[str, Any] = {"settings": dataclasses.asdict(settings)}
    asked |= {key: getattr(study, key) for key in ("lanes", "cycle_images", "clock_mhz")}
    result = folder / RESULT
    if result.exists():
        found = _read_result(result)
        if any(found.get(key) != value for key, value in asked.items()):
            raise InputError(f"{result}: was measured with other settings; name another folder for this study")
        return found
    training, test = data
    if study.cycle_images > len(test.images):
        raise InputError(f"cycle_images = {study.cycle_images}; allowed: up to {len(test.images)}, the test images")
    folder.mkdir(parents=True, exist_ok=True)
    model = _trained(settings, training, folder, progress)
    progress("measuring")
    network = model.blank
    if model.exact:
        network = dataclasses.replace(model.export(), metadata=train.provenance(settings))
        save_model(network, folder / MODEL)
    found = {**asked, "generator": versions(), **_measure(model, network, study, test, progress)}
    write_atomically(result, (json.dumps(found, indent=2) + "\n").encode())
    return found


def _read_result(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not a result ({error}); delete it to measure the point again") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: not a result; delete it to measure the point again")
    return found


def _trained(settings: Settings, training: Dataset, folder: Path, progress: Callable[[str], None]) -> SpikingNetwork:
    shape = training.images.shape[1:]
    is_begun = (folder / train.CHECKPOINT).exists()
    job = train.resume(settings, shape, folder) if is_begun else train.start(settings, shape)
    while job.epoch < settings.epochs:
        train.train_epoch(job, training, lambda now: progress(f"epoch {now.epoch}, batch {now.batch} of {now.batches}"))
        train.save_checkpoint(job, folder)
    return job.model.eval()


def _measure(
    model: SpikingNetwork, network: Network, study: Study, test: Dataset, progress: Callable[[str], None]
) -> dict[str, Any]:
    right, layers = 0, _LayerCounts(network)
    for images, trace in _traces(model, network, test.images):
        right += int((trace.predicted == np.asarray(test.labels)[images]).sum())
        layers.add(trace)
    first = test.images[: study.cycle_images]
    trace = golden.joined([trace for _, trace in _traces(model, network, first)])
    default = choose_sizing(network)
    problem = Problem(network, trace, default.timesteps, default.queue_depth, 100e6, lambda name, lanes: lanes)
    choice = choose(problem, Budget("lanes", study.lanes))
    run = run_model(network, choice.stages, trace)
    done = operations(network, choice.stages, run.activity, trace)
    costs = by_coefficient(done if model.exact else as_float(done), Coefficients())
    energy_by = {name: cost / NANOJOULE / len(first) for name, cost in costs.items()}
    found = {
        "accuracy": right / len(test.images),
        "images": len(test.images),
        "layers": layers.rates(len(test.images)),
        "sizing": dataclasses.asdict(choice.sizing),
        "interval": choice.interval,
        "latency": choice.latency,
        "stages": stage_rows(run, choice.stages, choice.sizing, run.cycles / len(first)),
        "energy": sum(energy_by.values()),
        "energy_by": energy_by,
    }
    if study.clock_mhz is not None and model.exact:
        progress("synthesis")
        area = sum(stage_areas(choice.stages).values(), Area())
        static = static_energy(luts(area), choice.interval, study.clock_mhz) / NANOJOULE
        found |= {"area": dataclasses.asdict(area), "static": static}
    return found


def _traces(model: SpikingNetwork, network: Network, images: np.ndarray) -> Iterator[tuple[slice, Trace]]:
    """Spikes and answers batch by batch: of the integer reference, or of the float twin, which has no other."""
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        if model.exact:
            trace = golden.run(network, batch)
        else:
            with torch.no_grad():
                maps = torch.from_numpy(batch).float()
                spikes = {name: of_layer.transpose(0, 1).byte().numpy() for name, of_layer in model.spikes(maps).items()}
                if network.coding != "direct":
                    spikes[ENCODER] = model.first_maps(maps).transpose(0, 1).byte().numpy()
                votes, predicted = golden.count_votes(network, torch.from_numpy(spikes[network.layers[-1].name]).transpose(0, 1))
                trace = Trace(spikes, votes, predicted)
        yield slice(start, start + len(batch)), trace


class _LayerCounts:
    """Spikes by layer and timestep, events and synaptic operations, summed over batches."""

    def __init__(self, network: Network):
        self.network = network
        self.spikes = {layer.name: np.zeros(network.timesteps) for layer in network.layers}
        self.events = dict.fromkeys(self.spikes, 0)
        self.operations = dict.fromkeys(self.spikes, 0)

    def add(self, trace: Trace):
        timesteps = choose_sizing(self.network).timesteps
        before = trace.spikes.get(ENCODER)
        for layer in self.network.layers:
            spikes = trace.spikes[layer.name]
            self.spikes[layer.name] += spikes.sum((0, 2, 3, 4))
            self.events[layer.name] += int(spikes.reshape(-1, timesteps, *spikes.shape[2:]).any(1).sum())
            if isinstance(layer, Conv | Linear) and before is not None:
                taps = layer.kernel**2 if isinstance(layer, Conv) else 1
                self.operations[layer.name] += int(before.sum()) * layer.outputs * taps
            before = spikes

    def rates(self, images: int) -> dict[str, dict[str, Any]]:
        """By layer, an image: slots, neurons times timesteps; spikes of each timestep; sparsity, the share of slots without a
        spike; events, spikes of all timesteps of a pass merged; synaptic_operations, spikes in times what each reaches."""
        found = {}
        for layer, shape in zip(self.network.layers, self.network.shapes[1:], strict=True):
            spikes, slots = self.spikes[layer.name] / images, int(np.prod(shape)) * self.network.timesteps
            found[layer.name] = {
                "slots": slots,
                "spikes": spikes.tolist(),
                "sparsity": float(1 - spikes.sum() / slots),
                "events": self.events[layer.name] / images,
                "synaptic_operations": self.operations[layer.name] / images,
            }
        return found
