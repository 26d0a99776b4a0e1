"""Quantization-aware training: a torch module whose forward pass computes the integers of docs/reference/specification.md.

Everything is in units of the layer's accumulator, so that nothing is left to fold afterwards: the convolution runs on
integer weights, and batch norm turns into an integer bias and an integer threshold before the neuron compares. The
float twin is the same module with `exact` rounding switched off.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import nn

from duospike.reference.architecture import blank_network
from duospike.reference.coding import encode
from duospike.reference.data.pixels import CENTRED
from duospike.reference.errors import InputError
from duospike.reference.golden import gives_spikes
from duospike.reference.network import Conv, Layer, Linear, Network, Pool

from .layers import BiasedLayer, NormedLayer, PoolLayer
from .settings import FLOAT, Settings


def blank_of(
    settings: Settings, input_shape: tuple[int, int, int], *, image_bits: int | None = None, image_signed: bool | None = None
) -> Network:
    """The network that is to be trained, all zeros. image_bits, image_signed: by default the settings'. InputError: as
    blank_network."""
    return blank_network(
        settings.architecture,
        input_shape=input_shape,
        classes=settings.classes,
        timesteps=settings.timesteps,
        weight_bits=8 if settings.weight_bits == FLOAT else int(settings.weight_bits),
        neuron=settings.neuron,
        image_bits=settings.image_bits if image_bits is None else image_bits,
        image_signed=settings.pixels == CENTRED if image_signed is None else image_signed,
        coding=settings.coding,
        coding_seed=settings.coding_seed,
    )


def module_of(layer: Layer, network: Network, settings: Settings) -> nn.Module:
    """The trainable module of a layer of a network."""
    if isinstance(layer, Pool):
        return PoolLayer(layer)
    weighted = [one for one in network.layers if not isinstance(one, Pool)]
    first_full = next(one for one in weighted if isinstance(one, Linear))
    dropout = settings.dropout if layer is first_full else 0.0
    if has_norm(layer, network, settings.batch_norm):
        return NormedLayer(layer, settings, dropout)
    return BiasedLayer(layer, settings, dropout, settings.pixel_worth if layer is weighted[0] else 1.0)


def has_norm(layer: Conv | Linear, network: Network, where: str) -> bool:
    """Whether a layer of a network has batch norm: all layers, those whose spikes or currents are pooled, or none."""
    if where != "before_pool":
        return where == "all"
    position = network.layers.index(layer)
    behind = network.layers[position + 1 : position + 2]
    return any(isinstance(one, Pool) for one in behind) or (isinstance(layer, Conv) and layer.current_pool is not None)


class SpikingNetwork(nn.Module):
    """The trainable network of `settings` for images of `input_shape`; image_bits, image_signed: of pixels (default: settings').

    Weights are drawn from torch's global generator.
    """

    def __init__(
        self,
        settings: Settings,
        input_shape: tuple[int, int, int],
        *,
        image_bits: int | None = None,
        image_signed: bool | None = None,
    ):
        super().__init__()
        self.blank = blank_of(settings, input_shape, image_bits=image_bits, image_signed=image_signed)
        self.exact = settings.weight_bits != FLOAT
        self.layers = nn.ModuleDict({layer.name: module_of(layer, self.blank, settings) for layer in self.blank.layers})

    @property
    def max_votes(self) -> int:
        """Votes that a class gets if all its neurons spike at each timestep."""
        return self.blank.timesteps * self.blank.shapes[-1][0] // self.blank.classes

    def first_maps(self, images: torch.Tensor) -> torch.Tensor:
        """What the first layer takes: images [1, B, C, H, W] for all timesteps, or frames or spikes [T, B, C, H, W].

        `images` are on the processor, events [B, T, C, H, W]; the maps are on the device of the weights.
        """
        device = next(self.parameters()).device
        if self.blank.coding == "direct":
            return images[None].to(device)
        if self.blank.coding != "rate":
            return images.transpose(0, 1).to(device)
        whole = images.cpu().numpy().astype(np.int64)
        spikes = encode(whole, self.blank.timesteps, self.blank.image_bits, self.blank.coding_seed)
        return torch.from_numpy(spikes).transpose(0, 1).float().to(device)

    def spikes(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """Images [B, C, H, W], frames or events [B, T, C, H, W] -> spikes [T, B, C, H, W] by layer; none of pools of sums.

        images: floats, whole numbers.
        """
        maps, trace = self.first_maps(images), {}
        for layer in self.blank.layers:
            maps = self.layers[layer.name](maps)
            if gives_spikes(self.blank, layer):
                trace[layer.name] = maps
        return trace

    def votes(self, spikes: torch.Tensor) -> torch.Tensor:
        """Spikes [T, B, O, 1, 1] of the last layer -> votes [B, classes], summed over timesteps and each class's neurons."""
        return spikes.sum(0).reshape(spikes.shape[1], self.blank.classes, -1).sum(-1)

    def spike_rate(self, spikes: dict[str, torch.Tensor]) -> torch.Tensor:
        """The share of neurons and timesteps with a spike, over all layers except pools together; with a gradient."""
        of_neurons = [spikes[layer.name] for layer in self.blank.layers if not isinstance(layer, Pool)]
        return torch.stack([one.sum() for one in of_neurons]).sum() / sum(one.numel() for one in of_neurons)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images, as spikes() takes them -> votes [B, classes]."""
        return self.votes(self.spikes(images)[self.blank.layers[-1].name])

    def export(self) -> Network:
        """The network in plain integers. InputError for a float twin, which has none."""
        if not self.exact:
            raise InputError("a float network has no integers to export; set weight_bits to 2..8")
        blank = self.blank
        with torch.no_grad():
            layers = [
                layer if isinstance(layer, Pool) else self.layers[layer.name].export()  # type: ignore[operator]
                for layer in blank.layers
            ]
        return dataclasses.replace(blank, layers=tuple(layers))
