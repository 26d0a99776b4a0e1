"""The rows of the tables of docs/generated/networks.md: which network, how it is imported, on which data."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from fractions import Fraction
from types import ModuleType

from benchmarks.networks.recipe import CHECKPOINTS, PIXEL, Recipe
from duospike.reference.data.datasets import PUBLISHED

DATA = {"fashion-mnist": "Fashion-MNIST", "cifar-10": "CIFAR-10, JPEG-coded copy", "n-mnist": "N-MNIST"}
"""What the kept results were measured on."""
PAPER = "nir_paper"
"""The network that is a file, named with --nir."""
PAPER_TIMESTEPS = 300


@dataclass(frozen=True)
class Case:
    """A row of the tables.

    function: of a file of this folder, without .py. source: what is trained, a name of its RECIPES, or None. bits: of --quantize,
    or None for an exact import. options: of the import, beside. nir: whether the import gets a graph of NIR. cosim: images that
    go through the simulator. images: that are compared at most.
    """

    file: str
    function: str
    title: str
    source: str | None
    bits: int | None = None
    options: str = ""
    nir: bool = False
    cosim: int = 1
    simulator: str = "verilator"
    images: int = 1000

    @property
    def name(self) -> str:
        return self.function.replace("_", "-") + (f"-{self.bits}" if self.bits else "")

    @property
    def module(self) -> ModuleType:
        return importlib.import_module(f"benchmarks.networks.{self.file}")

    @property
    def recipe(self) -> Recipe | None:
        return None if self.source is None else self.module.RECIPES[self.source]

    @property
    def is_trained(self) -> bool:
        return self.source is None or (CHECKPOINTS / f"{self.source}.safetensors").exists()

    @property
    def events(self) -> bool:
        """Whether its data set is one of recorded events."""
        return self.function == PAPER or self.recipe is not None and self.recipe.dataset == "n-mnist"

    @property
    def data(self) -> str:
        if self.function == PAPER:
            return DATA["n-mnist"]
        if self.recipe is None:
            return "random events"
        return DATA[self.recipe.dataset] + (", coded by rate" if self.recipe.coding == "rate" else "")

    @property
    def timesteps(self) -> int:
        if self.recipe is not None:
            return self.recipe.timesteps
        return PAPER_TIMESTEPS if self.function == PAPER else self.module.EVENT_TIMESTEPS

    @property
    def narrowed(self) -> str:
        if self.function == PAPER:
            return ""
        return self.module.DVS_NARROWED if self.recipe is None else self.recipe.narrowed

    @property
    def how(self) -> str:
        return "exact" if self.bits is None else f"{self.bits} bits"

    def input_options(self) -> list[str]:
        """What the import is given beside the network and the data."""
        return [*self._input(), *self.options.split()]

    def _input(self) -> list[str]:
        if self.recipe is None or self.recipe.coding != "direct":
            return f"--input {self.shape()} --timesteps {self.timesteps} --coding events".split()
        return f"--input {self.shape()} --timesteps {self.timesteps} --image-scale {Fraction(PIXEL)}".split()

    def shape(self) -> str:
        """CxHxW of the input."""
        if self.recipe is None and not self.events:
            return "x".join(map(str, self.module.EVENT_SHAPE))
        sizes = PUBLISHED["n-mnist" if self.recipe is None else self.recipe.dataset].shape
        assert sizes is not None
        border = 2 * self.recipe.padding if self.recipe else 0
        return "x".join(map(str, (sizes[0], sizes[1] + border, sizes[2] + border)))


JELLY, TORCH, BREVITAS, NIR = "nets", "snntorch_nets", "brevitas_nets", "nir_nets"
SINABS = "--dt 1 --spike-at-threshold --reset subtract"
CASES = [
    *(Case(JELLY, "csnn", "SpikingJelly CSNN", "csnn", bits, simulator="icarus", cosim=2) for bits in (8, 6, 4)),
    Case(JELLY, "csnn_rounded", "SpikingJelly CSNN, rounded", "csnn", simulator="icarus", cosim=2),
    *(Case(JELLY, "fashion_mnist_net", "FashionMNISTNet, LIF", "fashion_mnist_net", bits, cosim=2) for bits in (8, 6, 4)),
    Case(JELLY, "fashion_mnist_net_rounded", "FashionMNISTNet, LIF, rounded", "fashion_mnist_net", cosim=2),
    *(Case(JELLY, "fashion_mnist_net_plif", "FashionMNISTNet, PLIF", "fashion_mnist_net_plif", bits) for bits in (8, 4)),
    *(Case(JELLY, "cifar10_net", "CIFAR10Net, LIF", "cifar10_net", bits, cosim=2) for bits in (8, 4)),
    Case(JELLY, "cifar10_net_rounded", "CIFAR10Net, LIF, rounded", "cifar10_net", cosim=2),
    Case(JELLY, "nmnist_net", "NMNISTNet, LIF", "nmnist_net", 4, simulator="icarus"),
    Case(JELLY, "dvs_gesture_net", "DVSGestureNet, LIF, random weights", None),
    Case(JELLY, "lif_fc_mnist", "SpikingJelly lif_fc_mnist", "lif_fc_mnist", 4, simulator="icarus"),
    Case(JELLY, "spiking_vgg11", "spiking_vgg11_bn, LIF", "spiking_vgg11", 4),
    Case(TORCH, "tutorial_5", "snnTorch tutorial 5", "tutorial_5", 4),
    Case(TORCH, "tutorial_6", "snnTorch tutorial 6", "tutorial_6", 4),
    Case(TORCH, "tutorial_7", "snnTorch tutorial 7", "tutorial_7", 4, simulator="icarus"),
    Case(TORCH, "population", "snnTorch population coding", "population", 4, "--classes 10", simulator="icarus"),
    Case(TORCH, "population_without", "snnTorch population coding, without", "population_without", 8, simulator="icarus"),
    Case(TORCH, "quickstart_convolutional", "snnTorch quickstart, Sequential", "quickstart_convolutional", 4, simulator="icarus"),
    Case(TORCH, "quickstart", "snnTorch quickstart, class", "quickstart", 4, simulator="icarus"),
    Case(TORCH, "issue_367", "snnTorch issue 367", "issue_367", 4),
    Case(BREVITAS, "low_precision", "snnTorch with Brevitas, QSNNs", "low_precision", 4, images=200),
    Case(BREVITAS, "issue_981", "Brevitas issue 981", "issue_981", 8, simulator="icarus"),
    Case(NIR, "norse_readme", "Norse README", "norse_readme", 4, "--dt 1e-6", nir=True, simulator="icarus"),
    Case(NIR, "sinabs_nmnist", "Sinabs N-MNIST", "sinabs_nmnist", 4, SINABS, nir=True, simulator="icarus"),
    Case(NIR, PAPER, "NIR paper, cnn_sinabs", None, 8, "--dt 1 --bin-time 1000", nir=True, images=100),
]
