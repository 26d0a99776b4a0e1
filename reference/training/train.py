"""Training a SpikingNetwork: seeded, with a checkpoint after each epoch, resumable to the same result."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch.nn import functional

from duospike.reference.data.datasets import PUBLISHED, Dataset, Published
from duospike.reference.errors import InputError, brief
from duospike.reference.files import parse_json, write_atomically
from duospike.reference.tensors import TensorFile, read_header

from .quantize import SpikingNetwork
from .settings import Settings

CHECKPOINT = "checkpoint.safetensors"
KEY = "duospike.training"
"""Of the metadata of a checkpoint."""
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW remembers of each parameter."""
EVALUATION_BATCH = 100
WEIGHT_DECAY = 1e-4
# Votes run from 0 to T * neurons per class; cross entropy wants logits of a few units.
LOGIT_RANGE = 10.0


@dataclass(frozen=True)
class Progress:
    """The state of a run after a batch: mean loss and share of right answers of the epoch so far."""

    epoch: int
    batch: int
    batches: int
    loss: float
    accuracy: float


@dataclass
class Run:
    """A training run: `epoch` epochs are done."""

    settings: Settings
    model: SpikingNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0


def start(settings: Settings, input_shape: tuple[int, int, int]) -> Run:
    """A fresh run; its initial weights follow from the seed alone."""
    torch.manual_seed(settings.seed)
    model = SpikingNetwork(settings, input_shape)
    return Run(settings, model, torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=WEIGHT_DECAY))


def save_checkpoint(run: Run, folder: Path) -> None:
    """Write the run to `folder`, whole or not at all: a safetensors file, whose metadata has its settings and its epoch."""
    tensors = {f"model.{name}": value for name, value in run.model.state_dict().items()}
    for number, moments in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    about = {"settings": dataclasses.asdict(run.settings), "epoch": run.epoch}
    content = save({name: np.asarray(value.numpy(), order="C") for name, value in tensors.items()}, {KEY: json.dumps(about)})
    write_atomically(folder / CHECKPOINT, content)


def resume(settings: Settings, input_shape: tuple[int, int, int], folder: Path) -> Run:
    """The run that `folder` holds. InputError: no checkpoint there, a damaged one, or one of other settings."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise InputError(f"{path}: not found, there is nothing to resume")
    file = read_header(path)
    try:
        about = parse_json(file.metadata.get(KEY, ""))
        if not isinstance(about, dict) or about.keys() != {"settings", "epoch"} or file.metadata.keys() != {KEY}:
            raise ValueError("its metadata has not settings and epoch")
        if not settings.are(about["settings"]):
            raise InputError("was trained with other settings; resume with those, or start in another folder")
        run = start(settings, input_shape)
        _restore(run, about["epoch"], file)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except ValueError as error:
        raise InputError(f"{path}: not a checkpoint ({brief(error)})") from None
    return run


def _restore(run: Run, epoch: Any, file: TensorFile) -> None:
    if type(epoch) is not int or not 0 <= epoch <= run.settings.epochs:
        raise ValueError(f"epoch {brief(epoch)}")
    model = {name: tuple(value.shape) for name, value in run.model.state_dict().items()}
    parameters = list(run.model.parameters()) if epoch else []
    moments = [{name: () if name == "step" else tuple(value.shape) for name in MOMENTS} for value in parameters]
    wanted = {f"model.{name}": shape for name, shape in model.items()}
    wanted |= {f"optimizer.{number}.{name}": shape for number, of_one in enumerate(moments) for name, shape in of_one.items()}
    found = _read_floats(file, wanted)
    run.model.load_state_dict({name: found[f"model.{name}"] for name in model})
    state = {number: {name: found[f"optimizer.{number}.{name}"] for name in MOMENTS} for number in range(len(parameters))}
    run.optimizer.load_state_dict(run.optimizer.state_dict() | {"state": state})
    run.epoch = epoch


def _read_floats(file: TensorFile, wanted: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The tensors of a file, by name. ValueError: others than the shapes that are wanted, or a value that is not finite."""
    held = {name: entry.shape for name, entry in file.entries.items() if entry.dtype == np.float32}
    for name in sorted(wanted.keys() | file.entries.keys()):
        if name not in held or held[name] != wanted.get(name):
            raise ValueError(f"tensor {brief(name)} of float32 has shape {held.get(name)}, needs {wanted.get(name)}")
    found = {name: torch.from_numpy(file.read(name)) for name in wanted}
    for name, values in found.items():
        if not values.isfinite().all():
            raise ValueError(f"tensor {name} holds a value that is not finite")
    return found


