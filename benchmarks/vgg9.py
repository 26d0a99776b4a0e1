"""Measures the VGG9 of the paper at full size for docs/generated/vgg9.md: cycles against the paper's schedule, balance, scale.

python -m benchmarks.vgg9 [--write] [--skip-scale]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.page import machine, table, write_section
from duospike.cosim.design.sizing import DEFAULT_QUEUE_DEPTH
from duospike.cosim.exploration import paper_schedule
from duospike.cosim.exploration.balance import min_sum
from duospike.cosim.exploration.explore import Budget, Choice, Problem, choose
from duospike.cosim.folder import temporary_folder
from duospike.cosim.pages.plots import plot_cycles, plot_gantt
from duospike.cosim.system import program
from duospike.reference import golden
from duospike.reference.data.datasets import load
from duospike.reference.golden import Trace
from duospike.reference.modelfile import load_model
from duospike.reference.network import Linear, Network, Neuron, Pool
from duospike.reference.training.random_network import random_network

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "generated" / "vgg9.md"

INPUT = (3, 32, 32)
LANES, RATE, SEED, IMAGES = 200, 0.1, 1, 3
TRAINED = {"fashion-small.safetensors": 40, "fashion-vgg9-eighth.safetensors": 40}
"""Trained networks, each with lanes in all."""
TRAINED_IMAGES = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures and plots into docs/generated/")
    parser.add_argument("--skip-scale", action="store_true", help="leave out conversion and simulation of the full network")
    args = parser.parse_args()
    network = random_network(
        "VGG9", input_shape=INPUT, rate=RATE, seed=SEED, neuron=Neuron("subtract", 5, 5), timesteps=2, weight_bits=4
    )  # fmt: skip
    every_map = _measured(network, _independent(network, True), LANES)
    neurons = _measured(network, _independent(network, False), LANES)
    tables = [
        _layers_table(f"VGG9, {LANES} lanes, {RATE:.0%} independent spikes in every map, T=2", every_map),
        _latency_table([("10 % of every map", every_map), ("10 % of the neurons, pools an OR of them", neurons)]),
    ]
    trained = []
    for name, lanes in TRAINED.items():
        model = load_model(ROOT / "models" / name)
        images = load("fashion-mnist", model, TRAINED_IMAGES).images
        trained.append((f"{name}, {lanes} lanes", _measured(model, golden.run(model, images), lanes)))
        tables.append(_layers_table(f"{name}, trained, {TRAINED_IMAGES} test images, {lanes} lanes", trained[-1][1]))
    tables.append(_latency_table(trained))
    sections = {"vgg9": "\n\n".join([f"{machine()}, seed {SEED}.", *tables])}
    if not args.skip_scale:
        sections["scale"] = "\n\n".join([f"{machine()}, seed {SEED}.", _scale_table()])
    for name, text in sections.items():
        print(text)
        if args.write:
            write_section(PAGE, text, name)
    if args.write:
        fast, short = every_map.fast.run, every_map.short.run
        plot_cycles(fast.activity, len(fast.ends), PAGE.parent / "vgg9-cycles.svg")
        plot_gantt(short.firsts, short.lasts, 0, PAGE.parent / "vgg9-gantt.svg")
    return 0


@dataclass(frozen=True, eq=False)
class _Measured:
    """A network's choices for the same lanes: fast, the least interval; slack, up to 12 % more; single, the least interval with
    one timestep a pass; short, the least latency of one or all timesteps a pass.

    paper_lanes, paper: lanes and cycles of the paper's schedule, balanced for itself.
    """

    network: Network
    trace: Trace
    fast: Choice
    slack: Choice
    single: Choice
    short: Choice
    paper_lanes: dict[str, int]
    paper: float


def _measured(network: Network, trace: Trace, lanes: int) -> _Measured:
    problem = Problem(network, trace, network.timesteps, DEFAULT_QUEUE_DEPTH, 100e6, lambda name, count: count, (1,))
    budget = Budget("lanes", lanes)
    options = paper_schedule.options(network, trace)
    paper_lanes = min_sum(options, lanes)
    paper = sum(option.cycles for name in options for option in options[name] if option.lanes == paper_lanes[name])
    fast, slack = choose(problem, budget), choose(problem, budget, slack=0.12)
    single, short = choose(replace(problem, timesteps=1), budget), choose(problem, budget, "latency")
    return _Measured(network, trace, fast, slack, single, short, paper_lanes, paper)


def _independent(network: Network, every_map: bool) -> Trace:
    """Spikes drawn one by one; with every_map those of a pooled map too, else it is the OR of the map before."""
    draw, spikes, before = np.random.default_rng(SEED), {}, np.zeros(0, np.uint8)
    for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
        if isinstance(layer, Pool) and not every_map:
            before = golden.pool(torch.from_numpy(before).swapaxes(0, 1)).swapaxes(0, 1).contiguous().numpy()
        else:
            before = (draw.random((IMAGES, network.timesteps, *shape), np.float32) < RATE).astype(np.uint8)
        spikes[layer.name] = before
    return Trace(spikes, np.zeros((IMAGES, network.classes), np.int64), np.zeros(IMAGES, np.int64))


def _layers_table(title: str, found: _Measured) -> str:
    """Each layer with the lanes of the least interval, ours and the paper's schedule with as many."""
    rows, choice = [], found.fast
    for layer in found.network.layers:
        if isinstance(layer, Pool):
            continue
        lanes = choice.sizing.lanes[layer.name]
        ours = choice.run.activity[layer.name]["busy"] / len(choice.run.ends)
        paper = float(paper_schedule.layer_cycles(found.network, found.trace, layer.name, lanes).mean())
        # A fully connected layer has one adder a lane and timestep; the dense core multiplies once for all timesteps.
        adders = found.network.timesteps * (1 if isinstance(layer, Linear) else layer.kernel**2)
        each = "-" if layer is found.network.layers[0] else f"{paper / ours / adders:.2f}"
        parts = str(choice.sizing.row_parts.get(layer.name, "-"))
        shares = f"{ours / choice.interval:.1%}"
        rows.append([layer.name, str(lanes), parts, f"{ours:.0f}", shares, f"{paper:.0f}", f"{paper / ours:.2f}", each])
    columns = [
        "layer",
        "lanes",
        "parts",
        "busy cycles an image",
        "of the interval",
        "paper's schedule, same lanes",
        "ratio",
        "ratio an adder",
    ]
    return table(title, columns, rows)


