"""Trains a network of nets.py in SpikingJelly and saves its weights; goes on where an earlier call was stopped.

python -m benchmarks.networks.train csnn [--epochs N] [--seed 1] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from spikingjelly.activation_based import functional
from torch import nn
from torch.nn.functional import mse_loss, one_hot

from benchmarks.networks.nets import CHECKPOINTS, PIXEL, RECIPES, Recipe
from duospike.reference.data.datasets import PUBLISHED, Dataset

CLASSES = 10
SAVED = 50
"""Steps from one checkpoint to the next."""
MAX_STEPS = 10**6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--epochs", type=int, help="default: as in nets.py")
    parser.add_argument("--seed", type=int, default=1, help="of weights, dropout and the order of images (default: 1)")
    parser.add_argument("--data", type=Path, help="folder of the published files, where there is no package of them")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = RECIPES[args.name]
    train_set, test_set = (PUBLISHED[recipe.dataset].read(split, args.data) for split in ("train", "test"))
    torch.manual_seed(args.seed)
    net = recipe.make()
    functional.set_step_mode(net, "m")
    train(net, recipe, args.epochs or recipe.epochs, args.seed, train_set, CHECKPOINTS / f"{args.name}-unfinished.safetensors")
    save_file(net.state_dict(), CHECKPOINTS / f"{args.name}.safetensors")
    print(f"{args.name}: {accuracy(net, recipe.timesteps, test_set):.2%} of {len(test_set.images):,} test images", flush=True)
    return 0


def train(net: nn.Module, recipe: Recipe, epochs: int, seed: int, data: Dataset, checkpoint: Path) -> None:
    """The tutorial's loss, the squared error of firing rates against one-hot labels; Adam, the rate falls along a cosine."""
    assert data.labels is not None
    optimizer = torch.optim.Adam(net.parameters(), lr=recipe.rate)
    batches = shuffled(len(data.images), recipe.batch, epochs, seed)
    begin, total = time.monotonic(), 0.0
    net.train()
    for step in range(resume(net, optimizer, checkpoint), len(batches)):
        # Each step has draws of its own, so that a run that was stopped goes on as if it had not been.
        torch.manual_seed(MAX_STEPS * seed + step)
        optimizer.param_groups[0]["lr"] = recipe.rate * (1 + math.cos(math.pi * step / len(batches))) / 2
        total += train_batch(net, optimizer, recipe, data.images[batches[step]], data.labels[batches[step]])
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
    net: nn.Module, optimizer: torch.optim.Optimizer, recipe: Recipe, pixels: np.ndarray, labels: np.ndarray
) -> float:
    """One step on images [N, C, H, W] and labels [N]; its loss."""
    images = scaled(pixels)  # [N, C, H, W]
    if recipe.flips:
        images = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(-1), images)
    rates = firing_rates(net, images, recipe.timesteps)
    loss = mse_loss(rates, one_hot(torch.from_numpy(labels).long(), CLASSES).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def scaled(pixels: np.ndarray) -> torch.Tensor:
    """Pixels of 0 to 255 as the networks see them."""
    return torch.from_numpy(pixels).float() * PIXEL


def firing_rates(net: nn.Module, images: torch.Tensor, timesteps: int) -> torch.Tensor:
    """Spikes a timestep of each class, `[N, classes]`, of the same image at each timestep."""
    rates = net(images.unsqueeze(0).expand(timesteps, *images.shape)).mean(0)
    functional.reset_net(net)
    return rates


@torch.no_grad()
def accuracy(net: nn.Module, timesteps: int, data: Dataset, batch: int = 200) -> float:
    assert data.labels is not None
    net.eval()
    right = 0
    for first in range(0, len(data.images), batch):
        rates = firing_rates(net, scaled(data.images[first : first + batch]), timesteps)
        right += int((rates.argmax(1).numpy() == data.labels[first : first + batch]).sum())
    return right / len(data.images)


def save(net: nn.Module, optimizer: torch.optim.Optimizer, step: int, path: Path) -> None:
    """Weights and Adam's state after a number of steps."""
    tensors = {f"net.{name}": value for name, value in net.state_dict().items()}
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
    net.load_state_dict({name.removeprefix("net."): value for name, value in tensors.items() if name.startswith("net.")})
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("adam."):
            _, number, key = name.split(".")
            state.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    return step


if __name__ == "__main__":
    sys.exit(main())
