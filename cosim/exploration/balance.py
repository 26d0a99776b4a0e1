"""Lanes for a budget: the lanes that make the slowest layer as fast as a budget allows, as a small integer program.

A layer with `lanes` lanes goes over its input once for each group of as many outputs, so its cycles are groups times the
cycles for one group, and the slowest layer sets the interval between images. Of a dense fully connected layer the cycles for one
group are the words of the image, the fewer the more multipliers a lane has. scipy solves which are best to the optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from duospike.rtl.errors import DesignError
from duospike.rtl.stream import groups_of


@dataclass(frozen=True)
class Option:
    """A number of lanes that a layer can have. cycles: for an image then. cost: what it takes of the budget. multipliers: of
    each lane of a dense fully connected layer, None for others."""

    lanes: int
    cycles: float
    cost: float
    multipliers: int | None = None


Options = dict[str, list[Option]]
"""By layer name, from many lanes to one."""
Picked = dict[str, Option]
"""One for each layer, by its name."""


def lane_options(outputs: int, work: float, cost: Callable[[int], float]) -> list[Option]:
    """For each number of groups the fewest lanes that give it. outputs: of the layer. work: its cycles for one group."""
    groups = _numbers_of_groups(outputs)
    return [Option(groups_of(outputs, count), count * work, cost(groups_of(outputs, count))) for count in groups]


def multiplier_options(outputs: int, work: dict[int, float], cost: Callable[[int, int], float]) -> list[Option]:
    """The same for each number of multipliers of a lane. work: by these, cycles for one group. cost: of lanes and multipliers."""
    return [
        Option(lanes, count * cycles, cost(lanes, multipliers), multipliers)
        for count in _numbers_of_groups(outputs)
        for multipliers, cycles in work.items()
        for lanes in [groups_of(outputs, count)]
    ]


def _numbers_of_groups(outputs: int) -> list[int]:
    return sorted({groups_of(outputs, lanes) for lanes in range(1, outputs + 1)})


def min_interval(options: Options, budget: float, lag: dict[str, float], slack: float, min_cycles: float = 0.0) -> Picked:
    """Options of the layers that cost at most `budget` in all and make the slowest layer as fast as possible.

    lag: by layer, the share of its cycles that it adds to the latency of an image. slack: the share by which the slowest
    layer may be slower than at best; among all choices within it the sum of the lags is smallest. min_cycles: cycles of what no
    lanes make faster; no layer need be faster than that.
    DesignError if the budget does not give each layer a lane.
    """
    pick, cycles, cost = _columns(options, budget)
    # Variables: each option taken or not, and the cycles of the slowest layer.
    constraints = [
        LinearConstraint(np.hstack([pick, np.zeros((len(pick), 1))]), 1, 1),
        LinearConstraint(np.append(cost, 0)[None], 0, budget),
        LinearConstraint(np.hstack([pick * cycles, -np.ones((len(pick), 1))]), -np.inf, 0),
    ]
    slowest = np.append(np.zeros(len(cycles)), 1)
    best = max(_solve(slowest, constraints)[-1], min_cycles)
    # A little more than nothing, since the solver's optimum is rounded.
    limit = LinearConstraint(slowest[None], 0, best * (1 + max(slack, 1e-9)))
    lags = cycles * (np.array([lag[name] for name in options]) @ pick)
    return _picked(options, _solve(np.append(lags, 0), [*constraints, limit]))


def min_sum(options: Options, budget: float) -> Picked:
    """Options of the layers that cost at most `budget` in all and make the sum of the layers' cycles smallest.

    DesignError if the budget does not give each layer a lane.
    """
    pick, cycles, cost = _columns(options, budget)
    constraints = [
        LinearConstraint(np.hstack([pick, np.zeros((len(pick), 1))]), 1, 1),
        LinearConstraint(np.append(cost, 0)[None], 0, budget),
    ]
    return _picked(options, _solve(np.append(cycles, 0), constraints))


def _columns(options: Options, budget: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of all options: whose each one is, 0 or 1 [layers, options]; cycles and cost, [options]."""
    least = sum(min(option.cost for option in of_layer) for of_layer in options.values())
    if budget < least:
        raise DesignError(f"a budget of {budget:.10g}; allowed: {least:.10g} or more, what one lane for each layer takes")
    flat = [option for of_layer in options.values() for option in of_layer]
    owner = np.repeat(np.arange(len(options)), [len(of_layer) for of_layer in options.values()])
    pick = (owner == np.arange(len(options))[:, None]).astype(float)
    return pick, np.array([option.cycles for option in flat], float), np.array([option.cost for option in flat], float)


def _picked(options: Options, taken: np.ndarray) -> Picked:
    """The options that are taken."""
    flat = [(name, option) for name, of_layer in options.items() for option in of_layer]
    return dict(flat[i] for i in np.flatnonzero(taken[:-1] > 0.5))


def _solve(objective: np.ndarray, constraints: list[LinearConstraint]) -> np.ndarray:
    """The best values of 0/1 variables and a last, continuous one."""
    whole = np.append(np.ones(len(objective) - 1), 0)
    bounds = Bounds(np.zeros(len(objective)), np.append(np.ones(len(objective) - 1), np.inf))
    found = milp(objective, integrality=whole, bounds=bounds, constraints=constraints, options={"mip_rel_gap": 0})
    assert found.success, found.message
    return found.x


def min_cost(options: Options, cycles: float) -> Picked:
    """The cheapest option of each layer with at most `cycles` an image; DesignError if a layer cannot be as fast."""
    chosen = {}
    for name, of_layer in options.items():
        fast = [option for option in of_layer if option.cycles <= cycles]
        if not fast:
            least = min(option.cycles for option in of_layer)
            raise DesignError(f"layer {name}: {cycles:.0f} cycles an image; allowed: {least:.0f} or more, with all its lanes")
        chosen[name] = min(fast, key=lambda option: (option.cost, option.lanes))
    return chosen
