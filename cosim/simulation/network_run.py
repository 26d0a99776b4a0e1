"""Co-simulation of a whole network: run the accelerator on images and compare every spike with the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from duospike.cosim.design.beats import image_beats, spike_beats
from duospike.cosim.design.build import convert_stages
from duospike.cosim.design.plan import READOUT, frames_of, readout_of, stage_beats
from duospike.reference import golden
from duospike.reference.network import Network
from duospike.rtl.accelerator import traced_streams
from duospike.rtl.activity import ACTIVITY_BITS, COUNTER_BITS, COUNTERS
from duospike.rtl.readout import Readout
from duospike.rtl.stage import Stage

from .bench import Bench, Outcome
from .compare import Mismatch, first_mismatch
from .ghdl import run_ghdl
from .icarus import run_icarus
from .verilator import run_verilator

SIMULATORS = {"icarus": ("verilog", run_icarus), "verilator": ("verilog", run_verilator), "ghdl": ("vhdl", run_ghdl)}
"""For each simulator the language that it takes, and what runs a bench in it."""


@dataclass(frozen=True, eq=False)
class NetworkRun:
    """A finished co-simulation. streams: beats by stage name. activity: counters by stage name, see rtl/activity.py."""

    network: Network
    stages: dict[str, Stage]
    images: np.ndarray
    bench: Bench
    trace: golden.Trace
    outcome: Outcome
    mismatch: Mismatch | None

    @property
    def readout(self) -> Readout:
        """Parameters of the last stage."""
        return readout_of(self.stages)

    @property
    def activity(self) -> dict[str, dict[str, int]]:
        return {name: stage_activity(self.outcome.activity_word >> (i * ACTIVITY_BITS)) for i, name in enumerate(self.stages)}


def stage_activity(word: int) -> dict[str, int]:
    """The counters of the stage in the lowest bits of an activity word, by name."""
    return {name: word >> (k * COUNTER_BITS) & (2**COUNTER_BITS - 1) for k, name in enumerate(COUNTERS)}


def input_beats(network: Network, stages: dict[str, Stage], images: np.ndarray) -> tuple[int, ...]:
    """What the accelerator takes for images that network.check_images accepts."""
    readout, images = readout_of(stages), network.check_images(images)
    if network.coding == "events":
        return spike_beats(images, network.input_shape[0], readout.timesteps)
    return image_beats(images, network.image_bits, readout.passes, frames_of(stages))


def network_bench(network: Network, stages: dict[str, Stage], images: np.ndarray, language: str, **settings: Any) -> Bench:
    """The bench that runs `images` through the accelerator. settings: stalls, seed and waves, see Bench."""
    beats, given = input_beats(network, stages, images), stage_beats(stages)
    return Bench(
        modules=convert_stages(stages, language),
        beats=beats,
        frame_beats=len(beats) // len(images),
        expected=len(images),
        watch=traced_streams(stages),
        expected_watched={name: len(images) * given[name] for name in traced_streams(stages)},
        **settings,
    )


def run_network(
    network: Network,
    stages: dict[str, Stage],
    images: np.ndarray,
    folder: Path,
    *,
    simulator: str = "icarus",
    waves: bool = False,
    src_stall: int = 0,
    dst_stall: int = 0,
    seed: int = 1,
    progress: Callable[[str], None] = lambda step: None,
) -> NetworkRun:
    """Run `images` [count, *network.image_shape] through the accelerator in `folder` and compare.

    src_stall, dst_stall, seed: see Bench. progress: gets the name of each step as it begins.
    InputError for images that the network cannot take, CosimError for a simulator that is missing or fails.
    """
    progress("integer reference")
    trace = golden.run(network, images)
    language, run_simulator = SIMULATORS[simulator]
    progress(f"conversion to {language}")
    bench = network_bench(network, stages, images, language, src_stall=src_stall, dst_stall=dst_stall, seed=seed, waves=waves)
    progress(f"simulation of {len(images)} images in {simulator}")
    outcome = run_simulator(bench, folder)
    streams = {name: outcome.streams["dst" if name == READOUT else name] for name in stages}
    mismatch = first_mismatch(stages, trace, streams)
    if mismatch is None:
        outcome.complete()
    return NetworkRun(network, stages, images, bench, trace, outcome, mismatch)
