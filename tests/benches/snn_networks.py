"""Networks in snnTorch, trained with quantized weights as a user of it would."""

import numpy as np
import snntorch
import torch
from snntorch import functional as SF
from snntorch import utils
from torch import nn
from torch.nn.utils import parametrize


class OnGrid(nn.Module):
    """Weights rounded to whole steps of a power of two for each output; the gradient passes straight through."""

    def __init__(self, bits=4, power_of_two=True):
        super().__init__()
        self.limit, self.power_of_two = 2 ** (bits - 1) - 1, power_of_two

    def forward(self, weight):
        step = weight.detach().abs().flatten(1).amax(1).clamp_min(1e-8) / self.limit
        if self.power_of_two:
            step = 2.0 ** torch.ceil(torch.log2(step))
        step = step.reshape(-1, *[1] * (weight.ndim - 1))
        return weight + (torch.round(weight / step).clamp(-self.limit, self.limit) * step - weight).detach()


def spiking_network(*, beta=0.5, norm=False, bits=4, power_of_two=True, shape=(1, 28, 28), outputs=50, **neuron):
    """conv, neurons, pool, conv, neurons, pool, fully connected, neurons, as in snnTorch's tutorial 6."""

    def neurons():
        return snntorch.Leaky(beta=beta, init_hidden=True, **neuron)

    def normed(channels):
        return [nn.BatchNorm2d(channels)] if norm else []

    def quantized(layer):
        parametrize.register_parametrization(layer, "weight", OnGrid(bits, power_of_two))
        return layer

    flat = 8 * (shape[1] // 4) * (shape[2] // 4)
    return nn.Sequential(
        quantized(nn.Conv2d(shape[0], 6, 3, padding=1, bias=False)),
        *normed(6),
        neurons(),
        nn.MaxPool2d(2),
        quantized(nn.Conv2d(6, 8, 3, padding=1, bias=False)),
        *normed(8),
        neurons(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        quantized(nn.Linear(flat, outputs, bias=False)),
        neurons(),
    )


def forward(net, images, timesteps):
    """Spikes [T, B, outputs] of images that each timestep gets."""
    utils.reset(net)
    return torch.stack([net(images) for _ in range(timesteps)])


def train(net, images, labels, timesteps, *, epochs=1, batch=50, seed=0):
    """Cross entropy of the spike counts, as in snnTorch's tutorials, for one population of neurons a class."""
    loss = SF.ce_count_loss(population_code=True, num_classes=int(labels.max()) + 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(seed)
    net.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(batch):
            optimizer.zero_grad()
            loss(forward(net, images[chosen], timesteps), labels[chosen]).backward()
            optimizer.step()
    return net.eval()


def spikes_of(net, images, timesteps):
    """Spikes uint8 [N, T, C, H, W] of each layer of neurons and of each pool behind one, in order."""
    found = []

    def keep(module, inputs, output):
        found.append(output)
        # snnTorch's spikes are float32, whatever the type of the currents.
        return output.to(images.dtype)

    hooks = [module.register_forward_hook(keep) for module in net if isinstance(module, snntorch.Leaky | nn.MaxPool2d)]
    parts = []
    with torch.no_grad():
        for batch in images.split(100):
            found.clear()
            forward(net, batch, timesteps)
            layers = len(found) // timesteps
            parts.append([torch.stack(found[layer::layers], 1) for layer in range(layers)])
    for hook in hooks:
        hook.remove()
    joined = [torch.cat(layer).byte().numpy() for layer in zip(*parts, strict=True)]
    return [layer if layer.ndim == 5 else layer[..., np.newaxis, np.newaxis] for layer in joined]
