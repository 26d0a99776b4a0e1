"""Measures the VGG9 of the paper at full size: cycles against the paper's schedule, and balance; --write: into docs/.

python -m benchmarks.vgg9 [--write]
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.design.sizing import DEFAULT_QUEUE_DEPTH
from duospike.cosim.exploration import paper_schedule
from duospike.cosim.exploration.balance import min_sum
from duospike.cosim.exploration.explore import Budget, Choice, Problem, choose, lanes_cost
from duospike.cosim.pages.plots import plot_cycles, plot_gantt
from duospike.reference import golden
from duospike.reference.data.datasets import load
from duospike.reference.golden import Trace
from duospike.reference.modelfile import load_model
from duospike.reference.network import Linear, Network, Neuron, Pool
from duospike.reference.training.random_network import random_network

INPUT = (3, 32, 32)
LANES, RATE, SEED, IMAGES = 200, 0.1, 1, 3
TRAINED = {"fashion-small.safetensors": 40, "fashion-vgg9-eighth.safetensors": 40}
"""Trained networks, each with lanes in all."""
TRAINED_IMAGES = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures and plots into docs/")
    args = parser.parse_args()
    measurement = begin("vgg9")
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
    text = with_comment(measurement, "\n\n".join([f"{machine()}, seed {SEED}.", *tables]))
    print(text)
    if args.write:
        page = write_section("vgg9", text)
        fast, short = every_map.fast.run, every_map.short.run
        plot_cycles(fast.activity, len(fast.ends), page.parent / "vgg9-cycles.svg")
        plot_gantt(short.firsts, short.lasts, 0, page.parent / "vgg9-gantt.svg")
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
    problem = Problem(network, trace, network.timesteps, DEFAULT_QUEUE_DEPTH, 100e6, partial(lanes_cost, network), (1,))
    budget = Budget("lanes", lanes)
    picked = min_sum(paper_schedule.options(network, trace), lanes)
    paper_lanes, paper = {name: option.lanes for name, option in picked.items()}, sum(one.cycles for one in picked.values())
    fast, slack = choose(problem, budget), choose(problem, budget, slack=0.12)
    single, short = choose(replace(problem, timesteps=1), budget), choose(problem, budget, "latency")
    return _Measured(network, trace, fast, slack, single, short, paper_lanes, paper)


def _independent(network: Network, every_map: bool) -> Trace:
    """Spikes drawn one by one; with every_map those of a pooled map too, else it is the OR of the map before."""
    draw, spikes, before = np.random.default_rng(SEED), {}, np.zeros(0, np.uint8)
    for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
        if isinstance(layer, Pool) and not every_map:
            before = golden.pool(layer, torch.from_numpy(before).swapaxes(0, 1)).swapaxes(0, 1).contiguous().numpy()
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
        adders = found.network.timesteps * (1 if isinstance(layer, Linear) else math.prod(layer.kernel))
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


if __name__ == "__main__":
    sys.exit(main())
