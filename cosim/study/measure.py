"""The points of a study: each network trained or loaded, measured on the whole test set, and put on an accelerator of its own.

What is measured of a point goes to a file of its own, so that a study that was stopped goes on from there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duospike.cosim.cycles.model import run_model
from duospike.cosim.cycles.report import stage_rows
from duospike.cosim.design.provenance import versions
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.energy.model import Coefficients, as_float, by_coefficient, count_operations, static_energy
from duospike.cosim.energy.report import NANOJOULE
from duospike.cosim.exploration.explore import Budget, Problem, choose, lanes_cost
from duospike.cosim.sources import digest_of_modules
from duospike.cosim.synthesis.stage_areas import luts, stage_areas
from duospike.cosim.synthesis.synthesize import Area
from duospike.reference import golden
from duospike.reference.coding import ENCODER
from duospike.reference.data.datasets import Dataset
from duospike.reference.data.pixels import UNSIGNED, converted
from duospike.reference.errors import InputError
from duospike.reference.files import read_json, write_atomically
from duospike.reference.golden import Trace
from duospike.reference.modelfile import save_model
from duospike.reference.network import Conv, Linear, Network, Pool
from duospike.reference.training import train
from duospike.reference.training.quantize import SpikingNetwork
from duospike.reference.training.settings import Settings

from .pairs import spike_counts
from .study_file import LoadedModel, Point, Study

RESULT, MODEL = "result.json", "model.safetensors"
BEGUN = "begun.json"
"""Beside a checkpoint: the digest of the training's sources that began it."""
OUTSIDE = [
    "*/errors.py",
    *("reference/files.py", "reference/locks.py", "cosim/sources.py", "cosim/folder.py", "cosim/interrupts.py"),
    *("cosim/pages/*", "cosim/study/study_file.py"),
]
"""Messages, files and pages: imported by what makes results, and none depends on them."""
SYNTHESIS = ["cosim/conversion/*", "cosim/synthesis/*", "cosim/simulation/[!n]*"]
"""What only an area depends on."""
BATCH = 100


def measure_point(
    point: Point,
    study: Study,
    data: tuple[Dataset | None, Dataset],
    folder: Path,
    progress: Callable[[str], None],
    again: bool = False,
) -> dict[str, Any]:
    """Train, resume or load the network of a point; measure it, and write RESULT and MODEL.

    data: training images (None for a loaded network) and test images. folder: of the point; a float twin has no MODEL.
    A point that has its RESULT is not measured again; with `again` it is, if other sources than today's made it.
    """
    if isinstance(point, LoadedModel):
        asked: dict[str, Any] = {"settings": point.settings, "sha256": point.sha256}
    else:
        asked = {"settings": asdict(point)}
    asked |= {key: getattr(study, key) for key in ("lanes", "cycle_images", "clock_mhz")}
    result = folder / RESULT
    if result.exists():
        found = _read_result(result)
        is_same = isinstance(point, Settings) and point.are(found.get("settings"))
        if any(found.get(key) != value for key, value in asked.items() if not (key == "settings" and is_same)):
            raise InputError(f"{result}: was measured with other settings; name another folder for this study")
        if not (again and is_old(found)):
            return found
        made_by = found.get("sources")
        _note_sources(folder, made_by.get("training") if isinstance(made_by, dict) else None)
    training, test = data
    if study.cycle_images > len(test.images):
        raise InputError(f"cycle_images = {study.cycle_images}; allowed: up to {len(test.images)}, the test images")
    folder.mkdir(parents=True, exist_ok=True)
    twin, per_epoch = None, {}
    if isinstance(point, LoadedModel):
        network = point.network
        test = replace(test, images=converted(test.images, network.metadata.get("pixels", UNSIGNED)))
        network.require_fit(test.images)
    else:
        assert training is not None
        test = replace(test, images=converted(test.images, point.pixels))
        _check_sources(folder, again)
        job = _trained(point, training, data[1], folder, progress)
        model, per_epoch = job.kept(), {"per_epoch": job.history}
        twin = None if model.exact else model
        network = replace(model.export(), metadata=train.provenance(point)) if model.exact else model.blank
    if twin is None:
        save_model(network, folder / MODEL)
    progress("measuring")
    found = {
        **asked,
        "generator": versions(),
        "sources": sources(study.clock_mhz is not None),
        **_measure(network, twin, study, test, progress),
        **per_epoch,
    }
    write_atomically(result, (json.dumps(found, indent=2) + "\n").encode())
    return found


