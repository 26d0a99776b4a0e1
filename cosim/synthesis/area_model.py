"""LUTs of an accelerator as a linear function of the lanes of its layers, fitted to syntheses of the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import Sizing, choose_sizing, dense_fc_image, multiplier_choices
from duospike.reference.network import Network, Pool

from .stage_areas import luts, stage_areas

FEW_LANES, MANY_LANES = 4, 8
"""Lanes of the syntheses that the model is fitted to; in a layer with fewer outputs, half of them and all."""


@dataclass(frozen=True)
class AreaModel:
    """fixed, per_lane: LUTs by layer name; a lane's are those that it takes in its own stage and in those after it. A lane of a
    dense fully connected layer has `multipliers` then, each one more takes per_multiplier, each one less saves as much."""

    fixed: dict[str, float]
    per_lane: dict[str, float]
    multipliers: dict[str, int] = field(default_factory=dict)
    per_multiplier: dict[str, float] = field(default_factory=dict)

    def cost(self, name: str, lanes: int, multipliers: int | None = None) -> float:
        each = self.per_lane[name]
        if multipliers is not None and name in self.multipliers:
            each += self.per_multiplier[name] * (multipliers - self.multipliers[name])
        return self.fixed[name] + each * lanes


def stage_luts(network: Network, sizing: Sizing) -> dict[str, float]:
    """LUTs of each stage on an UltraScale+, those used as RAM too, by Yosys. CosimError if it is missing or fails."""
    return {name: luts(area) for name, area in stage_areas(plan_stages(network, sizing)).items()}


def fit_areas(network: Network, timesteps: int, queue_depth: int, progress: Callable[[str], None]) -> AreaModel:
    """Fit the model to the LUTs of the whole with few lanes, and with many lanes in every second layer, in turn; where there is a
    dense fully connected layer also with more multipliers.

    So each layer is seen with many lanes between neighbours with few, and its lanes' share of its own stage and of those
    up to the next layer's is what they gain.
    """
    layers = {layer.name: layer for layer in network.layers if not isinstance(layer, Pool)}
    names = list(layers)

    def measured(many: set[str]) -> tuple[dict[str, int], dict[str, float]]:
        lanes = {
            name: min(MANY_LANES, layer.outputs) if name in many else min(FEW_LANES, max(1, layer.outputs // 2))
            for name, layer in layers.items()
        }
        return lanes, stage_luts(network, choose_sizing(network, lanes, None, timesteps, queue_depth))

    syntheses = 4 if dense_fc_image(network) else 3
    progress(f"synthesis 1 of {syntheses}")
    few_lanes, few = measured(set())
    total, per_lane = sum(few.values()), {}
    for turn in range(2):
        wide = names[turn::2]
        progress(f"synthesis {turn + 2} of {syntheses}")
        many_lanes, many = measured(set(wide))
        for name in wide:
            touched = _touched(list(few), names, name)
            gained = sum(many[stage] - few[stage] for stage in touched)
            per_lane[name] = gained / (many_lanes[name] - few_lanes[name]) if many_lanes[name] > few_lanes[name] else 0.0
    fixed = (total - sum(per_lane[name] * few_lanes[name] for name in names)) / len(names)
    multipliers = choose_sizing(network, few_lanes).lane_multipliers
    if not multipliers:
        return AreaModel(dict.fromkeys(names, fixed), per_lane)
    progress("synthesis 4 of 4")
    ((name, default),) = multipliers.items()
    other = next((n for n in multiplier_choices(*dense_fc_image(network)[name]) if n > default), 1)
    sizing = choose_sizing(network, few_lanes, None, timesteps, queue_depth, {name: other})
    gained = stage_luts(network, sizing)[name] - few[name]
    each = gained / ((other - default) * few_lanes[name]) if other != default else 0.0
    return AreaModel(dict.fromkeys(names, fixed), per_lane, multipliers, {name: each})


def _touched(stages: list[str], layers: list[str], name: str) -> list[str]:
    """The stages that the lanes of a layer shape: its own, the pools after it, and the next layer's or the read-out."""
    start, following = stages.index(name), layers[layers.index(name) + 1 :]
    end = stages.index(following[0]) if following else len(stages) - 1
    return stages[start : end + 1]
