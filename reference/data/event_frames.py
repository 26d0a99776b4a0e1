"""Events of a sensor, (t, x, y, p), become frames [T, C, H, W]: how many events each pixel has in each timestep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from duospike.reference.errors import InputError, brief
from duospike.reference.network import Network

BINS = ("time", "count")
MAX_TIME = 2**52
"""Microseconds, 140 years: a time after 1970 fits, too, and products with the timesteps fit into 64 bits."""
MAX_BIN_TIME, MAX_DOWNSCALE = 2**40, 2**10
MAX_VALUES = 2**32
"""Of the frames of all recordings together."""
EVENTS_AT_ONCE = 2**20
BINNING_KEYS = ("bins", "bin_time", "downscale")


@dataclass(frozen=True, eq=False)
class Events:
    """The events of a recording, ordered by time. t: int64 [N] in microseconds; x, y: [N], from 0; p: bool [N], brighter.

    where: the file, for messages. InputError: no events, not as many of each, or a time outside 0 to MAX_TIME.
    """

    where: str
    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray

    def __post_init__(self):
        counts = [len(self.t), len(self.x), len(self.y), len(self.p)]
        if len(set(counts)) > 1:
            numbers = ", ".join(map(str, counts))
            raise InputError(f"{self.where}: {numbers} values of t, x, y and p; needs one of each for an event")
        if not counts[0]:
            raise InputError(f"{self.where}: holds no events")
        if self.t.min() < 0 or self.t.max() >= MAX_TIME:
            raise InputError(f"{self.where}: times from {self.t.min()} to {self.t.max()} us; allowed: 0 to 2^52 - 1")
        object.__setattr__(self, "t", self.t.astype(np.int64, copy=False))
        if (self.t[1:] < self.t[:-1]).any():
            order = np.argsort(self.t, kind="stable")
            for name in ("t", "x", "y", "p"):
                object.__setattr__(self, name, getattr(self, name)[order])


@dataclass(frozen=True)
class Binning:
    """How events become frames.

    bins: time, for timesteps of equal length; count, for timesteps of equally many events. bin_time: length of a timestep in
    microseconds, from the first event on; 0 for the whole recording, cut into T. downscale: n x n pixels of the sensor become
    one, with the sum of their events.
    """

    bins: str = "time"
    bin_time: int = 0
    downscale: int = 1

    def __post_init__(self):
        if self.bins not in BINS:
            raise InputError(f"bins {brief(self.bins)}; allowed: {' or '.join(BINS)}")
        if not 0 <= self.bin_time <= MAX_BIN_TIME:
            raise InputError(f"bin time {self.bin_time} us; allowed: 1 to {MAX_BIN_TIME}, or 0 for the whole recording")
        if self.bin_time and self.bins == "count":
            raise InputError(f"bin time {self.bin_time} us with bins by count; allowed: with bins by time")
        if not 1 <= self.downscale <= MAX_DOWNSCALE:
            raise InputError(f"downscale {self.downscale}; allowed: 1 to {MAX_DOWNSCALE}")

    @property
    def metadata(self) -> dict[str, str]:
        """For a model file: what is not the default."""
        return {key: str(getattr(self, key)) for key in BINNING_KEYS if getattr(self, key) != getattr(Binning, key)}

    def timesteps_of(self, t: np.ndarray, timesteps: int) -> np.ndarray:
        """The timestep of each event, int64 [N], from the ordered times; `timesteps` or more for one after the last."""
        if self.bins == "count":
            return np.arange(len(t)) * timesteps // len(t)
        since = t - t[0]
        return since // self.bin_time if self.bin_time else since * timesteps // (since[-1] + 1)


@dataclass(frozen=True)
class FrameFormat:
    """What frames a network takes: [timesteps, *input_shape] of 0 and 1, or of counts up to `largest`.

    binary: 1 where a pixel has one event or more; else how many it has. largest: value of a pixel.
    """

    timesteps: int
    input_shape: tuple[int, int, int]
    binary: bool
    largest: int
    binning: Binning

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (self.timesteps, *self.input_shape)


def frame_format(network: Network, changes: Mapping[str, int | str]) -> FrameFormat:
    """What a network takes, binned as its metadata says; changes: what overrides that, by the names of Binning.

    InputError: the network takes no events, or its metadata holds no numbers.
    """
    if len(network.image_shape) != 4:
        raise InputError(f"event data for a network of coding {network.coding}; it takes images, not events")
    chosen: dict[str, int | str] = {key: network.metadata[key] for key in BINNING_KEYS if key in network.metadata}
    for key in chosen.keys() - {"bins"}:
        text = str(chosen[key])
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise InputError(f"the network's file: {key} = {brief(text)}; needs a whole number")
        chosen[key] = int(text)
    if changes.get("bins") == "count" and "bin_time" not in changes:
        chosen.pop("bin_time", None)
    binning = Binning(**(chosen | dict(changes)))  # type: ignore[arg-type]
    return FrameFormat(network.timesteps, network.input_shape, network.coding == "events", network.pixel_range[1], binning)


def check_sensor(name: str, sensor: tuple[int, int, int], frames: FrameFormat) -> None:
    """InputError: the network takes another shape than the sensor's (channels, height, width) after the downscale."""
    wanted = downscaled(sensor, frames.binning.downscale)
    if frames.input_shape != wanted:
        by = f" at downscale {frames.binning.downscale}" if frames.binning.downscale > 1 else ""
        raise InputError(f"{name}: events of {'x'.join(map(str, wanted))}{by}; the network takes {_size(frames.input_shape)}")


