"""The choice of lanes against all choices there are."""

import itertools
import random

import pytest

from duospike.cosim.exploration.balance import (
    Option,
    lane_options,
    min_cost,
    min_interval,
    min_sum,
    multiplier_options,
)
from duospike.rtl.errors import DesignError


def problem(seed):
    """Options of three layers, lags, a budget."""
    draw = random.Random(seed)
    prices = [draw.uniform(0.5, 3) for _ in range(3)]
    options = {
        f"layer{i}": lane_options(draw.randint(1, 9), draw.uniform(10, 1000), lambda lanes, price=price: 1 + price * lanes)
        for i, price in enumerate(prices)
    }
    least = sum(min(option.cost for option in of_layer) for of_layer in options.values())
    return options, {name: draw.random() for name in options}, least + draw.uniform(0, 20)


def affordable(options, budget):
    """Every choice within the budget."""
    every = itertools.product(*options.values())
    return [chosen for chosen in every if sum(option.cost for option in chosen) <= budget]


def lanes_of(picked):
    return {name: option.lanes for name, option in picked.items()}


@pytest.mark.parametrize("slack", [0, 0.1, 1])
@pytest.mark.parametrize("seed", range(10))
def test_fastest_is_the_best_of_all(seed, slack):
    options, lag, budget = problem(seed)
    chosen = min_interval(options, budget, lag, slack).values()
    every = affordable(options, budget)

    def slowest(choice):
        return max(option.cycles for option in choice)

    def lags(choice):
        return sum(option.cycles * lag[name] for name, option in zip(options, choice, strict=True))

    best = min(map(slowest, every))
    within = [choice for choice in every if slowest(choice) <= best * (1 + slack) + 1e-6]
    assert sum(option.cost for option in chosen) <= budget
    assert slowest(chosen) <= best * (1 + slack) + 1e-6
    assert lags(chosen) == pytest.approx(min(map(lags, within)))


def test_what_no_lanes_make_faster_leaves_lanes_for_the_latency():
    options = {"a": lane_options(4, 10, float), "b": lane_options(4, 100, float)}
    lag = {"a": 10, "b": 0.1}
    assert lanes_of(min_interval(options, 5, lag, 0)) == {"a": 1, "b": 4}
    assert lanes_of(min_interval(options, 5, lag, 0, min_cycles=200)) == {"a": 2, "b": 2}
    assert lanes_of(min_interval(options, 5, lag, 0, min_cycles=99)) == {"a": 1, "b": 4}


@pytest.mark.parametrize("seed", range(10))
def test_least_sum_is_the_best_of_all(seed):
    options, _, budget = problem(seed)
    chosen = min_sum(options, budget).values()
    assert sum(option.cost for option in chosen) <= budget
    best = min(sum(option.cycles for option in choice) for choice in affordable(options, budget))
    assert sum(option.cycles for option in chosen) == pytest.approx(best)


def test_options_are_the_fewest_lanes_of_each_number_of_groups():
    found = [(option.lanes, option.cycles, option.cost) for option in lane_options(10, 7, lambda lanes: 3 * lanes)]
    assert found == [(10, 7, 30), (5, 14, 15), (4, 21, 12), (3, 28, 9), (2, 35, 6), (1, 70, 3)]


def test_lanes_and_multipliers_are_chosen_together():
    """Ten outputs, words of one or four of 20 inputs: what all lanes cannot do is left to the multipliers."""
    options = {"a": multiplier_options(10, {1: 20, 4: 5}, lambda lanes, multipliers: lanes * multipliers)}
    assert options["a"][:4] == [Option(10, 20, 10, 1), Option(10, 5, 40, 4), Option(5, 40, 5, 1), Option(5, 10, 20, 4)]
    assert min_cost(options, 40) == {"a": Option(5, 40, 5, 1)}
    assert min_cost(options, 5) == {"a": Option(10, 5, 40, 4)}
    assert min_interval(options, 9, {"a": 1}, 0) == {"a": Option(2, 25, 8, 4)}


def test_fewest_lanes_that_are_fast_enough():
    options = {"a": lane_options(10, 7, float), "b": lane_options(3, 1, float)}
    assert lanes_of(min_cost(options, 28)) == {"a": 3, "b": 1}
    assert lanes_of(min_cost(options, 27.9)) == {"a": 4, "b": 1}
    with pytest.raises(DesignError, match="layer a: 6 cycles an image; allowed: 7 or more, with all its lanes"):
        min_cost(options, 6)


def test_a_budget_below_one_lane_a_layer_is_refused():
    options = {"a": lane_options(10, 7, float), "b": lane_options(3, 1, float)}
    assert lanes_of(min_interval(options, 2, {"a": 1, "b": 1}, 0)) == {"a": 1, "b": 1}
    for choose in (lambda: min_interval(options, 1.9, {"a": 1, "b": 1}, 0), lambda: min_sum(options, 1.9)):
        with pytest.raises(DesignError, match="a budget of 1.9; allowed: 2 or more"):
            choose()