def training_device() -> torch.device:
    """The first GPU if torch finds one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train_epoch(run: Run, data: Dataset, report: Callable[[Progress], None] = lambda progress: None) -> None:
    """One epoch over `data`. Its order and augmentation follow from the seed and the epoch's number alone.

    On `training_device()`; the run is on the processor before and after.
    """
    device = training_device()
    _move(run, device)
    run.model.train()
    batches = math.ceil(len(data.images) / run.settings.batch_size)
    seen, loss_sum, right = 0, 0.0, 0
    for number, (images, labels) in enumerate(_batches(run, data), start=1):
        set_learning_rate(run, run.epoch + (number - 1) / batches)
        spikes = run.model.spikes(images)
        votes = run.model.votes(spikes[run.model.blank.layers[-1].name])
        labels = labels.to(device)
        loss = vote_loss(votes, labels, run.model.max_votes)
        if run.settings.spike_penalty:
            loss = loss + run.settings.spike_penalty * run.model.spike_rate(spikes)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        seen += len(labels)
        loss_sum += loss.item() * len(labels)
        right += int((votes.argmax(1) == labels).sum())
        report(Progress(run.epoch + 1, number, batches, loss_sum / seen, right / seen))
    run.epoch += 1
    _move(run, torch.device("cpu"))


def _move(run: Run, device: torch.device):
    run.model.to(device)
    # What the optimizer remembers follows its parameters only here.
    run.optimizer.load_state_dict(run.optimizer.state_dict())


def _batches(run: Run, data: Dataset) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    images, labels = data.images, np.asarray(data.labels)
    generator = torch.Generator().manual_seed((run.settings.seed << 20) + run.epoch)
    for chosen in torch.randperm(len(images), generator=generator).split(run.settings.batch_size):
        batch = torch.from_numpy(images[chosen.numpy()]).float()
        yield augment(batch, generator, PUBLISHED[run.settings.dataset]), torch.from_numpy(labels[chosen.numpy()])


def augment(images: torch.Tensor, generator: torch.Generator, published: Published) -> torch.Tensor:
    """Mirror each image left to right with chance 1/2, and move it by some pixels, as the data set allows.

    images: [B, C, H, W], or [B, T, C, H, W], of which all timesteps are moved alike.
    """
    count, height, width = len(images), *images.shape[-2:]
    mirrored = torch.rand(count, *[1] * (images.ndim - 1), generator=generator) < 0.5
    if published.mirrored:
        images = torch.where(mirrored, images.flip(-1), images)
    padded = functional.pad(images, [published.shift] * 4)
    places = torch.randint(0, 2 * published.shift + 1, (count, 2), generator=generator).tolist()
    moved = [image[..., down : down + height, right : right + width] for image, (down, right) in zip(padded, places, strict=True)]
    return torch.stack(moved)


def set_learning_rate(run: Run, epochs_done: float) -> None:
    """Half a cosine from the peak to 0 over the whole run."""
    share = 0.5 * (1 + math.cos(math.pi * epochs_done / run.settings.epochs))
    for group in run.optimizer.param_groups:
        group["lr"] = run.settings.learning_rate * share


def vote_loss(votes: torch.Tensor, labels: torch.Tensor, max_votes: int) -> torch.Tensor:
    """Cross entropy of the votes [B, classes], scaled so that `max_votes` gives a logit of LOGIT_RANGE."""
    return functional.cross_entropy(votes * (LOGIT_RANGE / max_votes), labels)


def accuracy(model: SpikingNetwork, data: Dataset) -> float:
    """Share of right answers of the model in evaluation mode; the smallest class wins a draw."""
    model.eval()
    with torch.no_grad():
        batches = torch.arange(len(data.images)).split(EVALUATION_BATCH)
        answers = [model(torch.from_numpy(data.images[chosen.numpy()]).float()).argmax(1) for chosen in batches]
    return float((torch.cat(answers).numpy() == data.labels).mean())


def provenance(settings: Settings) -> dict[str, str]:
    """The settings of a run as strings, for the metadata of its model file; except those left at their defaults."""
    changed = (field for field in dataclasses.fields(settings) if getattr(settings, field.name) != field.default)
    return {field.name: str(getattr(settings, field.name)) for field in changed}
