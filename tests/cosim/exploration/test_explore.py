"""The choice of a sizing: it keeps its budget, no better one is nearby, and the hardware takes the cycles it promises."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from duospike.cosim.cycles.model import run_model
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing, divisors, pixel_beats
from duospike.cosim.exploration import explore as exploring
from duospike.cosim.exploration.explore import Budget, choose, explore, lanes_cost, layer_work, pareto_front
from duospike.cosim.simulation.network_run import run_network
from duospike.cosim.synthesis.area_model import fit_areas
from duospike.reference import golden
from duospike.reference.data.datasets import random_images
from duospike.rtl.errors import DesignError
from tests.benches.small_networks import small_network

NETWORK = small_network("4C3-6C3-MP2-6C3-FC12-FC6", (1, 8, 9), rate=0.2)
IMAGES = random_images(3, NETWORK.image_shape, NETWORK.pixel_range, 1)
TRACE = golden.run(NETWORK, IMAGES)


def problem(**changes):
    wanted = {"timesteps": 2, "queue_depth": 16, "clock": 1e6, "cost": partial(lanes_cost, NETWORK)}
    return exploring.Problem(NETWORK, TRACE, **(wanted | changes))


def test_work_is_that_of_the_hardware_with_one_group_and_whole_rows():
    network = small_network("4C3-6C3-MP2-6C3-FC12-FC6", (1, 12, 13), rate=0.2)
    trace = golden.run(network, random_images(3, network.image_shape, network.pixel_range, 1))
    lanes = {layer.name: layer.outputs for layer in network.layers if hasattr(layer, "outputs")}
    parts = dict.fromkeys(pixel_beats(network, lanes), 1)
    run = run_model(plan_stages(network, choose_sizing(network, lanes, parts, 1)), trace)
    work = layer_work(network, trace, 1)
    assert list(work) == ["conv1", "conv2", "conv3", "fc1", "fc2"]
    for name, flush in (("conv2", 13 + 1), ("conv3", 6 + 1), ("fc1", 0), ("fc2", 0)):
        counts = run.activity[name]
        # Of the last frame's flush row the last class may have come before some is scanned.
        left = work[name] * 3 - counts["events"] - counts["silent"]
        assert 0 <= left <= flush, name
    assert work["conv1"] == 2 * 12 * 13


@pytest.mark.slow
def test_a_choice_is_measured_as_the_hardware_runs(tmp_path):
    choice = choose(problem(), Budget("lanes", 15))
    images = np.concatenate([IMAGES, IMAGES])
    run = run_network(NETWORK, choice.stages, images, tmp_path)
    assert run.mismatch is None
    ends = [beat.cycle for beat in run.outcome.streams["dst"]]
    assert choice.interval == (ends[5] - ends[2]) / 3
    assert choice.latency == ends[0] - run.outcome.starts[0] + 1
    assert run.activity == choice.run.activity


@pytest.mark.parametrize("budget", [5, 9, 15, 34])
def test_lanes_are_within_the_budget_and_no_lane_moved_is_faster(budget):
    found = problem()
    choice = choose(found, Budget("lanes", budget))
    assert choice.cost == sum(choice.sizing.lanes.values()) <= budget
    work = layer_work(NETWORK, TRACE, 2)
    outputs = {layer.name: layer.outputs for layer in NETWORK.layers if hasattr(layer, "outputs")}

    def slowest(lanes):
        return max(-(-outputs[name] // lanes[name]) * work[name] for name in lanes)

    best = slowest(choice.sizing.lanes)
    for fewer in outputs:
        for more in outputs:
            lanes = choice.sizing.lanes | {fewer: choice.sizing.lanes[fewer] - 1, more: choice.sizing.lanes[more] + 1}
            if fewer != more and lanes[fewer] and lanes[more] <= outputs[more]:
                assert slowest(lanes) >= best * (1 - 1e-9)


def test_no_other_parts_of_one_layer_have_less_latency():
    found = problem()
    choice = choose(found, Budget("lanes", 12), "latency")
    tuned = found.tuning
    best = tuned.measure(choice.sizing).latency
    for name, beats in pixel_beats(NETWORK, choice.sizing.lanes).items():
        for number in divisors(beats):
            other = replace(choice.sizing, row_parts=choice.sizing.row_parts | {name: number})
            assert tuned.measure(other).latency >= best


def test_slack_and_the_latency_as_aim_shorten_the_latency():
    found, budget = problem(), Budget("lanes", 15)
    fast, slack, latency = choose(found, budget), choose(found, budget, slack=0.3), choose(found, budget, "latency")
    assert latency.latency <= min(fast.latency, slack.latency)
    assert fast.interval <= latency.interval
    assert slack.interval <= fast.interval * 1.35


def test_more_passes_are_tried_for_the_latency():
    whole, shorter = problem(), problem(shorter_passes=(1,))
    budget = Budget("lanes", 12)
    each = [choose(one, budget, "latency").latency for one in (whole, problem(timesteps=1))]
    assert each[0] != each[1] and choose(shorter, budget, "latency").latency == min(each)
    assert choose(shorter, budget).sizing.timesteps == 2


def test_images_a_second_are_reached_with_few_lanes():
    """No cheaper choice of the next numbers of groups reaches them, all layers with whole rows."""
    found = problem()
    for cycles in (650, 500, 300):
        choice = choose(found, Budget("fps", found.clock / cycles))
        assert choice.interval <= cycles
        for name, of_layer in found.options.items():
            fewer = max((option.lanes for option in of_layer if option.lanes < choice.sizing.lanes[name]), default=None)
            if fewer:
                lanes = choice.sizing.lanes | {name: fewer}
                whole = dict.fromkeys(pixel_beats(NETWORK, lanes), 1)
                assert found.measure(choose_sizing(NETWORK, lanes, whole, 2)).interval > cycles, (cycles, name)


def test_the_read_out_is_the_slowest_where_it_is():
    network = small_network("2C3-MP2-FC60", (1, 6, 6), timesteps=4)
    trace = golden.run(network, random_images(1, network.image_shape, network.pixel_range, 1))
    found = exploring.Problem(network, trace, 1, 16, 1e6, partial(lanes_cost, network))
    assert found.min_cycles == 4 * 60
    choice = choose(found, Budget("lanes", 62))
    assert choice.interval == pytest.approx(4 * 60, rel=0.02)
    assert choice.slowest[0] == "readout" and choice.slowest[1] > 0.98
    with pytest.raises(DesignError, match="an image each 239 cycles; allowed: 240 or more, what read-out or image take"):
        choose(found, Budget("fps", 1e6 / 239))


@pytest.mark.parametrize(
    "budget, objective, message",
    [
        (Budget("lanes", 4), "interval", "a budget of 4; allowed: 5 or more"),
        (Budget("fps", 1e6), "interval", "an image each 1 cycles; allowed: 6 or more, what read-out or image take"),
        (Budget("fps", 20000), "interval", "layer conv1: 50 cycles an image; allowed: 72 or more"),
        (Budget("fps", 500), "latency", "allowed: lanes or luts"),
    ],
)
def test_what_cannot_be_is_refused(budget, objective, message):
    with pytest.raises(DesignError, match=message):
        choose(problem(), budget, objective)


def test_the_front_holds_the_choice_and_nothing_that_is_beaten():
    steps = []
    settings = {"timesteps": 2, "queue_depth": 4, "clock": 1e6}
    found = explore(NETWORK, TRACE, Budget("lanes", 12), **settings, slack=0.1, progress=steps.append)
    assert found.chosen in found.front and len(found.front) >= 4
    assert steps[-1] == "Pareto front: 6 of 6"
    costs, intervals = [one.cost for one in found.front], [one.interval for one in found.front]
    assert costs == sorted(costs)
    for i, one in enumerate(found.front):
        for other in found.front[:i]:
            assert one.interval < other.interval or one.latency < other.latency
    assert min(intervals) == intervals[-1]
    assert pareto_front([*found.front, found.front[0]]) == found.front
    alone = explore(NETWORK, TRACE, Budget("lanes", 12), **settings, with_front=False)
    assert len(alone.front) == 1


@pytest.mark.parametrize("coding", ["direct", "frames"])
def test_a_fully_connected_layer_of_the_image_gets_lanes_and_multipliers(coding):
    """Ten lanes of eight multipliers do not make it fast enough: more multipliers do. Its work is that of the cycle model."""
    network = small_network("FC10-FC6", (1, 12, 12), coding=coding, timesteps=2)
    trace = golden.run(network, random_images(2, network.image_shape, network.pixel_range, 1))
    found = exploring.Problem(network, trace, 2, 16, 1e6, partial(lanes_cost, network))
    images = 1 if coding == "direct" else 2
    fast, slow = choose(found, Budget("lanes", 60)), choose(found, Budget("lanes", 2))
    for choice in (fast, slow):
        lanes, multipliers = choice.sizing.lanes["fc1"], choice.sizing.lane_multipliers["fc1"]
        busy = -(-10 // lanes) * -(-144 // multipliers) * images
        assert choice.run.activity["fc1"]["busy"] == 4 * busy
        assert choice.interval == max(busy, 144)
    assert fast.interval < 150 and fast.cost <= 60
    assert (slow.sizing.lanes["fc1"], slow.sizing.lane_multipliers["fc1"], slow.cost) == (1, 8, 2)
    reached = choose(found, Budget("fps", 1e6 / 200))
    assert reached.interval <= 200 and reached.cost < fast.cost


def luts_of(network, sizing, power=1.0):
    """What stands in for synthesis: a stage's lanes cost it 10 LUTs each, those before it 3 each, and its parts 1 each."""
    luts, before = {}, 0
    for name, stage in plan_stages(network, sizing).items():
        luts[name] = 100 + 10 * sizing.lanes.get(name, 0) ** power + 3 * before + sizing.row_parts.get(name, 1) - 1
        before = stage.lanes
    return luts


