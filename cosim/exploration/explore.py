"""The choice of lanes, multipliers and row parts for a budget: lanes by integer program, parts by descent, by the cycle model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from duospike.cosim.cycles.model import CycleRun, run_model
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import (
    Sizing,
    choose_sizing,
    default_multipliers,
    dense_fc_image,
    divisors,
    image_words,
    multiplier_choices,
    pixel_beats,
)
from duospike.cosim.synthesis.area_model import fit_areas, stage_luts
from duospike.cosim.system import side_by_side
from duospike.reference.coding import ENCODER, TIMED_CODINGS
from duospike.reference.golden import Trace, join_traces
from duospike.reference.network import Conv, Linear, Network, Pool
from duospike.rtl.errors import DesignError
from duospike.rtl.sparse_conv import flush_pixels
from duospike.rtl.stage import Stage

from .balance import Options, Picked, lane_options, min_cost, min_interval, multiplier_options

BUDGETS = ("lanes", "luts", "fps")
LATENCY_SLACKS = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5)
"""By how much the interval may grow where the latency is the objective; the latency is measured for each."""
FRONT_FACTORS = (0.25, 0.5, 0.7, 1.4, 2.0, 4.0)
"""The other budgets of a Pareto front, as multiples of the budget that is asked for."""
TUNING_IMAGES = 1
"""Images on which row parts are compared."""
TOLERANCE = 0.01
"""Share by which row parts may make the interval longer than the slowest layer is with whole rows."""
NO_SLACK = "slack applies only to the objective interval with a budget of lanes or luts"
ROUNDS = 20
"""Attempts at a budget that can only be measured for the whole accelerator."""


@dataclass(frozen=True)
class Budget:
    """What an accelerator may take, or must reach. kind: one of BUDGETS. amount: lanes or LUTs in all, or images a second."""

    kind: str
    amount: float


@dataclass(frozen=True, eq=False)
class Choice:
    """A sizing and what the cycle model says of it.

    cost: what it takes, in lanes or LUTs. interval: in steady state, see interval.py. run: all images, twice. luts: LUTs of the
    whole accelerator, synthesised, or None.
    """

    sizing: Sizing
    stages: dict[str, Stage]
    cost: float
    interval: float
    run: CycleRun
    luts: float | None = None

    @property
    def latency(self) -> int:
        """Cycles from the first pixel of the first image to its class."""
        return self.run.latency

    @property
    def lanes(self) -> int:
        return sum(self.sizing.lanes.values())

    @property
    def slowest(self) -> tuple[str, float]:
        """The stage with the most busy cycles an image, and the share of the interval that they are."""
        busy = {name: counts["busy"] / len(self.run.ends) for name, counts in self.run.activity.items()}
        name = max(busy, key=lambda stage: busy[stage])
        return name, busy[name] / self.interval


@dataclass(frozen=True, eq=False)
class Problem:
    """What a choice is made for: a network and the spikes of some images, and what all choices share.

    timesteps: of a pass. cost: of a layer, by its name, with a number of lanes, each with multipliers or None. clock: cycles a
    second. shorter_passes: fewer timesteps of a pass, tried as well where the latency counts: an image then goes through in more
    passes, of which only the first has to fill all stages.
    """

    network: Network
    trace: Trace
    timesteps: int
    queue_depth: int
    clock: float
    cost: Callable[[str, int, int | None], float]
    shorter_passes: tuple[int, ...] = ()

    @cached_property
    def options(self) -> Options:
        layers = {layer.name: layer for layer in self.network.layers if not isinstance(layer, Pool)}
        work = layer_work(self.network, self.trace, self.timesteps)
        options = {name: lane_options(layer.outputs, work[name], self._lane_cost(name)) for name, layer in layers.items()}
        for name, image in dense_fc_image(self.network).items():
            of_multipliers = {
                number: float(image_words(self.network, number) * self.network.timesteps // self._shared_timesteps)
                for number in multiplier_choices(*image)
            }
            options[name] = multiplier_options(layers[name].outputs, of_multipliers, partial(self.cost, name))
        return options

    def _lane_cost(self, name: str) -> Callable[[int], float]:
        """Of a layer without multipliers to choose."""
        return lambda lanes: self.cost(name, lanes, None)

    @property
    def _shared_timesteps(self) -> int:
        """Timesteps for which the first layer computes its currents once, where it takes the image."""
        return 1 if self.network.coding in TIMED_CODINGS else self.timesteps

    @property
    def lag(self) -> dict[str, float]:
        """By layer the share of its cycles that are left when its last input comes: one row, or all if it is fully connected and
        takes the image."""
        shapes = zip(self.network.layers, self.network.shapes, strict=False)
        rows = {layer.name: 1 / shape[1] for layer, shape in shapes if not isinstance(layer, Pool)}
        return rows | dict.fromkeys(dense_fc_image(self.network), 1.0)

    @property
    def min_cycles(self) -> float:
        """Cycles an image of the read-out, which takes each output of the last layer in each pass, whatever the lanes, and of the
        pixels that a dense fully connected layer takes. Pools and the encoder are never slower than the layer beside them."""
        pixels = [pixels for _, pixels in dense_fc_image(self.network).values()]
        return float(max([self.network.shapes[-1][0], *pixels]) * self.network.timesteps // self.timesteps)

    def measure(self, sizing: Sizing) -> Choice:
        """What the cycle model says of a sizing: the images come twice, and the second time it is in steady state."""
        stages, images = plan_stages(self.network, sizing), len(self.trace.predicted)
        run = run_model(stages, join_traces([self.trace, self.trace]))
        interval = run.interval(warmup=images)
        assert interval is not None
        cost = sum(self.cost(name, lanes, sizing.lane_multipliers.get(name)) for name, lanes in sizing.lanes.items())
        return Choice(sizing, stages, cost, interval, run)

    @cached_property
    def tuning(self) -> Problem:
        """The same for the first images only, where many sizings are compared."""
        spikes = {name: of_layer[:TUNING_IMAGES] for name, of_layer in self.trace.spikes.items()}
        return replace(self, trace=replace(self.trace, spikes=spikes, predicted=self.trace.predicted[:TUNING_IMAGES]))


def layer_work(network: Network, trace: Trace, timesteps: int) -> dict[str, float]:
    """Cycles an image of each layer except pools for one group of outputs, on average over the images of a trace.

    timesteps: of a pass. A pixel costs as many cycles as it has events, at least one; in the dense layer one for each image. It
    leaves out the few extra cycles of row parts, and of maps of less than six columns with a single group.
    """
    work, spikes, window = {}, trace.spikes.get(ENCODER), (1, 1)
    for layer, shape in zip(network.layers, network.shapes, strict=False):
        if spikes is None:
            shared = 1 if network.coding in TIMED_CODINGS else timesteps
            work[layer.name] = float(np.prod(shape[1:]) * network.timesteps // shared)
        elif isinstance(layer, Pool) and layer.op == "sum":
            window = layer.kernel
            continue
        elif not isinstance(layer, Pool):
            work[layer.name] = _sparse_work(layer, spikes, timesteps, window)
        spikes, window = trace.spikes.get(layer.name), (1, 1)
    return work


def _sparse_work(layer: Conv | Linear, spikes: np.ndarray, timesteps: int, window: tuple[int, int]) -> float:
    """window: rows and columns of spikes that are summed; each of its rows is scanned by itself, its columns are one pixel."""
    images, rows, columns = len(spikes), spikes.shape[3] // window[0], spikes.shape[4] // window[1]
    events = spikes.reshape(-1, timesteps, *spikes.shape[2:]).any(1).sum(1)  # [frame, y, x]
    whole = events[:, : rows * window[0], : columns * window[1]]
    events = whole.reshape(len(events), -1, columns, window[1]).sum(3)
    if isinstance(layer, Linear):
        return float(np.maximum(events.sum(2), 1).sum() / images)
    flush = flush_pixels(layer.kernel, events.shape[2]) * len(events)
    return float((np.maximum(events, 1).sum() + flush) / images)


def choose(problem: Problem, budget: Budget, objective: str = "interval", slack: float = 0.0) -> Choice:
    """The best sizing within a budget.

    objective: interval, the fastest slowest layer, or latency, the least latency of a single image. slack: for the
    interval, the share by which it may be longer than at best where that shortens the latency.
    DesignError for a budget that no sizing keeps, for a latency within images a second, which any number of lanes shortens,
    and for a slack where the interval is not the objective.
    """
    if slack and (budget.kind == "fps" or objective == "latency"):
        raise DesignError(NO_SLACK)
    if budget.kind == "fps":
        if objective == "latency":
            raise DesignError("the least latency at given images a second has no bound on its lanes; allowed: lanes or luts")
        return _reach(problem, problem.clock / budget.amount)
    found = []
    if objective == "latency":
        for timesteps in (problem.timesteps, *problem.shorter_passes):
            each = replace(problem, timesteps=timesteps)
            found += [_with_row_parts(each, lanes, math.inf) for lanes in _distinct(each, budget)]
    else:
        lanes = min_interval(problem.options, budget.amount, problem.lag, slack, problem.min_cycles)
        found.append(_with_row_parts(problem, lanes, (1 + TOLERANCE) * _slowest(problem, lanes)))
    return min(found, key=lambda choice: choice.latency)


def _distinct(problem: Problem, budget: Budget) -> list[Picked]:
    """The lanes with each of LATENCY_SLACKS, those that are the same once."""

    def lanes_with(slack: float) -> Picked:
        return min_interval(problem.options, budget.amount, problem.lag, slack, problem.min_cycles)

    every = [lanes_with(slack) for slack in LATENCY_SLACKS]
    return [lanes for i, lanes in enumerate(every) if lanes not in every[:i]]


def _reach(problem: Problem, cycles: float) -> Choice:
    """A cheap sizing with at most `cycles` between images, measured: each layer has the fewest lanes for what it may take.

    That begins a little above what is asked, since a layer may be faster than its work says, and shrinks until it holds.
    """
    if cycles < problem.min_cycles:
        least = problem.min_cycles
        raise DesignError(f"an image each {cycles:.0f} cycles; allowed: {least:.0f} or more, what read-out or image take")
    allowed, closest = cycles * (1 + TOLERANCE), math.inf
    for _ in range(ROUNDS):
        try:
            lanes = min_cost(problem.options, allowed)
        except DesignError:
            if closest < math.inf:
                break
            lanes = min_cost(problem.options, cycles)
        choice = _with_row_parts(problem, lanes, cycles)
        if choice.interval <= cycles:
            return choice
        closest = min(closest, choice.interval)
        allowed *= min(0.999, cycles / choice.interval)
    raise DesignError(f"an image each {cycles:.0f} cycles is not reached; the closest found takes {closest:.0f}")


def _with_row_parts(problem: Problem, picked: Picked, limit: float) -> Choice:
    """These options with the row parts of the least latency.

    limit: cycles that the interval may take. A coordinate descent on the tuning images: each layer in turn takes the row
    parts that are best with those of the others, until none changes.
    """
    tuning = problem.tuning
    # The tuning images are not those of the limit, and may be harder or easier.
    limit *= _slowest(tuning, picked) / _slowest(problem, picked)
    lanes = {name: option.lanes for name, option in picked.items()}
    multipliers = {name: option.multipliers for name, option in picked.items() if option.multipliers is not None}

    def badness(choice: Choice) -> tuple[float, int]:
        return max(0.0, choice.interval - limit), choice.latency

    best = tuning.measure(choose_sizing(problem.network, lanes, None, problem.timesteps, problem.queue_depth, multipliers))
    settled = False
    while not settled:
        settled = True
        for name, beats in pixel_beats(problem.network, lanes).items():
            for number in divisors(beats):
                other = replace(best.sizing, row_parts=best.sizing.row_parts | {name: number})
                choice = best if other == best.sizing else tuning.measure(other)
                if badness(choice) < badness(best):
                    best, settled = choice, False
    return problem.measure(best.sizing)


def _slowest(problem: Problem, picked: Picked) -> float:
    """Cycles of the slowest layer with these lanes and multipliers, and whole rows."""
    taken = (
        option.cycles for name, of_layer in problem.options.items() for option in of_layer
        if (option.lanes, option.multipliers) == (picked[name].lanes, picked[name].multipliers)
    )  # fmt: skip
    return max(problem.min_cycles, *taken)


def lanes_cost(network: Network, name: str, lanes: int, multipliers: int | None) -> float:
    """What a layer takes of a budget of lanes: these, and as many more as a lane has multipliers beyond the default."""
    if multipliers is None or name not in dense_fc_image(network):
        return lanes
    return lanes * max(1.0, multipliers / default_multipliers(*dense_fc_image(network)[name]))


@dataclass(frozen=True, eq=False)
class Exploration:
    """The choice for a budget, and the front: it beside the choices for other budgets. clock: cycles a second."""

    budget: Budget
    clock: float
    chosen: Choice
    front: list[Choice]


def explore(
    network: Network,
    trace: Trace,
    budget: Budget,
    *,
    timesteps: int,
    queue_depth: int,
    clock: float,
    shorter_passes: tuple[int, ...] = (),
    objective: str = "interval",
    slack: float = 0.0,
    with_front: bool = True,
    progress: Callable[[str], None] = lambda step: None,
) -> Exploration:
    """Choose a sizing for a budget, and what the front shows beside it.

    trace: of one or more images. timesteps, shorter_passes: see Problem; areas are those of `timesteps`, so with a budget of
    LUTs no others are tried. The rest: see choose().

    with_front: also choose for the budgets of FRONT_FACTORS. progress: gets the name of each step.
    DesignError for a budget that no sizing keeps.
    """
    if slack and objective == "latency":
        raise DesignError(NO_SLACK)
    if budget.kind == "luts":
        areas = fit_areas(network, timesteps, queue_depth, progress)
        problem = Problem(network, trace, timesteps, queue_depth, clock, areas.cost)
        chosen = _synthesised(problem, budget, objective, slack, progress)
    else:
        problem = Problem(network, trace, timesteps, queue_depth, clock, partial(lanes_cost, network), shorter_passes)
        progress(f"{budget.kind}={budget.amount:g}")
        chosen = choose(problem, budget, objective, slack)
    others = [Budget(budget.kind, budget.amount * factor) for factor in FRONT_FACTORS] if with_front else []

    def point(other: Budget) -> Choice | None:
        try:
            return choose(problem, other, objective, slack)
        except DesignError:
            # Some of the other budgets are too small for one lane a layer, or too fast for all lanes.
            return None

    points = [chosen]
    # The cycle model computes without Python's lock.
    for done, found in enumerate(side_by_side(point, others), 1):
        points += [found] if found else []
        progress(f"Pareto front: {done} of {len(others)}")
    front = pareto_front(points)
    return Exploration(budget, clock, chosen, front if chosen in front else sorted([*front, chosen], key=lambda one: one.cost))


def _synthesised(problem: Problem, budget: Budget, objective: str, slack: float, progress: Callable[[str], None]) -> Choice:
    """The choice within a budget of LUTs, synthesised: where the model is too optimistic, a smaller budget is tried."""
    allowed = budget.amount
    for attempt in range(1, ROUNDS + 1):
        try:
            choice = choose(problem, Budget("luts", allowed), objective, slack)
        except DesignError:
            break
        progress(f"synthesis of choice {attempt}")
        luts = sum(stage_luts(problem.network, choice.sizing).values())
        if luts <= budget.amount:
            return replace(choice, luts=luts)
        allowed *= min(0.99, budget.amount / luts)
    # What the model refuses may still fit.
    progress("synthesis of one lane for each layer")
    lanes = dict.fromkeys(problem.options, 1)
    whole = dict.fromkeys(pixel_beats(problem.network, lanes), 1)
    single = dict.fromkeys(dense_fc_image(problem.network), 1)
    choice = problem.measure(choose_sizing(problem.network, lanes, whole, problem.timesteps, problem.queue_depth, single))
    luts = sum(stage_luts(problem.network, choice.sizing).values())
    if luts > budget.amount:
        raise DesignError(
            f"a budget of {budget.amount:.10g} LUTs; allowed: {luts:.0f} or more, what one lane for each layer takes"
        )
    return replace(choice, luts=luts)


def pareto_front(choices: list[Choice]) -> list[Choice]:
    """Those that no other beats or equals in cost, interval and latency at once, from the cheapest to the dearest."""
    kept: list[Choice] = []
    for choice in sorted(choices, key=lambda one: (one.cost, one.interval, one.latency)):
        if not any(one.interval <= choice.interval and one.latency <= choice.latency for one in kept):
            kept.append(choice)
    return kept