def downscaled(sensor: tuple[int, int, int], downscale: int) -> tuple[int, int, int]:
    """The shape of frames of a sensor: the last row and column may stand for fewer pixels."""
    channels, height, width = sensor
    return channels, -(-height // downscale), -(-width // downscale)


def to_frames(recordings: Iterable[Events], count: int, frames: FrameFormat) -> tuple[np.ndarray, str]:
    """The frames of `count` recordings, unsigned [count, T, C, H, W], and a line about how they were made.

    InputError: an event outside the frame, a count that a pixel cannot hold, or more than MAX_VALUES.
    """
    values = count * math.prod(frames.shape)
    if values > MAX_VALUES:
        raise InputError(
            f"{count} recordings as frames of {'x'.join(map(str, frames.shape))}: {values} values; allowed: up to {MAX_VALUES}; "
            "take fewer recordings, fewer timesteps or a larger downscale"
        )
    found = np.zeros((count, *frames.shape), np.uint8 if frames.largest < 2**8 else np.uint16)
    events = late = 0
    for frame, one in zip(found, recordings, strict=True):
        counts, kept = _count(one, frames)
        frame[:] = counts > 0 if frames.binary else _checked(counts, one.where, frames)
        events, late = events + len(one.t), late + len(one.t) - kept
    return found, _about(count, events, late, frames)


def _count(one: Events, frames: FrameFormat) -> tuple[np.ndarray, int]:
    """Events in each pixel of each timestep, int64 [T, C, H, W], and how many are in one of the timesteps."""
    timesteps, channels, height, width = frames.shape
    if channels > 2:
        raise InputError(f"{one.where}: events for a network of {channels} input channels; allowed: 2, off and on, or 1, both")
    step = frames.binning.timesteps_of(one.t, timesteps)
    kept = int(np.searchsorted(step, timesteps))
    for axis, size in (("x", width), ("y", height)):
        found, end = getattr(one, axis)[:kept], size * frames.binning.downscale
        if found.min() < 0 or found.max() >= end:
            raise InputError(
                f"{one.where}: {axis} from {found.min()} to {found.max()}; the network takes {_size(frames.input_shape)}, "
                f"at downscale {frames.binning.downscale} 0..{end - 1}"
            )
    counts = np.zeros(math.prod(frames.shape), np.int64)
    for start in range(0, kept, EVENTS_AT_ONCE):
        part = slice(start, min(start + EVENTS_AT_ONCE, kept))
        x, y = (values[part].astype(np.int64) // frames.binning.downscale for values in (one.x, one.y))
        channel = one.p[part].astype(np.int64) if channels == 2 else 0
        place = ((step[part] * channels + channel) * height + y) * width + x
        counts += np.bincount(place, minlength=counts.size)
    return counts.reshape(frames.shape), kept


def _checked(counts: np.ndarray, where: str, frames: FrameFormat) -> np.ndarray:
    if counts.max() > frames.largest:
        raise InputError(
            f"{where}: {counts.max()} events in one pixel and timestep; the network takes counts up to {frames.largest}; "
            "take shorter timesteps, a smaller downscale, or a network with more image_bits"
        )
    return counts


def _about(count: int, events: int, late: int, frames: FrameFormat) -> str:
    binning = frames.binning
    how = f"{frames.timesteps} timesteps of equal {'counts' if binning.bins == 'count' else 'time'}"
    if binning.bin_time:
        how = f"{frames.timesteps} timesteps of {binning.bin_time} us"
    scale = f", downscale {binning.downscale}" if binning.downscale > 1 else ""
    rest = f"; {late / events:.1%} of the events are after the last timestep and left out" if late else ""
    return f"{events} events of {count} recordings in {how}{scale}{rest}"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
