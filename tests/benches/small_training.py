"""A training run of seconds: tiny settings and images that a tiny network can classify."""

import numpy as np

from duospike.reference.data.datasets import Dataset
from duospike.reference.training.settings import Settings

SHAPE = (2, 8, 7)


def small_settings(**changes):
    values = {
        "architecture": "4C3-MP2-6C3-FC20",
        "dataset": "fashion-mnist",
        "weight_bits": 4,
        "timesteps": 2,
        "beta": "5/32",
        "threshold": 1.0,
        "reset": "subtract",
        "classes": 4,
        "seed": 1,
        "epochs": 3,
        "batch_size": 32,
        "learning_rate": 0.01,
    }
    return Settings(**(values | changes))


def bright_quarters(count, seed=0):
    """Noise with one bright quarter for each of four classes: upper or lower in the first or second channel."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 120, (count, *SHAPE), dtype=np.uint8)
    labels = generator.integers(0, 4, count)
    for image, label in zip(images, labels, strict=True):
        image[label // 2, 4 * (label % 2) : 4 * (label % 2) + 4] += 100
    return Dataset(images, labels)
