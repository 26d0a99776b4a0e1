"""Measures the figures of docs/generated/performance.md, prints them, and with --write puts them there.

python -m benchmarks.performance [--write] [--skip-tests]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.page import machine, table, write_section
from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.folder import temporary_folder
from duospike.cosim.simulation.bench import Outcome
from duospike.cosim.simulation.network_run import SIMULATORS, network_bench, stage_activity
from duospike.cosim.simulation.stage_run import run_stage
from duospike.cosim.system import program
from duospike.reference import golden
from duospike.reference.data.datasets import load, random_images
from duospike.reference.modelfile import load_model
from duospike.reference.network import Network, Neuron
from duospike.reference.training.random_network import random_network

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "generated" / "performance.md"
SEED = 1
LANES = 8
MODEL = ROOT / "models" / "fashion-small.safetensors"
SIMULATED = {"ghdl": 2, "icarus": 4, "verilator": 100}
"""Images in each simulator."""
MODELLED = 200
"""Images in the cycle model."""
DEMO = [sys.executable, "-m", "duospike", "cosim", "models/fashion-small.safetensors", "--images", "2"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/generated/performance.md")
    parser.add_argument("--skip-tests", action="store_true", help="leave out the time of the test suite")
    args = parser.parse_args()
    tables = [_sparse_table(), _dense_table(), _simulator_table(), _time_table(args.skip_tests)]
    text = "\n\n".join([f"{machine()}, seed {SEED}.", *tables])
    print(text)
    if args.write:
        write_section(PAGE, text)
    return 0


def _network(architecture: str, shape: tuple[int, int, int]) -> Network:
    return random_network(architecture, input_shape=shape, rate=0.2, seed=SEED, neuron=Neuron("subtract", 5, 5), timesteps=2)


def _run(network: Network, name: str, inputs: np.ndarray) -> tuple[Outcome, list[int]]:
    """Run a stage with LANES lanes; returns the outcome and the cycle of each frame's last output beat."""
    stages = plan_stages(network, choose_sizing(network, LANES))
    with temporary_folder() as folder:
        outcome, mismatch = run_stage(network, stages, name, inputs, folder)
    if mismatch is not None:
        raise SystemExit(f"not bit-exact: {mismatch}")
    beats = outcome.streams["dst"]
    frame = len(beats) // len(inputs)
    return outcome, [beats[frame * (i + 1) - 1].cycle for i in range(len(inputs))]


def _sparse_table() -> str:
    columns = [
        "spikes", "sum of max(1, events)", "cycles, first image", "beyond the sum and one row", "interval to the next image",
        "beyond its sum", "events and silent pixels a busy cycle",
    ]  # fmt: skip
    rows = [_sparse_row(rate) for rate in (0.05, 0.1, 0.2)]
    return table(f"Sparse convolution stage, 16x16, 32 -> 32 channels, {LANES} lanes, T=2, independent spikes", columns, rows)


def _sparse_row(rate: float) -> list[str]:
    network = _network("32C3-32C3-FC10", (1, 16, 16))
    spikes = np.random.default_rng(SEED).random((2, 2, 32, 16, 16)) < rate
    outcome, ends = _run(network, "conv2", spikes.astype(np.uint8))
    groups = 32 // LANES
    work = [groups * int(np.maximum(frame.any(0).sum(0), 1).sum()) for frame in spikes]
    # One row: its beats come in, and the flush row, all silent, goes through after the last.
    row = 2 * groups * 16
    first, interval = ends[0] - outcome.starts[0] + 1, ends[1] - ends[0]
    activity = stage_activity(outcome.activity_word)
    rate_text = f"{(activity['events'] + activity['silent']) / activity['busy']:.3f}"
    return [
        f"{rate:.0%}", str(work[0]), str(first), f"{first / (work[0] + row) - 1:+.2%}", str(interval),
        f"{interval / work[1] - 1:+.2%}", rate_text,
    ]  # fmt: skip


def _dense_table() -> str:
    rows = []
    for images in (1, 2, 4):
        network = _network("16C3-FC10", (1, 28, 28))
        outcome, ends = _run(network, "conv1", random_images(images, network.input_shape, network.pixel_range, SEED))
        busy = stage_activity(outcome.activity_word)["busy"]
        rows.append([str(images), str(outcome.cycles), str(busy), f"{busy / outcome.cycles:.1%}"])
    title = f"Dense core, 28x28, 1 -> 16 channels, {LANES} lanes, T=2"
    return table(title, ["images back to back", "cycles", "cycles with all multipliers busy", "share"], rows)


def _simulator_table() -> str:
    network = load_model(MODEL)
    stages = plan_stages(network, choose_sizing(network))
    rows = [_simulator_row(name, images, network, stages) for name, images in SIMULATED.items()]
    rows.append(_model_row(network, stages))
    slowest = min(float(row[-1]) for row in rows)
    title = f"Cycles a second of whole runs of {MODEL.name}, all streams recorded"
    rows = [[*row, f"{float(row[-1]) / slowest:.0f}"] for row in rows]
    return table(title, ["simulator", "images", "cycles", "seconds", "cycles a second", "times the slowest"], rows)


def _simulator_row(simulator: str, images: int, network: Network, stages: dict) -> list[str]:
    """Time the simulator's second run: Verilator's program is in its cache then; Icarus and GHDL compile each time."""
    language, run_simulator = SIMULATORS[simulator]
    batch = load("fashion-mnist", network, images).images
    bench = network_bench(network, stages, batch, language)
    for _ in range(2):
        with temporary_folder() as folder:
            start = time.monotonic()
            cycles = run_simulator(bench, folder).complete().cycles
            seconds = time.monotonic() - start
    return [simulator, str(images), str(cycles), f"{seconds:.1f}", f"{cycles / seconds:.0f}"]


def _model_row(network: Network, stages: dict) -> list[str]:
    """The cycle model, whose cycles are those of the RTL, once it is compiled."""
    trace = golden.run(network, load("fashion-mnist", network, MODELLED).images)
    for _ in range(2):
        start = time.monotonic()
        cycles = run_model(network, stages, trace).cycles
        seconds = time.monotonic() - start
    return ["the cycle model", str(MODELLED), str(cycles), f"{seconds:.1f}", f"{cycles / seconds:.0f}"]


def _time_table(skip_tests: bool) -> str:
    rows = []
    with temporary_folder() as folder:
        demo = _timed([*DEMO, "--out", str(folder)])
        rows.append(["the command of `make demo`: two images through Icarus, all compared", demo])
    if not skip_tests:
        rows.append(["`make test` after set-up", _timed(["make", "test"])])
    return table("Wall clock", ["command", "seconds"], rows)


def _timed(command: list[str]) -> str:
    start = time.monotonic()
    with program(command, ROOT, stdout=subprocess.DEVNULL, env=os.environ) as process:
        status = process.wait()
    if status:
        raise SystemExit(f"{' '.join(command)}: failed")
    return f"{time.monotonic() - start:.0f}"


if __name__ == "__main__":
    sys.exit(main())
