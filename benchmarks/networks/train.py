"""Trains a network of this folder in its own library and saves its weights; goes on where an earlier call was stopped.

python -m benchmarks.networks.train csnn [--epochs N] [--seed 1] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import importlib
import math
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from spikingjelly.activation_based import functional
from torch import nn
from torch.nn.functional import mse_loss, one_hot

from benchmarks.networks.playing import ends_in_potentials, neurons_of, play, scored
from benchmarks.networks.recipe import CHECKPOINTS, Recipe, prepared, sequence, weights_of
from duospike.reference.data.datasets import PUBLISHED, Dataset
from duospike.reference.data.event_frames import Binning, FrameFormat

CLASSES = 10
TESTED = 1000
"""Test images at most."""
SAVED = 50
"""Steps from one checkpoint to the next."""
MAX_STEPS = 10**6
MODULES = ("nets", "snntorch_nets", "brevitas_nets", "nir_nets")
"""Files with RECIPES; each needs the library whose networks it has."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of RECIPES in one of the files, such as csnn or tutorial_6")
    parser.add_argument("--epochs", type=int, help="default: as in the recipe")
    parser.add_argument("--seed", type=int, default=1, help="of weights, dropout and the order of images (default: 1)")
    parser.add_argument("--data", type=Path, help="folder of the published files, where there is no package of them")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = recipe_of(args.name)
    train_set, test_set = (read(recipe, split, args.data) for split in ("train", "test"))
    torch.manual_seed(args.seed)
    net = made(recipe)
    train(net, recipe, args.epochs or recipe.epochs, args.seed, train_set, CHECKPOINTS / f"{args.name}-unfinished.safetensors")
    save_file(weights_of(net), CHECKPOINTS / f"{args.name}.safetensors")
    assert test_set.labels is not None
    some = Dataset(test_set.images[:TESTED], test_set.labels[:TESTED])
    print(f"{args.name}: {accuracy(net, recipe, some):.2%} of {len(some.images):,} test images", flush=True)
    return 0


def recipe_of(name: str) -> Recipe:
    """Of the first file that has it; files whose library is not installed are left out."""
    for module in MODULES:
        with suppress(ModuleNotFoundError):
            if found := importlib.import_module(f"benchmarks.networks.{module}").RECIPES.get(name):
                return found
    raise SystemExit(f"no network {name}, or its library is not installed")


def made(recipe: Recipe) -> nn.Module:
    net = recipe.make()
    if neurons_of(net)[0] == "spikingjelly":
        functional.set_step_mode(net, "m")
    return net


def read(recipe: Recipe, split: str, folder: Path | None) -> Dataset:
    """Images uint8 [N, C, H, W], or of recorded events uint8 [N, T, C, H, W]."""
    published = PUBLISHED[recipe.dataset]
    if not published.events:
        return published.read(split, folder)
    assert published.shape is not None
    return published.read(split, folder, FrameFormat(recipe.timesteps, published.shape, True, 1, Binning()), recipe.images)


def train(net: nn.Module, recipe: Recipe, epochs: int, seed: int, data: Dataset, checkpoint: Path) -> None:
    """The squared error of firing rates against one-hot labels; Adam, the rate falls along a cosine."""
    assert data.labels is not None
    optimizer = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    batches = shuffled(recipe.images or len(data.images), recipe.batch, epochs, seed)
    begin, total = time.monotonic(), 0.0
    net.train()
    for step in range(resume(net, optimizer, checkpoint), len(batches)):
        # Each step has draws of its own, so that a run that was stopped goes on as if it had not been.
        torch.manual_seed(MAX_STEPS * seed + step)
        optimizer.param_groups[0]["lr"] = recipe.rate * (1 + math.cos(math.pi * step / len(batches))) / 2
        total += train_batch(net, optimizer, recipe, data.images[batches[step]], data.labels[batches[step]], step)
        if (step + 1) % SAVED == 0:
            save(net, optimizer, step + 1, checkpoint)
            print(f"step {step + 1} of {len(batches)}: loss {total / SAVED:.4f}, {time.monotonic() - begin:.0f} s", flush=True)
            total = 0.0


def shuffled(images: int, batch: int, epochs: int, seed: int) -> np.ndarray:
    """The images of each step, `[steps, batch]`: every epoch in another order, its last incomplete batch left out."""
    rng = np.random.default_rng(seed)
    steps = images // batch
    return np.concatenate([rng.permutation(images)[: steps * batch].reshape(steps, batch) for _ in range(epochs)])


def train_batch(
    net: nn.Module, optimizer: torch.optim.Optimizer, recipe: Recipe, pixels: np.ndarray, labels: np.ndarray, step: int = 0
) -> float:
    """One step on images [N, C, H, W], or events [N, T, C, H, W], and labels [N]; its loss."""
    if recipe.flips:
        flipped = torch.rand(len(pixels)).numpy() < 0.5
        pixels = np.where(flipped[:, None, None, None], pixels[..., ::-1], pixels)
    rates = firing_rates(net, recipe, pixels, recipe.training_timesteps or recipe.timesteps, step)
    loss = mse_loss(rates, one_hot(torch.from_numpy(labels).long(), CLASSES).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def firing_rates(net: nn.Module, recipe: Recipe, images: np.ndarray, timesteps: int, seed: int = 0) -> torch.Tensor:
    """Of each class, `[N, classes]`: spikes a neuron and timestep, currents where the last layer does not fire, or potentials."""
    inputs = prepared(recipe, images, timesteps, seed)
    outputs = play(net, sequence(recipe, inputs, timesteps))  # [T, N, outputs]
    if ends_in_potentials(net):
        return outputs[-1]
    return scored(net, outputs, CLASSES) / (timesteps * (outputs.shape[2] // CLASSES))


@torch.no_grad()
def accuracy(net: nn.Module, recipe: Recipe, data: Dataset, batch: int = 50) -> float:
    assert data.labels is not None
    net.eval()
    right = 0
    for first in range(0, len(data.images), batch):
        rates = firing_rates(net, recipe, data.images[first : first + batch], recipe.timesteps, first)
        right += int((rates.argmax(1).numpy() == data.labels[first : first + batch]).sum())
    return right / len(data.images)


def save(net: nn.Module, optimizer: torch.optim.Optimizer, step: int, path: Path) -> None:
    """Weights and Adam's state after a number of steps."""
    tensors = {f"net.{name}": value for name, value in weights_of(net).items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": value for name, value in values.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path.with_suffix(".new"), {"step": str(step)})
    path.with_suffix(".new").replace(path)


def resume(net: nn.Module, optimizer: torch.optim.Optimizer, path: Path) -> int:
    """Reads what `save` wrote, if there is such a file; the number of steps that were done."""
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        step = int(file.metadata()["step"])
    tensors = load_file(path)
    weights = {name.removeprefix("net."): value for name, value in tensors.items() if name.startswith("net.")}
    net.load_state_dict(net.state_dict() | weights)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return step


if __name__ == "__main__":
    sys.exit(main())
