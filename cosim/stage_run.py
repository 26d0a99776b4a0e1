"""Co-simulation of one stage with neurons on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from reference import golden
from reference.network import Network, Pool

from .beats import image_beats, spike_beats
from .bench import Bench, Outcome
from .compare import Mismatch, first_spike_mismatch
from .convert import convert
from .design import build_stage
from .errors import CosimError
from .icarus import run_icarus
from .plan import Stage


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

    inputs: for the dense layer images [frames, channels, height, width], else spikes [frames, timesteps, channels,
    height, width]. src_stall, dst_stall, seed: see Bench. CosimError for a run that does not end although all its beats
    are right.
    """
    names = list(stages)
    index, stage = names.index(name), stages[name]
    layer = network.layers[index]
    if isinstance(layer, Pool):
        raise CosimError(f"stage {name} has no neurons")
    if index == 0:
        maps, beats = torch.from_numpy(inputs)[None], image_beats(inputs, network.image_bits, stage.passes)
    else:
        maps, beats = (
            torch.from_numpy(inputs.swapaxes(0, 1).copy()),
            spike_beats(inputs, stages[names[index - 1]].lanes, stage.timesteps),
        )
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
