"""What is chosen of an accelerator beside the network: lanes, multipliers, row parts, timesteps of a pass, queues."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from duospike.reference.errors import InputError, did_you_mean
from duospike.reference.network import Linear, Network, Pool
from duospike.rtl.dense_fc import check_multipliers
from duospike.rtl.errors import DesignError
from duospike.rtl.pixel_words import words_of_image
from duospike.rtl.stream import check_lanes, groups_of

DEFAULT_LANES = 8
DEFAULT_QUEUE_DEPTH = 16
MAX_QUEUE_DEPTH = 2**16
DEFAULT_PASS_TIMESTEPS = 4
"""Most timesteps of a pass by default: each one takes adders, registers and stream bits of its own."""
DEFAULT_MULTIPLIERS = 8
"""Most multipliers of a lane of a dense fully connected layer by default."""
MIN_ROW_PART_CHANNELS = 64
"""Channels that a row part has at least by default: with fewer a pixel would often have no event."""


@dataclass(frozen=True)
class Sizing:
    """The size of an accelerator for a network.

    lanes: by layer name, outputs that a layer computes side by side. row_parts: by the name of each sparse layer, the number of
    equal parts in which it processes a row of its input. A layer waits for a part only, not for the row, so more parts mean a
    shorter latency, but each pixel costs at least a cycle in each. timesteps: of a pass; an image takes as many passes as its
    timesteps need. queue_depth: events that a queue between scanner and accumulators holds. lane_multipliers: by the name of
    a dense fully connected layer, the multipliers of each lane.
    """

    lanes: dict[str, int]
    row_parts: dict[str, int]
    timesteps: int
    queue_depth: int
    lane_multipliers: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As JSON files hold it, see JSON_KEYS; without multipliers where no layer has any."""
        values = {key: getattr(self, name) for name, key in JSON_KEYS.items()}
        return {key: value for key, value in values.items() if key != "lane_multipliers" or value}


JSON_KEYS = {
    "lanes": "lanes", "row_parts": "parts", "timesteps": "timesteps", "queue_depth": "queue_depth",
    "lane_multipliers": "lane_multipliers",
}  # fmt: skip
"""By each field of Sizing its key in JSON files."""


def choose_sizing(
    network: Network,
    lanes: dict[str, int] | int | None = None,
    row_parts: dict[str, int] | None = None,
    timesteps: int | None = None,
    queue_depth: int | None = None,
    lane_multipliers: dict[str, int] | int | None = None,
) -> Sizing:
    """What is wanted, checked, and defaults for the rest.

    Defaults: DEFAULT_LANES lanes, or all outputs of a layer with fewer; as many row parts as leave MIN_ROW_PART_CHANNELS channels
    in each; as many timesteps a pass as divide the network's, up to DEFAULT_PASS_TIMESTEPS; queues of DEFAULT_QUEUE_DEPTH; the
    multipliers of default_multipliers().
    InputError for a name that no such layer has, DesignError for a number that cannot be.
    """
    chosen = _choose_lanes(network, lanes)
    queue_depth = DEFAULT_QUEUE_DEPTH if queue_depth is None else queue_depth
    if not 1 <= queue_depth <= MAX_QUEUE_DEPTH:
        raise DesignError(f"event queues of depth {queue_depth}; allowed: 1 to {MAX_QUEUE_DEPTH}")
    return Sizing(
        chosen, _choose_row_parts(network, chosen, row_parts), _choose_timesteps(network, timesteps), queue_depth,
        _choose_multipliers(network, lane_multipliers),
    )  # fmt: skip


def _choose_lanes(network: Network, wanted: dict[str, int] | int | None) -> dict[str, int]:
    layers = {layer.name: layer.outputs for layer in network.layers if not isinstance(layer, Pool)}
    if isinstance(wanted, int):
        wanted = dict.fromkeys(layers, wanted)
    _check_names("lanes", wanted, layers)
    lanes = {name: min(DEFAULT_LANES, outputs) for name, outputs in layers.items()} | (wanted or {})
    for name, outputs in layers.items():
        check_lanes(name, lanes[name], outputs)
    return lanes


def first_lanes(network: Network) -> int:
    """Channels in a beat of spikes for the first layer; 0 if it takes pixels."""
    return network.input_shape[0] if network.takes_spikes else 0


