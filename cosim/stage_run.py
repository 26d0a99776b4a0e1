"""Co-simulation of one spiking stage of a network on its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from reference import golden
from reference.network import Network

from .beats import spike_beats
from .bench import Bench, Outcome
from .compare import Mismatch, first_spike_mismatch
from .convert import convert
from .design import build_stage
from .icarus import run_icarus
from .plan import Stage


def run_stage(
    network: Network,
    stages: dict[str, Stage],
    name: str,
    spikes: np.ndarray,
    folder: Path,
    *,
    src_stall: int = 0,
    dst_stall: int = 0,
    seed: int = 1,
) -> tuple[Outcome, Mismatch | None]:
    """Send spikes [frames, timesteps, channels, height, width] through the sparse stage of layer `name` and compare.

    src_stall, dst_stall, seed: see Bench. CosimError for a run that does not end although all its beats are right.
    """
    names = list(stages)
    stage, before = stages[name], stages[names[names.index(name) - 1]]
    layer = network.layers[names.index(name)]
    maps = torch.from_numpy(np.ascontiguousarray(spikes.swapaxes(0, 1)))
    expected = golden.fire(layer, golden.layer_currents(layer, maps), network.timesteps).swapaxes(0, 1).numpy()
    beats = spike_beats(spikes, before.lanes)
    wanted = spike_beats(expected, stage.lanes)
    bench = Bench(
        modules=tuple(convert(build_stage(stage))),
        beats=beats,
        frame_beats=len(beats) // len(spikes),
        expected=len(wanted),
        src_stall=src_stall,
        dst_stall=dst_stall,
        seed=seed,
    )
    outcome = run_icarus(bench, folder)
    mismatch = first_spike_mismatch(name, expected, stage.lanes, outcome.streams["dst"])
    return outcome if mismatch else outcome.complete(), mismatch