def test_the_area_model_is_exact_where_areas_are_linear(monkeypatch):
    monkeypatch.setattr("duospike.cosim.synthesis.area_model.stage_luts", luts_of)
    areas = fit_areas(NETWORK, 2, 16, lambda step: None)
    # conv2's lanes also shape pool1 and conv3.
    assert areas.per_lane == pytest.approx({"conv1": 13, "conv2": 16, "conv3": 13, "fc1": 13, "fc2": 13})
    for lanes in ({}, {"conv1": 1, "conv2": 6, "fc1": 11}):
        sizing = choose_sizing(NETWORK, lanes)
        assert set(sizing.row_parts.values()) == {1}
        modelled = sum(areas.cost(name, number) for name, number in sizing.lanes.items())
        assert modelled == pytest.approx(sum(luts_of(NETWORK, sizing).values()))


def test_the_area_model_knows_multipliers(monkeypatch):
    network = small_network("FC10-FC6", (1, 12, 12))

    def stage_luts(network, sizing):
        luts = luts_of(network, sizing)
        luts["fc1"] += 5 * sizing.lanes["fc1"] * sizing.lane_multipliers["fc1"]
        return luts

    monkeypatch.setattr("duospike.cosim.synthesis.area_model.stage_luts", stage_luts)
    areas = fit_areas(network, 2, 16, lambda step: None)
    for lanes, multipliers in (({}, 8), ({"fc1": 3}, 2), ({"fc1": 5, "fc2": 1}, 72)):
        sizing = choose_sizing(network, lanes, lane_multipliers=multipliers)
        costs = [areas.cost(name, number, sizing.lane_multipliers.get(name)) for name, number in sizing.lanes.items()]
        extra = sum(parts - 1 for parts in sizing.row_parts.values())
        assert sum(costs) == pytest.approx(sum(stage_luts(network, sizing).values()) - extra)


def test_luts_are_spent_as_synthesis_says_they_are(monkeypatch):
    """The first choices are too large, since areas grow faster than the model has it."""

    def stage_luts(network, sizing):
        return luts_of(network, sizing, 1.3)

    def found(luts):
        return explore(NETWORK, TRACE, Budget("luts", luts), timesteps=2, queue_depth=16, clock=1e6, with_front=False).chosen

    monkeypatch.setattr(exploring, "stage_luts", stage_luts)
    monkeypatch.setattr("duospike.cosim.synthesis.area_model.stage_luts", stage_luts)
    for budget in (1000, 1400):
        choice = found(budget)
        assert choice.luts == pytest.approx(sum(stage_luts(NETWORK, choice.sizing).values()))
        assert 0.8 * budget < choice.luts <= budget
    whole = dict.fromkeys(pixel_beats(NETWORK, dict.fromkeys(problem().options, 1)), 1)
    least = sum(stage_luts(NETWORK, choose_sizing(NETWORK, 1, whole)).values())
    assert set(found(least).sizing.lanes.values()) == {1}
    with pytest.raises(DesignError, match=f"a budget of {least - 1:.10g} LUTs; allowed: {least:.0f} or more, what one lane"):
        found(least - 1)
