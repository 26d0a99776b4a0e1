"""The public functions: each does in one call what a command does.

What shapes the hardware is given by keywords, which design commands call the same: sizing, a TOML file such as `duospike explore`
writes; lanes, one number for all layers or numbers by layer name; row_parts, numbers by layer name; pass_timesteps; queue_depth;
lane_multipliers, a number or numbers by layer name. They override those of the file, and what neither names has a default. All
raise InputError for what the hardware cannot do.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import numpy as np

from duospike.reference import golden
from duospike.reference.data import datasets
from duospike.reference.data.datasets import Dataset
from duospike.reference.golden import Evaluation, Trace
from duospike.reference.modelfile import load_model, save_model
from duospike.reference.network import Network

if TYPE_CHECKING:
    from torch import nn

    from duospike.cosim.axi.simulated_overlay import SimulatedOverlay
    from duospike.cosim.design.sizing import Sizing
    from duospike.rtl.stage import Stage

Language = Literal["verilog", "vhdl"]
Simulator = Literal["icarus", "verilator", "ghdl"]


class Shape(TypedDict, total=False):
    """What shapes the hardware for a given network."""

    sizing: Path | str | None
    lanes: int | dict[str, int] | None
    row_parts: dict[str, int] | None
    pass_timesteps: int | None
    queue_depth: int | None
    lane_multipliers: int | dict[str, int] | None


class ImageFormat(TypedDict, total=False):
    """What a trained network does not say about its images; what it says itself is left out.

    input_shape: (channels, height, width); timesteps: T; classes: K. coding: direct, events or frames. image_scale: what one
    step of a pixel is worth to the source. image_bits, image_signed: of a pixel.
    """

    input_shape: tuple[int, int, int]
    timesteps: int
    classes: int
    coding: str
    image_bits: int
    image_signed: bool
    image_scale: Fraction


class EventBinning(TypedDict, total=False):
    """How recorded events become frames, where that differs from what the network was trained on.

    bins: time, timesteps of equal length, or count, of equally many events. bin_time: length of a timestep in microseconds, 0 for
    the whole recording in T timesteps. downscale: n x n pixels of the sensor become one.
    """

    bins: Literal["time", "count"]
    bin_time: int
    downscale: int


def load(model: Path | str) -> Network:
    """The network of a model file, or of a shipped network by its name, such as fashion-small. InputError: neither."""
    return load_model(model)


def save(network: Network, path: Path | str) -> None:
    """Write a network to a model file (.safetensors)."""
    save_model(network, path)


def load_images(
    network: Network | None,
    source: str = "fashion-mnist",
    count: int | None = None,
    *,
    split: Literal["train", "test"] = "test",
    seed: int = 0,
    labels: Path | str | None = None,
    **binning: Unpack[EventBinning],
) -> Dataset:
    """Images, integers [count, channels, height, width], and labels [count] that a network takes.

    network: None before there is one, such as for its training; nothing is then compared with what it takes.
    source: fashion-mnist, a folder with the published files of a data set, random, an .npy file, or a file or folder of recorded
    events, which become frames [count, timesteps, channels, height, width] for the network.
    count: the first images only; None for all, of random 100. split: which images of a published data set.
    labels: an .npy file of integers [count], for images and events of your own.
    """
    unknown = binning.keys() - EventBinning.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword {min(unknown)!r}; allowed: {', '.join(EventBinning.__annotations__)}")
    return datasets.load(source, network, count, seed, split=split, labels=labels, binning=binning)  # type: ignore[arg-type]


def run(network: Network, images: np.ndarray) -> Trace:
    """Every spike, scores and classes of images [count, channels, height, width], by the integer reference."""
    return golden.run(network, images)


def evaluate(network: Network, images: np.ndarray, labels: np.ndarray | None = None) -> Evaluation:
    """Accuracy, where there are labels [count], and spike rates, by the integer reference."""
    return golden.evaluate(network, images, labels)


def _sizing(network: Network, shape: Shape) -> Sizing:
    from duospike.cosim.design.sizing_file import sizing_from

    unknown = shape.keys() - Shape.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected keyword {min(unknown)!r}; allowed: {', '.join(Shape.__annotations__)}")
    wanted = {name: shape.get(name) for name in ("lanes", "row_parts", "queue_depth", "lane_multipliers")}
    wanted["timesteps"] = shape.get("pass_timesteps")
    file = shape.get("sizing")
    return sizing_from(network, None if file is None else Path(file), wanted)


def _designed(network: Network, shape: Shape) -> tuple[Sizing, dict[str, Stage]]:
    from duospike.cosim.design.plan import plan_stages

    sizing = _sizing(network, shape)
    return sizing, plan_stages(network, sizing)


def convert(network: Network, folder: Path | str, *, language: Language = "verilog", **shape: Unpack[Shape]) -> None:
    """Write the accelerator as HDL, with its hex files, file lists and manifest, to a new, empty or earlier folder."""
    from duospike.cosim.design.hdl_folder import write_accelerator
    from duospike.cosim.folder import output_folder

    sizing = _sizing(network, shape)
    with output_folder(Path(folder)) as place:
        write_accelerator(network, sizing, place, language)


def cosimulate(
    network: Network,
    images: np.ndarray,
    folder: Path | str,
    *,
    labels: np.ndarray | None = None,
    simulator: Simulator = "icarus",
    **shape: Unpack[Shape],
) -> dict[str, Any]:
    """Run images [count, channels, height, width] in simulated hardware and compare every spike with the reference.

    folder: where the HDL and the recorded spikes go; new, empty or an earlier one. Returns the content of its report.json, see
    docs/reference/files.md: bit_exact; mismatch, the first difference or None; stages, with the counters of each.
    """
    from duospike.cosim.folder import output_folder
    from duospike.cosim.simulation.network_run import run_network
    from duospike.cosim.simulation.report import make_report, write_report

    sizing, stages = _designed(network, shape)
    with output_folder(Path(folder)) as place:
        finished = run_network(network, stages, images, place, simulator=simulator)
        found = make_report(finished, labels, simulator)
        return write_report(place, found, network=network, images=images, source="array", sizing=sizing)


def count_cycles(network: Network, images: np.ndarray, **shape: Unpack[Shape]) -> dict[str, Any]:
    """Cycles and counters of each stage for images [count, channels, height, width], by the cycle model: no simulator is needed.

    Returns the content of cycles.json, see docs/reference/files.md.
    """
    from duospike.cosim.cycles.model import run_model
    from duospike.cosim.cycles.report import make_report

    sizing, stages = _designed(network, shape)
    return make_report(run_model(stages, golden.run(network, images)), stages, sizing)


def simulate_overlay(
    network: Network, folder: Path | str, *, simulator: Literal["icarus", "ghdl"] = "icarus", **shape: Unpack[Shape]
) -> SimulatedOverlay:
    """The accelerator behind its AXI buses in a simulator, with the interface of a PYNQ overlay; a context manager.

    folder: where the files of the simulation go; made if there is none.
    """
    from duospike.cosim.axi.shell import convert_shell, shell_of
    from duospike.cosim.axi.simulated_overlay import SimulatedOverlay

    _, stages = _designed(network, shape)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    modules = convert_shell(shell_of(network, stages), "vhdl" if simulator == "ghdl" else "verilog")
    return SimulatedOverlay(modules, place, simulator=simulator)


def prepare(model: nn.Module, bits: int, **interface: Unpack[ImageFormat]) -> nn.Module:
    """A copy of a float network of torch modules with neurons of snnTorch or SpikingJelly, to train on with `bits` bits a weight.

    Its layers, batch norms and neurons compute the hardware's integers in the forward pass, and have the interfaces of those that
    they replace. After training, import_torch with the same keywords gives the network with the copy's spikes for every image.
    InputError with all reasons, one a line, if the hardware does not have what the network is made of.
    """
    from duospike.reference.exchange.modules import prepare as preparation
    from duospike.reference.exchange.source import Interface

    return preparation.prepare(model, bits, Interface(**interface))


def import_torch(modules: nn.Module, **interface: Unpack[ImageFormat]) -> Network:
    """The network of torch modules with neurons of snnTorch or SpikingJelly, with the same spikes for every image.

    modules: a module with a forward of its own, an nn.Sequential, or a list of modules in their order.
    InputError with all reasons, one a line, if it is not exact.
    """
    from duospike.reference.exchange.exact import exact_network
    from duospike.reference.exchange.modules.torch_modules import from_torch
    from duospike.reference.exchange.source import Interface

    return exact_network(from_torch(modules, Interface(**interface)))


def import_nir(path: Path | str, *, dt: float, **interface: Unpack[ImageFormat]) -> Network:
    """The network of a NIR file in forward Euler steps of dt, with the same spikes for every image.

    InputError with all reasons, one a line, if it is not exact.
    """
    from duospike.reference.exchange.exact import exact_network
    from duospike.reference.exchange.nir.nir_import import from_nir
    from duospike.reference.exchange.nir.nir_process import read_graph
    from duospike.reference.exchange.source import Interface

    return exact_network(from_nir(read_graph(path), Interface(**interface), dt=dt))


def export_nir(network: Network, path: Path | str, *, dt: float) -> None:
    """Write a network as a NIR graph with the same spikes. InputError with all that NIR cannot hold of it."""
    from duospike.reference.exchange.nir.nir_export import to_nir, write_graph

    write_graph(to_nir(network, dt), path)
