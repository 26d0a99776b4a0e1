"""Float networks that are prepared and trained on, as a user of snnTorch would."""

import numpy as np
import snntorch
import torch
from torch import nn

from tests.benches.small_training import SHAPE, bright_quarters
from tests.benches.snn_networks import forward

TIMESTEPS, CLASSES = 3, 4
FORMAT = {"input_shape": SHAPE, "timesteps": TIMESTEPS, "classes": CLASSES}


def float_network(*, norm=False, beta=0.9, **neuron):
    """conv, neurons, pool, conv, neurons, fully connected, neurons, in floats; with batch norm, some gains are below 0."""

    def neurons():
        return snntorch.Leaky(beta=beta, init_hidden=True, **neuron)

    def normed(channels):
        layer = nn.BatchNorm2d(channels)
        layer.weight.data[::3] *= -1
        return [layer] if norm else []

    return nn.Sequential(
        nn.Conv2d(SHAPE[0], 6, 3, padding=1),
        *normed(6),
        neurons(),
        nn.MaxPool2d(2),
        nn.Dropout(0.1),
        nn.Conv2d(6, 8, 5, padding="same", bias=False),
        *normed(8),
        neurons(),
        nn.Flatten(),
        nn.Linear(8 * (SHAPE[1] // 2) * (SHAPE[2] // 2), 20),
        neurons(),
    )


def train(net, scale, *, steps=12, run=forward, seed=0):
    """An own loop: its own optimizer and loss. Returns the network in evaluation."""
    data = bright_quarters(32 * steps, seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    net.train()
    for start in range(0, len(data.images), 32):
        images = torch.from_numpy(data.images[start : start + 32]).float() * float(scale)
        votes = run(net, images, TIMESTEPS).sum(0).unflatten(1, (CLASSES, -1)).sum(2)
        loss = nn.functional.cross_entropy(votes, torch.from_numpy(data.labels[start : start + 32]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def images(count=30):
    """Integer images of noise, all black, all white, and of black and white pixels alone."""
    generator = np.random.default_rng(5)
    noise = generator.integers(0, 256, (count, *SHAPE))
    return np.concatenate([noise, np.zeros((1, *SHAPE), int), np.full((1, *SHAPE), 255), 255 * (noise[:10] > 127)])
