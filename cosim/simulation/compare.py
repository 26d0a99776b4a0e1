"""Comparison of what the hardware gave with what the reference expects, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from duospike.cosim.design.beats import spike_beats
from duospike.cosim.design.plan import READOUT
from duospike.cosim.errors import CosimError
from duospike.reference.golden import Trace
from duospike.rtl.readout import Readout
from duospike.rtl.stage import Stage

from .bench import Beat

MISSING = "missing"
SURPLUS = "no beat"


@dataclass(frozen=True)
class Mismatch:
    """The first difference. timestep, channel, y and x are None where they have no meaning.

    expected, got: a spike (0 or 1), a class or class count, or a word: `missing` for a beat that did not come, `no beat`
    for one too many, the payload's hex digits if they hold an unknown bit.
    """

    image: int
    stage: str
    timestep: int | None
    channel: int | None
    y: int | None
    x: int | None
    expected: int | str
    got: int | str

    def __str__(self) -> str:
        named = (("timestep", self.timestep), ("channel", self.channel), ("y", self.y), ("x", self.x))
        where = ", ".join(f"{name} {value}" for name, value in named if value is not None)
        return f"image {self.image}, stage {self.stage}{', ' if where else ''}{where}: expected {self.expected}, got {self.got}"


def first_spike_mismatch(
    stage: str, spikes: np.ndarray, lanes: int, beats: list[Beat], timesteps: int | None = None
) -> Mismatch | None:
    """Compare a spike stream with spikes [images, timesteps, channels, height, width]; None if they are equal.

    timesteps: of a pass, by default all.
    """
    timesteps = spikes.shape[1] if timesteps is None else timesteps
    expected = spike_beats(spikes, lanes, timesteps)
    for index, (want, beat) in enumerate(zip_longest(expected, beats)):
        got = _value(stage, beat)
        if got != want:
            return _locate(stage, spikes.shape, lanes, timesteps, index, want, got)
    return None


def first_result_mismatch(stage: Readout, trace: Trace, beats: list[Beat]) -> Mismatch | None:
    """Compare the read-out's beats with the class counts and classes of the reference; None if they are equal."""
    for image, beat in zip_longest(range(len(trace.predicted)), beats):
        got = _value(READOUT, beat)
        if image is None or not isinstance(got, int):
            expected = SURPLUS if image is None else "class and counts"
            return Mismatch(len(beats) - 1 if image is None else image, READOUT, None, None, None, None, expected, got)
        predicted, counts = decode_result(stage, got)
        for index, (want, count) in enumerate(zip(trace.scores[image], counts, strict=True)):
            if want != count:
                return Mismatch(image, READOUT, None, index, None, None, int(want), count)
        if predicted != trace.predicted[image]:
            return Mismatch(image, READOUT, None, None, None, None, int(trace.predicted[image]), predicted)
    return None


def decode_result(stage: Readout, payload: int) -> tuple[int, list[int]]:
    """Class and class counts of a beat of the read-out."""
    counts = payload >> stage.class_bits
    mask = 2**stage.count_bits - 1
    return payload & (2**stage.class_bits - 1), [counts >> (k * stage.count_bits) & mask for k in range(stage.classes)]


def first_mismatch(stages: dict[str, Stage], trace: Trace, streams: dict[str, list[Beat]]) -> Mismatch | None:
    """The first difference of a run: of the earliest image, and there of the earliest stage.

    streams: recorded beats by stage name.
    """
    found = [_stage_mismatch(name, stage, trace, streams[name]) for name, stage in stages.items()]
    differences = [mismatch for mismatch in found if mismatch is not None]
    return min(differences, key=lambda mismatch: mismatch.image, default=None)


def _stage_mismatch(name: str, stage: Stage, trace: Trace, beats: list[Beat]) -> Mismatch | None:
    if isinstance(stage, Readout):
        return first_result_mismatch(stage, trace, beats)
    return first_spike_mismatch(name, trace.spikes[name], stage.lanes, beats, stage.timesteps)


def _value(stage: str, beat: Beat | None) -> int | str:
    if beat is None:
        return MISSING
    try:
        return beat.value(stage)
    except CosimError:
        return beat.payload


def _locate(
    stage: str, shape: tuple[int, ...], lanes: int, timesteps: int, index: int, want: int | None, got: int | str
) -> Mismatch:
    """Name the place of beat `index`, and of its first differing bit where both beats are known."""
    images, all_timesteps, channels, height, width = shape
    groups = -(-channels // lanes)
    if want is None:
        return Mismatch(images - 1, stage, None, None, None, None, SURPLUS, got)
    frame, rest = divmod(index, height * groups * width)
    image, first_timestep = divmod(frame * timesteps, all_timesteps)
    y, rest = divmod(rest, groups * width)
    group, x = divmod(rest, width)
    if not isinstance(got, int):
        return Mismatch(image, stage, None, group * lanes, y, x, f"{want:x}", got)
    bit = ((want ^ got) & -(want ^ got)).bit_length() - 1
    lane, timestep = divmod(bit, timesteps)
    return Mismatch(image, stage, first_timestep + timestep, group * lanes + lane, y, x, want >> bit & 1, got >> bit & 1)
