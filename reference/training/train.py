"""Training a SpikingNetwork: seeded, with a checkpoint after each epoch, resumable to the same result."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch.nn import functional

from duospike.reference.data.datasets import PUBLISHED, Dataset
from duospike.reference.data.pixels import DIGITS, converted, converted_floats
from duospike.reference.errors import InputError, brief
from duospike.reference.files import parse_json, write_atomically
from duospike.reference.tensors import TensorFile, read_header

from .quantize import SpikingNetwork
from .settings import Settings

CHECKPOINT = "checkpoint.safetensors"
KEY = "duospike.training"
"""Of the metadata of a checkpoint."""
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam and AdamW remember of each parameter."""
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
EVALUATION_BATCH = 100
CPU = torch.device("cpu")
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
    """A training run: `epoch` epochs are done.

    history: of each epoch what examine() found behind it, with its number and the loss and accuracy of training. best: the
    state of the model that is to be kept, if that is not the last epoch's.
    """

    settings: Settings
    model: SpikingNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, torch.Tensor] | None = None

    def kept(self) -> SpikingNetwork:
        """The model in evaluation mode, of the epoch that the settings keep."""
        if self.best is not None:
            self.model.load_state_dict(self.best)
        return self.model.eval()


def start(settings: Settings, input_shape: tuple[int, int, int]) -> Run:
    """A fresh run; its initial weights follow from the seed alone."""
    torch.manual_seed(settings.seed)
    model = SpikingNetwork(settings, input_shape)
    return Run(settings, model, fresh_optimizer(settings, model))


def fresh_optimizer(settings: Settings, model: SpikingNetwork) -> torch.optim.Optimizer:
    """The optimizer of the settings, with nothing in its memory."""
    return OPTIMIZERS[settings.optimizer](model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)


def save_checkpoint(run: Run, folder: Path) -> None:
    """Write the run to `folder`, whole or not at all: a safetensors file, whose metadata has its settings and its epoch."""
    tensors = {f"model.{name}": value for name, value in run.model.state_dict().items()}
    for number, moments in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": value for name, value in moments.items()}
    tensors |= {f"best.{name}": value for name, value in (run.best or {}).items()}
    about = {"settings": dataclasses.asdict(run.settings), "epoch": run.epoch, "history": run.history}
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
        # Earlier versions kept no history.
        is_run = isinstance(about, dict) and about.keys() - {"history"} == {"settings", "epoch"}
        if not is_run or file.metadata.keys() != {KEY}:
            raise ValueError("its metadata has not settings and epoch")
        if not settings.are(about["settings"]):
            raise InputError("was trained with other settings; resume with those, or start in another folder")
        run = start(settings, input_shape)
        _restore(run, about["epoch"], file)
        run.history = _checked_history(about.get("history", []), run.epoch)
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
    has_best = epoch > 0 and run.settings.keep == "best_test"
    wanted |= {f"best.{name}": shape for name, shape in model.items() if has_best}
    found = _read_floats(file, wanted)
    run.best = {name: found[f"best.{name}"] for name in model} if has_best else None
    run.model.load_state_dict({name: found[f"model.{name}"] for name in model})
    state = {number: {name: found[f"optimizer.{number}.{name}"] for name in MOMENTS} for number in range(len(parameters))}
    run.optimizer.load_state_dict(run.optimizer.state_dict() | {"state": state})
    run.epoch = epoch


def _checked_history(found: Any, epochs: int) -> list[dict[str, Any]]:
    """ValueError: not what save_checkpoint wrote."""
    entries = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    numbers = [number for one in entries if type(number := one.get("epoch")) is int and 1 <= number <= epochs]
    if not isinstance(found, list) or len(numbers) != len(found) or numbers != sorted(set(numbers)):
        raise ValueError(f"its history is of epochs {brief(numbers)}, and not of 1 to {epochs}")
    for one in entries:
        if not isinstance(one.get("test_accuracy"), int | float) or not isinstance(one.get("spikes"), dict):
            raise ValueError(f"its history has no accuracy or no spikes of epoch {one['epoch']}")
    return entries


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


