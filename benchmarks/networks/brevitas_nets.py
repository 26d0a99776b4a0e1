"""Networks of snnTorch's neurons and Brevitas' quantized layers, as their authors define them.

`duospike import benchmarks/networks/brevitas_nets.py:issue_981 ...` imports one. Each function without arguments is a network
with its trained weights, in evaluation mode.
"""

from __future__ import annotations

import snntorch
import torch
from brevitas import nn as quantized
from torch import nn
from torch.nn import functional

from benchmarks.networks import recipe
from benchmarks.networks.recipe import Recipe


class LowPrecision(nn.Module):
    """The notebook of jeshraghian/QSNNs: 16C5-AP2-64C5-AP2-FC10 with 4-bit weights, averages and batch norm before neurons."""

    def __init__(self, first: int = 16, second: int = 64, bits: int = 4):
        super().__init__()
        self.num_steps = 100
        self.conv1 = quantized.QuantConv2d(1, first, 5, bias=False, weight_bit_width=bits)
        self.conv1_bn = nn.BatchNorm2d(first)
        self.lif1 = snntorch.Leaky(0.97, threshold=2.5)
        self.conv2 = quantized.QuantConv2d(first, second, 5, bias=False, weight_bit_width=bits)
        self.conv2_bn = nn.BatchNorm2d(second)
        self.lif2 = snntorch.Leaky(0.97, threshold=2.5)
        self.fc1 = quantized.QuantLinear(second * 4 * 4, 10, bias=False, weight_bit_width=bits)
        self.lif3 = snntorch.Leaky(0.97, threshold=2.5)
        self.dropout = nn.Dropout(0.07)

    def forward(self, x):
        membrane1, membrane2, membrane3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        spikes, membranes = [], []
        for _ in range(self.num_steps):
            spike1, membrane1 = self.lif1(self.conv1_bn(functional.avg_pool2d(self.conv1(x), 2)), membrane1)
            spike2, membrane2 = self.lif2(self.conv2_bn(functional.avg_pool2d(self.conv2(spike1), 2)), membrane2)
            spike3, membrane3 = self.lif3(self.dropout(self.fc1(spike2.flatten(1))), membrane3)
            spikes.append(spike3)
            membranes.append(membrane3)
        return torch.stack(spikes), torch.stack(membranes)


def neurons(output: bool = False) -> snntorch.Leaky:
    return snntorch.Leaky(beta=0.9, init_hidden=True, output=output)


def make_issue_981() -> nn.Sequential:
    """Of Brevitas' issue 981: 8C5-MP2-16C3-MP2-16C1-MP2-FC256-FC10, 8-bit weights, pools before neurons; 1x32x32.

    The issue has one object of neurons for all layers; here each layer has its own. Its ReLU before them and the quantization of
    their potentials are left out.
    """
    return nn.Sequential(
        quantized.QuantConv2d(1, 8, 5, bias=False, weight_bit_width=8),
        nn.MaxPool2d(2, 2),
        neurons(),
        quantized.QuantConv2d(8, 16, 3, bias=False, weight_bit_width=8),
        nn.MaxPool2d(2, 2),
        neurons(),
        quantized.QuantConv2d(16, 16, 1, bias=False, weight_bit_width=8),
        nn.MaxPool2d(2, 2),
        neurons(),
        nn.Flatten(),
        quantized.QuantLinear(3 * 3 * 16, 256, bias=True, weight_bit_width=8),
        neurons(),
        quantized.QuantLinear(256, 10, bias=True, weight_bit_width=8),
        neurons(output=True),
    )


RECIPES = {
    "low_precision": Recipe(LowPrecision, "fashion-mnist", 100, 1, "", images=1000, training_timesteps=4, batch=25),
    "issue_981": Recipe(make_issue_981, "fashion-mnist", 10, 1, "", images=6000, training_timesteps=5, padding=2, rate=5e-3),
}


def low_precision() -> nn.Module:
    return recipe.trained(RECIPES, "low_precision")


def issue_981() -> nn.Module:
    return recipe.trained(RECIPES, "issue_981")
