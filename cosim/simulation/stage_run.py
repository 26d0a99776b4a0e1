"""Co-simulation of one stage with neurons on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from duospike.cosim.conversion.convert import convert
from duospike.cosim.design.beats import image_beats, spike_beats
from duospike.cosim.design.build import build_stage
from duospike.cosim.errors import CosimError
from duospike.reference import golden
from duospike.reference.network import Network, Pool
from duospike.rtl.stage import DenseStage, SparseStage, Stage

from .bench import Bench, Outcome
from .compare import Mismatch, first_spike_mismatch
from .icarus import run_icarus


def run_stage(
    network: Network,
    stages: dict[str, Stage],
    name: str,
    inputs: np.ndarray,
    folder: Path,
    *,
    src_stall: int = 0,
    dst_stall: int = 0,
    seed: int = 1,
) -> tuple[Outcome, Mismatch | None]:
    """Send inputs through the stage of layer `name` and compare its spikes with the reference.

    inputs: for a dense layer images [frames, *network.image_shape], else spikes [frames, timesteps, channels,
    height, width]. src_stall, dst_stall, seed: see Bench. CosimError for a run that does not end although all its beats
    are right.
    """
    stage = stages[name]
    layer = next((layer for layer in network.layers if layer.name == name), None)
    if isinstance(stage, DenseStage):
        maps = golden.first_maps(network, inputs)
        beats = image_beats(inputs, network.image_bits, stage.passes, stage.frames)
    elif isinstance(stage, SparseStage):
        maps, beats = torch.from_numpy(inputs.swapaxes(0, 1).copy()), spike_beats(inputs, stage.lanes_in, stage.timesteps)
    if layer is None or isinstance(layer, Pool):
        raise CosimError(f"stage {name} has no neurons")
    expected = golden.fire(layer, golden.layer_currents(layer, maps), network.timesteps).swapaxes(0, 1).numpy()
    wanted = spike_beats(expected, stage.lanes, stage.timesteps)
    bench = Bench(
        modules=tuple(convert(build_stage(stage))),
        beats=beats,
        frame_beats=len(beats) // len(inputs),
        expected=len(wanted),
        src_stall=src_stall,
        dst_stall=dst_stall,
        seed=seed,
    )
    outcome = run_icarus(bench, folder)
    mismatch = first_spike_mismatch(name, expected, stage.lanes, outcome.streams["dst"], stage.timesteps)
    return outcome if mismatch else outcome.complete(), mismatch