@cache
def sources(with_area: bool = False) -> dict[str, str]:
    """Digests of what makes a result: training decides the network, measuring all else."""
    measuring = OUTSIDE if with_area else [*OUTSIDE, *SYNTHESIS]
    return {
        "training": digest_of_modules(["duospike.reference.training.train"], OUTSIDE),
        "measuring": digest_of_modules(["duospike.cosim.study.measure"], measuring),
    }


def is_old(result: dict[str, Any]) -> bool:
    """Whether other sources than today's made a result, or unknown ones."""
    return result.get("sources") != sources(result.get("clock_mhz") is not None)


def _check_sources(folder: Path, again: bool) -> None:
    """InputError: the folder's checkpoint was begun by other sources of training than today's; with `again` it is removed."""
    checkpoint, origin = folder / train.CHECKPOINT, folder / BEGUN
    if checkpoint.exists():
        found = read_json(origin).get("training") if origin.exists() else None
        if found != sources()["training"] and not again:
            raise InputError(
                f"{checkpoint}: was begun by {f'sources {found}' if found else 'unknown sources'} of training, today's are "
                f"{sources()['training']}; go on with those of then, or train the point from its start with --again"
            )
        if found != sources()["training"]:
            checkpoint.unlink()
    _note_sources(folder, sources()["training"])


def _note_sources(folder: Path, training: str | None) -> None:
    """Which sources of training began the checkpoint in a folder, None for unknown ones."""
    write_atomically(folder / BEGUN, (json.dumps({"training": training}) + "\n").encode())


