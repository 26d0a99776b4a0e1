"""What is chosen of an accelerator beside the network: lanes, parts of a row, timesteps of a pass, queues."""

from __future__ import annotations

from dataclasses import dataclass

from duospike.reference.errors import InputError, did_you_mean
from duospike.reference.network import Linear, Network, Pool
from duospike.rtl.errors import DesignError
from duospike.rtl.stream import check_lanes, groups_of

DEFAULT_LANES = 8
QUEUE_DEPTH = 16
DEEPEST_QUEUE = 2**16
MOST_PASS_TIMESTEPS = 4
"""Timesteps of a pass, where nothing is said: each one takes adders, registers and stream bits of its own."""
PART_CHANNELS = 64
"""Channels that a part of a row has at least, where nothing is said: fewer would often leave a pixel without an event."""


@dataclass(frozen=True)
class Sizing:
    """The size of an accelerator for a network.

    lanes: by layer name, outputs that a layer computes side by side. parts: by the name of each sparse layer, in how many
    parts, of as many beats each, it processes a row of its input: it waits for a part only, not for the row, so more parts
    mean a shorter latency, but each pixel costs at least a cycle in each. timesteps: of a pass; an image takes as many passes
    as its timesteps need. queue_depth: events that a queue between scanner and accumulators holds.
    """

    lanes: dict[str, int]
    parts: dict[str, int]
    timesteps: int
    queue_depth: int


def choose_sizing(
    network: Network,
    lanes: dict[str, int] | int | None = None,
    parts: dict[str, int] | None = None,
    timesteps: int | None = None,
    queue_depth: int | None = None,
) -> Sizing:
    """What is wanted, checked, and defaults for the rest.

    Defaults: DEFAULT_LANES lanes, or all outputs of a layer with fewer; as many parts as leave PART_CHANNELS channels in
    each; as many timesteps a pass as divide the network's, up to MOST_PASS_TIMESTEPS; queues of QUEUE_DEPTH.
    InputError for a name that no such layer has, DesignError for a number that cannot be.
    """
    chosen = _choose_lanes(network, lanes)
    queue_depth = QUEUE_DEPTH if queue_depth is None else queue_depth
    if not 1 <= queue_depth <= DEEPEST_QUEUE:
        raise DesignError(f"event queues of depth {queue_depth}; allowed: 1 to {DEEPEST_QUEUE}")
    return Sizing(chosen, _choose_parts(network, chosen, parts), _choose_timesteps(network, timesteps), queue_depth)


def _choose_lanes(network: Network, wanted: dict[str, int] | int | None) -> dict[str, int]:
    layers = {layer.name: layer.outputs for layer in network.layers if not isinstance(layer, Pool)}
    if isinstance(wanted, int):
        wanted = dict.fromkeys(layers, wanted)
    _check_names("lanes", wanted, layers)
    lanes = {name: min(DEFAULT_LANES, outputs) for name, outputs in layers.items()} | (wanted or {})
    for name, outputs in layers.items():
        check_lanes(name, lanes[name], outputs)
    return lanes


def part_beats(network: Network, lanes: dict[str, int]) -> dict[str, int]:
    """By the name of each sparse layer, in how many beats a pixel comes that it takes; its parts are a divisor of them.

    A fully connected layer takes a whole row as one pixel. lanes: of each layer.
    """
    beats = {}
    lanes_in = 0 if network.coding == "direct" else network.input_shape[0]
    for layer, (channels, _, width) in zip(network.layers, network.shapes, strict=False):
        if isinstance(layer, Pool):
            continue
        if lanes_in:
            beats[layer.name] = groups_of(channels, lanes_in) * (width if isinstance(layer, Linear) else 1)
        lanes_in = lanes[layer.name]
    return beats


def _choose_parts(network: Network, lanes: dict[str, int], wanted: dict[str, int] | None) -> dict[str, int]:
    beats, parts = part_beats(network, lanes), {}
    for layer, (channels, _, width) in zip(network.layers, network.shapes, strict=False):
        if layer.name in beats:
            most = max(1, channels * (width if isinstance(layer, Linear) else 1) // PART_CHANNELS)
            parts[layer.name] = max(n for n in divisors(beats[layer.name]) if n <= most)
    _check_names("parts", wanted, beats)
    for name, number in (wanted or {}).items():
        if number not in divisors(beats[name]):
            raise DesignError(f"layer {name}: {number} parts; allowed: {_listed(beats[name])}, the divisors of its "
                              f"{beats[name]} beats for each pixel")  # fmt: skip
    return parts | (wanted or {})


def _choose_timesteps(network: Network, wanted: int | None) -> int:
    if wanted is None:
        return max(n for n in divisors(network.timesteps) if n <= MOST_PASS_TIMESTEPS)
    if wanted < 1 or network.timesteps % wanted:
        raise DesignError(
            f"{wanted} timesteps a pass; allowed: {_listed(network.timesteps)}, the divisors of {network.timesteps}"
        )
    return wanted


def _check_names(what: str, wanted: dict[str, int] | None, allowed: dict[str, int]):
    for name in wanted or {}:
        if name not in allowed:
            raise InputError(f"{what} for {name!r}: no such layer; allowed: {', '.join(allowed)}{did_you_mean(name, allowed)}")


def divisors(number: int) -> list[int]:
    """All divisors, from 1 up."""
    return [n for n in range(1, number + 1) if number % n == 0]


def _listed(number: int) -> str:
    return ", ".join(map(str, divisors(number)))