def pixel_beats(network: Network, lanes: dict[str, int]) -> dict[str, int]:
    """By the name of each sparse layer, in how many beats a pixel of its input comes; its row parts divide them.

    A fully connected layer takes a whole row as one pixel. lanes: of each layer.
    """
    beats = {}
    lanes_in = first_lanes(network)
    for layer, (channels, _, width) in zip(network.layers, network.shapes, strict=False):
        if isinstance(layer, Pool):
            continue
        if lanes_in:
            beats[layer.name] = groups_of(channels, lanes_in) * (width if isinstance(layer, Linear) else 1)
        lanes_in = lanes[layer.name]
    return beats


def _choose_row_parts(network: Network, lanes: dict[str, int], wanted: dict[str, int] | None) -> dict[str, int]:
    beats, row_parts = pixel_beats(network, lanes), {}
    for layer, (channels, _, width) in zip(network.layers, network.shapes, strict=False):
        if layer.name in beats:
            most = max(1, channels * (width if isinstance(layer, Linear) else 1) // MIN_ROW_PART_CHANNELS)
            row_parts[layer.name] = max(n for n in divisors(beats[layer.name]) if n <= most)
    _check_names("row_parts", wanted, beats)
    for name, number in (wanted or {}).items():
        if number not in divisors(beats[name]):
            raise DesignError(f"layer {name}: {number} row parts; allowed: {_listed(beats[name])}, the divisors of its "
                              f"{beats[name]} beats for each pixel")  # fmt: skip
    return row_parts | (wanted or {})


def _choose_timesteps(network: Network, wanted: int | None) -> int:
    if wanted is None:
        return max(n for n in divisors(network.timesteps) if n <= DEFAULT_PASS_TIMESTEPS)
    if wanted < 1 or network.timesteps % wanted:
        raise DesignError(
            f"{wanted} timesteps a pass; allowed: {_listed(network.timesteps)}, the divisors of {network.timesteps}"
        )
    return wanted


def dense_fc_image(network: Network) -> dict[str, tuple[int, int]]:
    """Channels and pixels of the image by the name of the dense fully connected layer, if the first layer is one."""
    first, (channels, height, width) = network.layers[0], network.input_shape
    return {first.name: (channels, height * width)} if isinstance(first, Linear) and not network.takes_spikes else {}


def default_multipliers(channels: int, pixels: int) -> int:
    """Multipliers of a lane: up to DEFAULT_MULTIPLIERS, of whole pixels if these have no more channels."""
    return min(pixels, DEFAULT_MULTIPLIERS // channels) * channels or DEFAULT_MULTIPLIERS


def multiplier_choices(channels: int, pixels: int) -> list[int]:
    """Multipliers of a lane that share the work evenly, about twice as many from one to the next, the default among them."""
    parts = {groups_of(channels, 2**i) for i in range(channels.bit_length() + 1)}
    whole = {channels * groups_of(pixels, 2**i) for i in range(pixels.bit_length() + 1)}
    return sorted(parts | whole | {default_multipliers(channels, pixels)})


def image_words(network: Network, multipliers: int) -> int:
    """Words of so many inputs that an image has, in a dense fully connected layer."""
    channels, height, width = network.input_shape
    return words_of_image(height * width, channels, multipliers)


def _choose_multipliers(network: Network, wanted: dict[str, int] | int | None) -> dict[str, int]:
    images = dense_fc_image(network)
    if isinstance(wanted, int):
        wanted = dict.fromkeys(images or ("all layers",), wanted)
    _check_names("lane_multipliers", wanted, images)
    multipliers = {name: default_multipliers(*image) for name, image in images.items()} | (wanted or {})
    for name, number in multipliers.items():
        check_multipliers(name, number, *images[name])
    return multipliers


def _check_names(what: str, wanted: dict[str, int] | None, allowed: Collection[str]):
    for name in wanted or {}:
        if name not in allowed:
            names = ", ".join(allowed) or "none in this network"
            raise InputError(f"{what} for {name!r}: no such layer; allowed: {names}{did_you_mean(name, allowed)}")


def divisors(number: int) -> list[int]:
    """All divisors, from 1 up."""
    return [n for n in range(1, number + 1) if number % n == 0]


def _listed(number: int) -> str:
    return ", ".join(map(str, divisors(number)))