def _read_result(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except InputError as error:
        raise InputError(f"{path}: not a result; delete it to measure the point again ({error})") from None


def _trained(settings: Settings, training: Dataset, test: Dataset, folder: Path, progress: Callable[[str], None]) -> train.Run:
    shape = training.images.shape[-3:]
    is_begun = (folder / train.CHECKPOINT).exists()
    job = train.resume(settings, shape, folder) if is_begun else train.start(settings, shape)
    for found in train.train_on(
        job, training, test, folder, lambda now: progress(f"epoch {now.epoch}, batch {now.batch} of {now.batches}")
    ):
        progress(f"epoch {found['epoch']} done: {found['test_accuracy']:.2%} of the test images")
    return job


def _measure(
    network: Network, twin: SpikingNetwork | None, study: Study, test: Dataset, progress: Callable[[str], None]
) -> dict[str, Any]:
    """twin: the network in float, of which `network` gives only the shapes; None: `network` itself is measured."""
    right, layers = 0, _LayerCounts(network)
    for images, trace in _traces(network, twin, test.images):
        right += int((trace.predicted == np.asarray(test.labels)[images]).sum())
        layers.add(trace)
    first = test.images[: study.cycle_images]
    trace = golden.join_traces([trace for _, trace in _traces(network, twin, first)])
    default = choose_sizing(network)
    problem = Problem(network, trace, default.timesteps, default.queue_depth, 100e6, partial(lanes_cost, network))
    choice = choose(problem, Budget("lanes", study.lanes))
    run = run_model(choice.stages, trace)
    operations = count_operations(network, choice.stages, run.activity, trace)
    costs = by_coefficient(as_float(operations) if twin else operations, Coefficients())
    energy_by = {name: cost / NANOJOULE / len(first) for name, cost in costs.items()}
    found = {
        "accuracy": right / len(test.images),
        "images": len(test.images),
        "layers": layers.rates(len(test.images)),
        "image_spikes": image_spikes(network, trace),
        "sizing": choice.sizing.as_json(),
        "interval": choice.interval,
        "latency": choice.latency,
        "stages": stage_rows(run, choice.stages, choice.sizing, run.cycles / len(first)),
        "energy": sum(energy_by.values()),
        "energy_by": energy_by,
    }
    if study.clock_mhz is not None and twin is None:
        progress("synthesis")
        area = sum(stage_areas(choice.stages).values(), Area())
        static = static_energy(luts(area), choice.interval, study.clock_mhz) / NANOJOULE
        found |= {"area": asdict(area), "static": static}
    return found


def image_spikes(network: Network, trace: Trace) -> dict[str, list[int]]:
    """Of each image of a trace spikes and spikes_in, see pairs.spike_counts()."""
    of_layers = [(layer.name, trace.spikes[layer.name]) for layer in network.layers if layer.name in trace.spikes]
    counts = spike_counts({name: spikes.sum((1, 2, 3, 4), dtype=np.int64) for name, spikes in of_layers})
    return {key: np.asarray(of_images).tolist() for key, of_images in counts.items()}


def _traces(network: Network, twin: SpikingNetwork | None, images: np.ndarray) -> Iterator[tuple[slice, Trace]]:
    """Spikes and answers batch by batch: of the integer reference, or of the float twin, which has no other."""
    size = golden.batch_size(network.timesteps, BATCH)
    for start in range(0, len(images), size):
        batch = images[start : start + size]
        if twin is None:
            trace = golden.run(network, batch)
        else:
            with torch.no_grad():
                maps = torch.tensor(batch, dtype=torch.float32)
                spikes = {name: of_layer.transpose(0, 1).byte().numpy() for name, of_layer in twin.spikes(maps).items()}
                if network.takes_spikes:
                    spikes[ENCODER] = twin.first_maps(maps).transpose(0, 1).byte().numpy()
                last = torch.from_numpy(spikes[network.layers[-1].name]).transpose(0, 1)
                scores, predicted = golden.class_scores(network, None, last)
                trace = Trace(spikes, scores, predicted)
        yield slice(start, start + len(batch)), trace


def _in_windows(spikes: np.ndarray, pool: Pool) -> np.ndarray:
    """Of spikes [..., height, width] those in a window of a pool of sums: the last rows and columns may be in none."""
    rows, columns = (size // window * window for size, window in zip(spikes.shape[-2:], pool.kernel, strict=True))
    return spikes[..., :rows, :columns]


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
            spikes = trace.spikes.get(layer.name)
            if spikes is not None:
                self.spikes[layer.name] += spikes.sum((0, 2, 3, 4))
                self.events[layer.name] += int(spikes.reshape(-1, timesteps, *spikes.shape[2:]).any(1).sum())
            if isinstance(layer, Conv | Linear) and before is not None:
                taps = math.prod(layer.kernel) if isinstance(layer, Conv) else 1
                self.operations[layer.name] += int(before.sum()) * layer.outputs * taps
            if isinstance(layer, Pool) and not golden.gives_spikes(self.network, layer):
                # The layer behind takes the spikes themselves.
                before = None if before is None else _in_windows(before, layer)
            else:
                before = spikes

    def rates(self, images: int) -> dict[str, dict[str, Any]]:
        """By layer, except sums of spikes, an image: slots, neurons times timesteps; spikes of each timestep; sparsity, the share
        of slots without a spike; events, spikes of all timesteps of a pass merged; synaptic_operations, spikes in times what each
        reaches."""
        found = {}
        for layer, shape in zip(self.network.layers, self.network.shapes[1:], strict=True):
            if isinstance(layer, Pool) and not golden.gives_spikes(self.network, layer):
                continue
            spikes, slots = self.spikes[layer.name] / images, int(np.prod(shape)) * self.network.timesteps
            found[layer.name] = {
                "slots": slots,
                "spikes": spikes.tolist(),
                "sparsity": float(1 - spikes.sum() / slots),
                "events": self.events[layer.name] / images,
                "synaptic_operations": self.operations[layer.name] / images,
            }
        return found
