"""How the networks of this folder are trained, whichever library they are of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints" / "networks"
"""Where train.py writes the weights, NAME.safetensors."""

PIXEL = 1 / 256
"""What a step of a pixel of 0 to 255 is worth to the networks: a power of two, so that floats are exact."""

CODINGS = ("direct", "rate", "events")
"""The same image at each timestep; spikes drawn from its pixels; recorded events."""


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained.

    make: untrained. dataset: fashion-mnist, cifar-10 or n-mnist. timesteps: with which it runs. narrowed: how much narrower
    than published, in words. rate: the largest learning rate of Adam. images: how many of the training images are used, None
    for all. training_timesteps: where training has fewer. padding: zeros around the pixels of an image.
    """

    make: Callable[[], nn.Module]
    dataset: str
    timesteps: int
    epochs: int
    narrowed: str
    batch: int = 50
    rate: float = 2e-3
    flips: bool = False
    images: int | None = None
    training_timesteps: int | None = None
    coding: str = "direct"
    padding: int = 0


def weights_of(net: nn.Module) -> dict[str, torch.Tensor]:
    """All that a checkpoint keeps: not the potentials of Sinabs' neurons, which have the shape of the last batch."""
    return {name: value for name, value in net.state_dict().items() if not name.endswith(".v_mem")}


def trained(recipes: dict[str, Recipe], name: str) -> nn.Module:
    """A network with its trained weights, in evaluation mode."""
    net = recipes[name].make()
    net.load_state_dict(net.state_dict() | load_file(CHECKPOINTS / f"{name}.safetensors"))
    return net.eval()


def prepared(recipe: Recipe, images: np.ndarray, timesteps: int, seed: int = 0) -> np.ndarray:
    """What the network is given of images uint8 [N, C, H, W]: padded, and where it takes a rate coding as spikes [N, T, ...]."""
    if recipe.padding:
        side = (recipe.padding, recipe.padding)
        images = np.pad(images, ((0, 0), (0, 0), side, side))
    if recipe.coding != "rate":
        return images
    draws = np.random.default_rng(seed).random((len(images), timesteps, *images.shape[1:]), np.float32)
    return (draws < images[:, None] * np.float32(PIXEL)).astype(np.uint8)


def sequence(recipe: Recipe, inputs: np.ndarray, timesteps: int) -> torch.Tensor:
    """The values [T, N, C, H, W] that the network sees: of images [N, C, H, W], or of events [N, T, C, H, W]."""
    values = torch.tensor(inputs, dtype=torch.float32)  # a copy, as files are read-only
    if recipe.coding != "direct":
        return values.transpose(0, 1)
    return (values * PIXEL).expand(timesteps, *values.shape)