def _latency_table(found: list[tuple[str, _Measured]]) -> str:
    rows = []
    for title, each in found:
        choices = {
            "interval": each.fast, "interval, slack 12 %": each.slack, "interval, T=1 a pass": each.single, "latency": each.short,
        }  # fmt: skip
        for aim, choice in choices.items():
            slowest, share = choice.slowest
            numbers = [
                f"{choice.interval:.0f}",
                f"{slowest} {share:.1%}",
                str(choice.latency),
                f"{choice.latency / choice.interval:.2f}",
            ]
            ratios = [f"{each.paper / choice.latency:.1f}", f"{each.paper / choice.interval:.1f}"]
            rows.append([title, aim, str(choice.sizing.timesteps), *numbers, f"{each.paper:.0f}", *ratios])
    columns = [
        "spikes", "least", "T of a pass", "interval", "slowest stage busy", "latency", "latency / interval",
        "paper's schedule, balanced", "times our latency", "times our interval",
    ]  # fmt: skip
    return table("An image, all layers, cycles; both schedules with the same lanes in all", columns, rows)


def _scale_table() -> str:
    """Wall clock and memory of whole commands, in a folder and with a cache of their own."""
    rows: list[list[str]] = []
    with temporary_folder() as folder:
        run = _Commands(folder, rows)
        size = ["--input", "x".join(map(str, INPUT)), "--rate", str(RATE), "--seed", str(SEED)]
        one = ["--data", "random", "--seed", str(SEED), "--images", "1"]
        run("random network of full size", ["random", "VGG9", *size, "--out", "vgg9.safetensors"])
        explore = ["explore", "vgg9.safetensors", "--budget", f"lanes={LANES}", "--data", "random", "--images", "4", "--no-front"]
        run(f"lanes for {LANES}", [*explore, "--out", "explored"])
        sized = ["vgg9.safetensors", "--sizing", "explored/sizing.toml"]
        run("conversion", ["convert", *sized, "--out", "hdl"])
        verilator = ["cosim", *sized, *one, "--simulator", "verilator"]
        run("one image in Verilator: conversion, build, run, comparison", [*verilator, "--out", "first"])
        run("the same, built before", [*verilator, "--out", "second"])
        run("1,000 images in the cycle model", ["cycles", *sized, "--data", "random", "--images", "1000"])
        run("random network, a quarter of the width", ["random", "VGG9/4", *size, "--out", "quarter.safetensors"])
        run("one image of it in Icarus", ["cosim", "quarter.safetensors", *one, "--lanes", "4", "--out", "icarus"])
        for timesteps in (25, 64):
            model, coding = f"rate{timesteps}.safetensors", ["--coding", "rate", "--timesteps", str(timesteps)]
            run(f"the same with rate coding, T={timesteps}", ["random", "VGG9/4", *size, *coding, "--out", model])
            rated = ["cosim", model, *one, "--lanes", "4", "--simulator", "verilator"]
            run(f"one image of it in Verilator, {timesteps} timesteps", [*rated, "--out", f"rate{timesteps}"])
    title = "Commands at full size, wall clock and memory, the machine otherwise idle"
    return table(title, ["what", "seconds", "GiB", "says"], rows)


class _Commands:
    """Runs commands in a folder and records the time and memory of each."""

    def __init__(self, folder: Path, rows: list[list[str]]):
        self.folder, self.rows = folder, rows
        self.environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}

    def __call__(self, what: str, words: list[str]):
        start = time.monotonic()
        with (self.folder / "output").open("w") as output:
            command = [sys.executable, "-m", "duospike", *words]
            with program(command, self.folder, stdout=output, env=self.environment) as process:
                _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        if status:
            raise SystemExit(f"{' '.join(words)}: failed")
        last = (self.folder / "output").read_text().rstrip().splitlines()[-1]
        self.rows.append([what, f"{seconds:.0f}", f"{usage.ru_maxrss / 2**20:.1f}", last])
        print(self.rows[-1], file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
