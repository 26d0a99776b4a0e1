"""A NIR graph in float32, computed node by node: beside it the integers of an import are measured.

It shares no code with the import: torch's own convolutions, and neurons in forward Euler steps of 1 that spike once a timestep.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nir
import numpy as np
import torch
from torch import nn
from torch.nn import functional


class Neurons(nn.Module):
    """NIR's integrate-and-fire neurons: they spike above their threshold, and are 0 after."""

    def __init__(self, threshold: np.ndarray):
        super().__init__()
        self.threshold = torch.tensor(np.asarray(threshold, np.float32))
        self.potential: torch.Tensor | None = None

    def reset(self) -> None:
        self.potential = None

    def forward(self, currents: torch.Tensor) -> torch.Tensor:
        potential = currents if self.potential is None else self.potential + currents
        spikes = (potential > self.threshold).float()
        self.potential = potential * (1 - spikes)
        return spikes


class SumPool(nn.Module):
    def __init__(self, size: tuple[int, int]):
        super().__init__()
        self.size = size

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(maps, self.size) * (self.size[0] * self.size[1])


def float_graph(path: Path | str) -> nn.Sequential:
    """The modules of a chain of Conv2d, IF, SumPool2d, Flatten and Affine nodes."""
    graph = nir.read(path)
    behind = dict(graph.edges)
    name, modules = behind["input"], []
    while name != "output":
        modules.append(_module(graph.nodes[name]))
        name = behind[name]
    return nn.Sequential(*modules).eval()


def _module(node: nir.NIRNode) -> nn.Module:
    if isinstance(node, nir.IF):
        return Neurons(node.v_threshold)
    if isinstance(node, nir.SumPool2d):
        return SumPool(pair(node.kernel_size))
    if isinstance(node, nir.Flatten):
        return nn.Flatten()
    outputs, inputs, *kernel = node.weight.shape
    if isinstance(node, nir.Conv2d):
        module: nn.Module = nn.Conv2d(inputs, outputs, pair(kernel), pair(node.stride), pair(node.padding))
    elif isinstance(node, nir.Affine):
        module = nn.Linear(inputs, outputs)
    else:
        raise ValueError(f"a node of type {type(node).__name__}")
    module.weight.data, module.bias.data = (torch.tensor(np.asarray(one, np.float32)) for one in (node.weight, node.bias))
    return module


def pair(sizes: Sequence[int] | np.ndarray) -> tuple[int, int]:
    rows, columns = (int(size) for size in sizes)
    return rows, columns
