"""As what the bytes of an image go into a network."""

from __future__ import annotations

import numpy as np
import torch

from duospike.reference.errors import InputError, brief

UNSIGNED, CENTRED, CLAMPED = PIXELS = ("unsigned", "centred", "clamped")
"""unsigned: as they are. centred: less 128, so that padding with 0 is a mid-grey. clamped: normalised and clamped to 0 .. 1, then
to a byte again, for rate coding."""
COLOURS = ("cifar-10", "cifar-100", "svhn")
"""Data sets whose images have three colours."""
DIGITS = ("mnist", "svhn")
MIDDLE = 128
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
"""Of red, green and blue, by which CIFAR-10 is commonly normalised, and by the paper's authors all three data sets."""


def worth_of(pixels: str) -> float:
    """What one step of a pixel is in real numbers: 1/255, or 1/51 if centred, which is within 0.3 of that normalisation."""
    return 1 / 51 if pixels == CENTRED else 1 / 255


def clamped_bytes() -> np.ndarray:
    """uint8 [3, 256]: for each colour and byte x, 255 * clip((x/255 - mean) / deviation, 0, 1), rounded."""
    real = (np.arange(256) / 255 - np.array(MEAN)[:, None]) / np.array(DEVIATION)[:, None]
    return np.rint(255 * real.clip(0, 1)).astype(np.uint8)


def converted(images: np.ndarray, pixels: str) -> np.ndarray:
    """Bytes, integers [count, channels, height, width] of any type, as pixels of a kind: clamped ones uint8, centred ones int8.

    InputError: an unknown kind, as a model file may name it, numbers that are no bytes, or clamped ones without three colours.
    """
    if pixels not in PIXELS:
        raise InputError(f"pixels = {brief(pixels)}; allowed: {' or '.join(PIXELS)}")
    if pixels != UNSIGNED and images.size and (images.min() < 0 or images.max() > 255):
        raise InputError(f"pixels from {images.min()} to {images.max()}; {pixels} ones are made of bytes, 0..255")
    if pixels == CLAMPED and images.shape[-3] != 3:
        raise InputError(f"images of {images.shape[-3]} channels; clamped pixels are made of those of three colours")
    if pixels == CENTRED:
        return (images.astype(np.int16) - MIDDLE).astype(np.int8)
    if pixels == CLAMPED:
        return clamped_bytes()[np.arange(3)[:, None, None], images]
    return images


def converted_floats(images: torch.Tensor, pixels: str) -> torch.Tensor:
    """The same of bytes as floats [..., channels, height, width], on any device."""
    if pixels == CENTRED:
        return images - MIDDLE
    if pixels == CLAMPED:
        table = torch.from_numpy(clamped_bytes()).to(images.device).float()
        return table[torch.arange(3, device=images.device)[:, None, None], images.long()]
    return images