def train_on(
    run: Run, data: Dataset, test: Dataset, folder: Path, report: Callable[[Progress], None] = lambda progress: None
) -> Iterator[dict[str, Any]]:
    """Train the epochs that are left; after each examine the network, keep a checkpoint in `folder` and give history's entry.

    data, test: training and test images, bytes as the data set has them.
    """
    shown = dataclasses.replace(test, images=converted(test.images, run.settings.pixels))
    while run.epoch < run.settings.epochs:
        last = train_epoch(run, data, report)
        found = {"epoch": run.epoch, "loss": last.loss, "accuracy": last.accuracy, **examine(run.model, shown)}
        before = max((one["test_accuracy"] for one in run.history), default=-1.0)
        if run.settings.keep == "best_test" and found["test_accuracy"] > before:
            run.best = {name: value.clone() for name, value in run.model.state_dict().items()}
        run.history.append(found)
        save_checkpoint(run, folder)
        yield found


def train_epoch(run: Run, data: Dataset, report: Callable[[Progress], None] = lambda progress: None) -> Progress:
    """One epoch over `data`; gives its last progress.

    Order, augmentation and dropout follow from the seed and the epoch's number. On `training_device()`; the run is on the
    processor before and after.
    """
    device = training_device()
    if run.settings.restart_optimizer:
        run.optimizer = fresh_optimizer(run.settings, run.model)
    if run.settings.dropout:
        torch.manual_seed((run.settings.seed << 20) + run.epoch)
    _move(run, device)
    run.model.train()
    batches = math.ceil(len(data.images) / run.settings.batch_size)
    seen, loss_sum, right, progress = 0, 0.0, 0, Progress(run.epoch + 1, 0, batches, 0.0, 0.0)
    for number, (images, labels) in enumerate(_batches(run, data, device), start=1):
        set_learning_rate(run, run.epoch + (number - 1) / batches)
        spikes = run.model.spikes(images)
        votes = run.model.votes(spikes[run.model.blank.layers[-1].name])
        loss = LOSSES[run.settings.loss](votes, labels, run.model)
        if run.settings.spike_penalty:
            loss = loss + run.settings.spike_penalty * run.model.spike_rate(spikes)
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        seen += len(labels)
        loss_sum += loss.item() * len(labels)
        right += int((votes.argmax(1) == labels).sum())
        progress = Progress(run.epoch + 1, number, batches, loss_sum / seen, right / seen)
        report(progress)
    _move(run, CPU)
    _check_finite(run)
    run.epoch += 1
    return progress


def _check_finite(run: Run):
    """InputError: training has diverged. The loss may not show it: a potential that is no number does not fire."""
    for name, value in run.model.state_dict().items():
        if not value.isfinite().all():
            layer, _, what = name.removeprefix("layers.").partition(".")
            raise InputError(
                f"epoch {run.epoch + 1}: training has diverged, layer {layer}: {what} holds a value that is not finite; a "
                "smaller learning_rate or surrogate_slope may help"
            )


def _move(run: Run, device: torch.device):
    run.model.to(device)
    # What the optimizer remembers follows its parameters only here.
    run.optimizer.load_state_dict(run.optimizer.state_dict())


def _batches(run: Run, data: Dataset, device: torch.device = CPU) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Images and labels of an epoch in its order, augmented and in the settings' pixels, on a device."""
    images, labels = data.images, np.asarray(data.labels)
    generator = torch.Generator().manual_seed((run.settings.seed << 20) + run.epoch)
    published, settings = PUBLISHED[run.settings.dataset], run.settings
    mirrored = published.mirrored or (settings.mirror_digits and settings.dataset in DIGITS)
    for chosen in torch.randperm(len(images), generator=generator).split(settings.batch_size):
        batch = torch.from_numpy(images[chosen.numpy()]).to(device).float()
        moved = augment(batch, generator, published.shift, mirrored)
        yield converted_floats(moved, settings.pixels), torch.from_numpy(labels[chosen.numpy()]).to(device)


