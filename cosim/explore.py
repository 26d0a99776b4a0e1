"""The choice of lanes and parts: the fastest accelerator for a budget, found exactly, then measured by the cycle model.

The work of a layer, cycles for one group of output channels, follows from measured spikes. A layer with that many lanes
takes groups times work, and the slowest layer sets the interval between images. Which lanes make the slowest as fast as
possible is a small mixed-integer program, which scipy solves to the optimum; among the optima a second one takes the one
with the shortest latency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from reference.coding import ENCODER
from reference.golden import Trace
from reference.network import Conv, Linear, Network, Pool
from rtl.errors import DesignError
from rtl.stream import groups_of

from .cycle_model import CycleRun, run_model
from .plan import plan_stages
from .sizing import Sizing


@dataclass(frozen=True)
class Option:
    """A number of lanes that a layer can have, and its cycles an image then."""

    lanes: int
    cycles: float


@dataclass(frozen=True, eq=False)
class Choice:
    """A sizing and what the cycle model says of it.

    lanes: in all. interval: cycles between the classes of two images that follow each other, on average. latency: cycles
    from the first pixel of the first image to its class. run: all of it.
    """

    sizing: Sizing
    lanes: int
    interval: float
    latency: int
    run: CycleRun


def layer_work(network: Network, trace: Trace, timesteps: int) -> dict[str, float]:
    """Cycles an image of each layer but pools for one group of outputs, on average over the images of a trace.

    timesteps: of a pass. A pixel costs as many cycles as it has events, at least one; in the dense layer one.
    """
    work, spikes = {}, trace.spikes.get(ENCODER)
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        if spikes is None:
            work[layer.name] = float(np.prod(shape[1:]) * network.timesteps // timesteps)
        elif not isinstance(layer, Pool):
            work[layer.name] = _sparse_work(layer, spikes, timesteps)
        spikes = trace.spikes[layer.name]
    return work


def _sparse_work(layer: Conv | Linear, spikes: np.ndarray, timesteps: int) -> float:
    images = len(spikes)
    events = spikes.reshape(-1, timesteps, *spikes.shape[2:]).any(1).sum(1)  # [frame, y, x]
    if isinstance(layer, Linear):
        return float(np.maximum(events.sum(2), 1).sum() / images)
    flush = layer.kernel // 2 * (events.shape[2] + 1) * len(events)
    return float((np.maximum(events, 1).sum() + flush) / images)


def options(layer: Conv | Linear, work: float) -> list[Option]:
    """For each number of groups the fewest lanes that give it."""
    groups = sorted({groups_of(layer.outputs, lanes) for lanes in range(1, layer.outputs + 1)})
    return [Option(groups_of(layer.outputs, count), count * work) for count in groups]


def balance(choices: dict[str, list[Option]], budget: int, lag: dict[str, float]) -> dict[str, int]:
    """Lanes of every layer, at most `budget` in all, so that the slowest takes as few cycles as possible.

    lag: by layer, the share of its cycles that it adds to the latency; among equals the sum of these is smallest.
    DesignError if the budget does not give each layer a lane.
    """
    if budget < len(choices):
        raise DesignError(f"a budget of {budget} lanes; allowed: {len(choices)} or more, one for each layer")
    sizes = [len(of_layer) for of_layer in choices.values()]
    flat = [option for of_layer in choices.values() for option in of_layer]
    cycles, lanes = (np.array([getattr(option, what) for option in flat], float) for what in ("cycles", "lanes"))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    # Variables: each option taken or not, and the cycles of the slowest layer.
    pick = (owner == np.arange(len(sizes))[:, None]).astype(float)
    constraints = [
        LinearConstraint(np.hstack([pick, np.zeros((len(sizes), 1))]), 1, 1),
        LinearConstraint(np.append(lanes, 0)[None], 0, budget),
        LinearConstraint(np.hstack([pick * cycles, -np.ones((len(sizes), 1))]), -np.inf, 0),
    ]
    slowest = np.append(np.zeros(len(flat)), 1)
    best = _solve(slowest, constraints)
    weight = np.repeat([lag[name] for name in choices], sizes)
    taken = _solve(np.append(cycles * weight, 0), [*constraints, LinearConstraint(slowest[None], 0, best[-1] * (1 + 1e-9))])
    return {name: flat[i].lanes for name, i in zip(choices, np.flatnonzero(taken[:-1] > 0.5), strict=True)}


def _solve(objective: np.ndarray, constraints: list[LinearConstraint]) -> np.ndarray:
    """The best values of 0/1 variables and a last, continuous one."""
    whole = np.append(np.ones(len(objective) - 1), 0)
    bounds = Bounds(np.zeros(len(objective)), np.append(np.ones(len(objective) - 1), np.inf))
    found = milp(objective, integrality=whole, bounds=bounds, constraints=constraints, options={"mip_rel_gap": 0})
    assert found.success, found.message
    return found.x


def measure(network: Network, trace: Trace, sizing: Sizing) -> Choice:
    """What the cycle model says of a sizing on the images of a trace, two or more."""
    run = run_model(network, plan_stages(network, sizing), trace)
    interval = (run.ends[-1] - run.ends[0]) / (len(run.ends) - 1)
    return Choice(sizing, sum(sizing.lanes.values()), float(interval), int(run.ends[0] - run.starts[0] + 1), run)
