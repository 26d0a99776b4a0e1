"""Networks as public tutorials and model zoos define them: which are imported, and why the others are not; --write: into docs/.

python -m benchmarks.networks.public [--write]

They have the published layers, sizes and timesteps, and random weights: what counts here is only whether the hardware has such a
network. Those of SpikingJelly's model zoo have ParametricLIFNodes, as in the paper that the zoo belongs to.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import snntorch
import torch
from spikingjelly.activation_based import functional
from spikingjelly.activation_based.model import parametric_lif_net as zoo
from torch import nn
from torch.nn import functional as F

from benchmarks.figures.page import table, write_section
from benchmarks.figures.record import begin, with_comment
from benchmarks.networks import nets, snntorch_nets
from duospike.reference.errors import InputError
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.refusal import gathered
from duospike.reference.exchange.source import Interface
from duospike.reference.network import Pool, check_weights

NAME = "public-networks"
"""Of the figures, and of their section in docs/."""
PIXEL = Fraction(1, 256)


class Tutorial6(nn.Module):
    """snnTorch, tutorial 6: convolutional, one timestep a call; 5x5 without padding, and pools before the neurons."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 5)
        self.lif1 = snntorch.Leaky(beta=0.5)
        self.conv2 = nn.Conv2d(12, 64, 5)
        self.lif2 = snntorch.Leaky(beta=0.5)
        self.fc1 = nn.Linear(64 * 4 * 4, 10)
        self.lif3 = snntorch.Leaky(beta=0.5)

    def forward(self, x):
        membrane1, membrane2, membrane3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        spike1, membrane1 = self.lif1(F.max_pool2d(self.conv1(x), 2), membrane1)
        spike2, membrane2 = self.lif2(F.max_pool2d(self.conv2(spike1), 2), membrane2)
        return self.lif3(self.fc1(spike2.flatten(1)), membrane3)


def spiking_vgg11() -> nn.Module:
    """SpikingJelly's spiking_vgg11_bn, for ImageNet."""
    nets.with_stand_in()
    from spikingjelly.activation_based.model.spiking_vgg import spiking_vgg11_bn

    return spiking_vgg11_bn(spiking_neuron=nets.PLIF)


def sew_resnet18() -> nn.Module:
    """SpikingJelly's sew_resnet18, for ImageNet."""
    nets.with_stand_in()
    from spikingjelly.activation_based.model.sew_resnet import sew_resnet18 as make

    return make(cnf="ADD", spiking_neuron=nets.PLIF)


@dataclass(frozen=True)
class Public:
    """A network, what it is called where it is published, and its input [C, H, W], timesteps and classes."""

    title: str
    make: Callable[[], nn.Module]
    shape: tuple[int, int, int]
    timesteps: int
    classes: int
    coding: str = "direct"

    def interface(self) -> Interface:
        scale = PIXEL if self.coding == "direct" else Fraction(1)
        bits = 8 if self.coding == "direct" else 1
        return Interface(self.shape, self.timesteps, self.classes, coding=self.coding, image_bits=bits, image_scale=scale)


def of_zoo(name: str) -> Callable[[], nn.Module]:
    return lambda: getattr(zoo, name)(spiking_neuron=nets.PLIF)


MNIST, ALL = (1, 28, 28), (3, 224, 224)
PUBLIC = [
    Public("snnTorch, tutorial 5 (class)", snntorch_nets.Tutorial5, MNIST, 25, 10),
    Public("snnTorch, tutorial 6 (class)", Tutorial6, MNIST, 50, 10),
    Public("snnTorch, tutorial 6 (Sequential)", lambda: snntorch_nets.convolutional(1, 12, 64, 4, 0.5), MNIST, 50, 10),
    Public(
        "snnTorch, tutorial 7, N-MNIST", lambda: snntorch_nets.convolutional(2, 12, 32, 5, 0.5), (2, 34, 34), 300, 10, "events"
    ),
    Public("SpikingJelly, lif_fc_mnist", nets.make_lif_fc_mnist, MNIST, 100, 10, "events"),
    Public("SpikingJelly, conv_fashion_mnist", lambda: nets.make_csnn(128), MNIST, 4, 10),
    Public("SpikingJelly, MNISTNet", of_zoo("MNISTNet"), MNIST, 8, 10),
    Public("SpikingJelly, FashionMNISTNet", of_zoo("FashionMNISTNet"), MNIST, 8, 10),
    Public("SpikingJelly, NMNISTNet", of_zoo("NMNISTNet"), (2, 34, 34), 10, 10, "events"),
    Public("SpikingJelly, CIFAR10Net", of_zoo("CIFAR10Net"), (3, 32, 32), 8, 10),
    Public("SpikingJelly, CIFAR10DVSNet", of_zoo("CIFAR10DVSNet"), (2, 128, 128), 20, 10, "events"),
    Public("SpikingJelly, DVSGestureNet", of_zoo("DVSGestureNet"), (2, 128, 128), 20, 11, "events"),
    Public("SpikingJelly, spiking_vgg11_bn", spiking_vgg11, ALL, 4, 1000),
    Public("SpikingJelly, sew_resnet18", sew_resnet18, ALL, 4, 1000),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    args = parser.parse_args()
    measurement = begin(NAME)
    text = with_comment(measurement, section([(public, reasons(public)) for public in PUBLIC]))
    print(text)
    if args.write:
        write_section(NAME, text)
    return 0


def reasons(public: Public) -> list[str]:
    """What its structure has against an import, also with --quantize, one a line. The rounding itself is not run."""
    torch.manual_seed(1)
    net = public.make().eval()
    functional.set_step_mode(net, "m")
    try:
        source = from_torch(net, public.interface())
    except InputError as error:
        return str(error).splitlines()
    found = gathered(source.reasons)
    try:
        check_weights(sum(layer.weights.size for layer in source.layers if not isinstance(layer, Pool)))
    except InputError as error:
        found.append(str(error))
    return found


def section(found: list[tuple[Public, list[str]]]) -> str:
    rows = [[public.title, size(public), "refused" if why else "accepted", "<br>".join(why)] for public, why in found]
    accepted = sum(not why for _, why in found)
    columns = ["network", "input, T", "with `--quantize`", "why not"]
    head = f"The hardware has the structure of {accepted} of {len(found)}."
    head += " Their weights are random, so the rounding itself was not run."
    return f"{head}\n\n" + table("Networks as published", columns, rows)


def size(public: Public) -> str:
    shape = "x".join(map(str, public.shape))
    return f"{shape}, {public.timesteps}"


if __name__ == "__main__":
    sys.exit(main())