def augment(images: torch.Tensor, generator: torch.Generator, shift: int, mirrored: bool) -> torch.Tensor:
    """Mirror each image left to right with chance 1/2, if at all, and move it by up to `shift` pixels along each axis.

    images: [B, C, H, W], or [B, T, C, H, W], of which all timesteps are moved alike; on any device. What comes in is 0.
    """
    count, height, width = len(images), *images.shape[-2:]
    flipped = torch.rand(count, generator=generator) < 0.5
    corners = torch.randint(0, 2 * shift + 1, (count, 2), generator=generator)
    rows = corners[:, :1] + torch.arange(height)
    columns = corners[:, 1:] + torch.arange(width)
    if mirrored:
        columns = torch.where(flipped[:, None], 2 * shift + width - 1 - columns, columns)
    padded = functional.pad(images, [shift] * 4).flatten(1, -3)
    each, rows, columns = (
        one.to(images.device) for one in (torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None])
    )
    moved = padded.permute(0, 2, 3, 1)[each, rows, columns]
    return moved.permute(0, 3, 1, 2).contiguous().view(images.shape)


def set_learning_rate(run: Run, epochs_done: float) -> None:
    """Half a cosine from the peak to 0 over the whole run, or the same all the time."""
    if run.settings.schedule == "constant":
        return
    share = 0.5 * (1 + math.cos(math.pi * epochs_done / run.settings.epochs))
    for group in run.optimizer.param_groups:
        group["lr"] = run.settings.learning_rate * share


def vote_loss(votes: torch.Tensor, labels: torch.Tensor, max_votes: int) -> torch.Tensor:
    """Cross entropy of the votes [B, classes], scaled so that `max_votes` gives a logit of LOGIT_RANGE."""
    return functional.cross_entropy(votes * (LOGIT_RANGE / max_votes), labels)


def count_loss(votes: torch.Tensor, labels: torch.Tensor, max_votes: int, timesteps: int) -> torch.Tensor:
    """Mean square of the votes [B, classes] less `max_votes` for the class and 0 for the others, by the number of timesteps.

    snnTorch's mse_count_loss(correct_rate=1, incorrect_rate=0, population_code=True).
    """
    wanted = max_votes * functional.one_hot(labels, votes.shape[1])
    return functional.mse_loss(votes, wanted.to(votes.dtype)) / timesteps


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor, SpikingNetwork], torch.Tensor]] = {
    "cross_entropy": lambda votes, labels, model: vote_loss(votes, labels, model.max_votes),
    "count_mse": lambda votes, labels, model: count_loss(votes, labels, model.max_votes, model.blank.timesteps),
}


def accuracy(model: SpikingNetwork, data: Dataset) -> float:
    """Share of right answers of the model in evaluation mode; the smallest class wins a draw. data: images as it takes them."""
    return examine(model, data)["test_accuracy"]


def examine(model: SpikingNetwork, data: Dataset) -> dict[str, Any]:
    """test_accuracy of the model in evaluation mode, and under spikes those of each layer, an image. data: as it takes them."""
    model.to(training_device()).eval()
    right = 0
    spikes: dict[str, int] = defaultdict(int)
    with torch.no_grad():
        for chosen in torch.arange(len(data.images)).split(EVALUATION_BATCH):
            found = model.spikes(torch.from_numpy(data.images[chosen.numpy()]).float())
            answers = model.votes(found[model.blank.layers[-1].name]).argmax(1).cpu().numpy()
            right += int((answers == np.asarray(data.labels)[chosen.numpy()]).sum())
            for name, maps in found.items():
                spikes[name] += int(maps.sum(dtype=torch.float64))
    model.to(CPU)
    count = len(data.images)
    return {"test_accuracy": right / count, "spikes": {name: total / count for name, total in spikes.items()}}


def provenance(settings: Settings) -> dict[str, str]:
    """The settings of a run as strings, for the metadata of its model file; except those left at their defaults."""
    changed = (field for field in dataclasses.fields(settings) if getattr(settings, field.name) != field.default)
    return {field.name: str(getattr(settings, field.name)) for field in changed}
