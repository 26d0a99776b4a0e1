"""Measures the figures of docs/performance.md and, with --write, puts them there.

    python -m benchmarks.performance [--write] [--quick]

--quick leaves out the test suite.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cosim.network_run import stage_activity
from cosim.plan import choose_lanes, plan_stages
from cosim.stage_run import run_stage
from reference.network import Neuron
from reference.random_network import random_network

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SEED = 1


def sparse_convolution(rate: float, frames: int = 2) -> list[str]:
    """16x16, 32 -> 32 channels, 8 lanes, T = 2, independent random spikes: cycles beside the sum of max(1, events)."""
    network = random_network(
        "32C3-32C3-FC10", input_shape=(1, 16, 16), rate=0.2, seed=SEED, neuron=Neuron("subtract", 5, 5), timesteps=2
    )
    stages = plan_stages(network, choose_lanes(network, 8 if rate else None))
    spikes = (np.random.default_rng(SEED).random((frames, 2, 32, 16, 16)) < rate).astype(np.uint8)
    with TemporaryDirectory() as folder:
        outcome, mismatch = run_stage(network, stages, "conv2", spikes, Path(folder))
    assert mismatch is None, mismatch
    work = [stages["conv2"].groups * int(np.maximum(frame.any(0).sum(0), 1).sum()) for frame in spikes]
    beats = outcome.streams["dst"]
    ends = [beats[len(beats) // frames * (i + 1) - 1].cycle for i in range(frames)]
    latency = ends[0] - outcome.starts[0] + 1
    row = 16 * stages["conv1"].groups + 16 * stages["conv2"].groups
    interval = ends[1] - ends[0]
    busy = stage_activity(outcome.counts)["busy"]
    return [
        f"{rate:.0%}",
        str(work[0]),
        str(latency),
        f"{(latency - row) / work[0] - 1:+.2%}",
        str(work[1]),
        str(interval),
        f"{interval / work[1] - 1:+.2%}",
        f"{busy / outcome.cycles:.1%}",
    ]
