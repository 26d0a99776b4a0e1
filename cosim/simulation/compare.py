"""Comparison of what the hardware gave with what the reference expects, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from duospike.cosim.design.beats import potential_beats, spike_beats
from duospike.cosim.design.plan import READOUT
from duospike.cosim.errors import CosimError
from duospike.reference.golden import Trace
from duospike.rtl.readout import Readout
from duospike.rtl.stage import NeuronStage, Stage

from .bench import Beat

MISSING = "missing"
SURPLUS = "no beat"


@dataclass(frozen=True)
class Mismatch:
    """The first difference. timestep, channel, y and x are None where they have no meaning.

    expected, got: a spike (0 or 1), a potential, a class or its score, or a word: `missing` for a beat that did not come,
    `no beat` for one too many, the payload's hex digits if they hold an unknown bit.
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
    """Compare the read-out's beats with the scores and classes of the reference; None if they are equal."""
    for image, beat in zip_longest(range(len(trace.predicted)), beats):
        got = _value(READOUT, beat)
        if image is None or not isinstance(got, int):
            expected = SURPLUS if image is None else "class and scores"
            return Mismatch(len(beats) - 1 if image is None else image, READOUT, None, None, None, None, expected, got)
        predicted, scores = decode_result(stage, got)
        for index, (want, score) in enumerate(zip(trace.scores[image], scores, strict=True)):
            if want != score:
                return Mismatch(image, READOUT, None, index, None, None, int(want), score)
        if predicted != trace.predicted[image]:
            return Mismatch(image, READOUT, None, None, None, None, int(trace.predicted[image]), predicted)
    return None


def decode_result(stage: Readout, payload: int) -> tuple[int, list[int]]:
    """Class and scores of a beat of the read-out."""
    scores = payload >> stage.class_bits
    of_classes = [_field(scores, k, stage.score_bits, stage.reads_membranes) for k in range(stage.classes)]
    return payload & (2**stage.class_bits - 1), of_classes


def _field(word: int, place: int, bits: int, is_signed: bool) -> int:
    """Field number `place` of a word of fields."""
    value = word >> (place * bits) & (2**bits - 1)
    return value - 2**bits if is_signed and value >> (bits - 1) else value


def first_potential_mismatch(name: str, stage: NeuronStage, potentials: np.ndarray, beats: list[Beat]) -> Mismatch | None:
    """Compare a stream of potentials with those of the reference, [images, timesteps, outputs]; None if they are equal.

    The timestep of a difference is the last one of its pass.
    """
    bits, passes = stage.neuron.potential_bits, stage.passes
    largest = stage.neuron.gives == "max_membrane"
    expected = potential_beats(potentials, stage.lanes, stage.timesteps, bits, largest)
    for index, (want, beat) in enumerate(zip_longest(expected, beats)):
        got = _value(name, beat)
        if got == want:
            continue
        if want is None:
            return Mismatch(len(potentials) - 1, name, None, None, None, None, SURPLUS, got)
        frame, group = divmod(index, stage.groups)
        image, timestep = frame // passes, (frame % passes + 1) * stage.timesteps - 1
        if not isinstance(got, int):
            return Mismatch(image, name, timestep, group * stage.lanes, 0, 0, f"{want:x}", got)
        lane = next(k for k in range(stage.lanes) if _field(want, k, bits, True) != _field(got, k, bits, True))
        values = (_field(word, lane, bits, True) for word in (want, got))
        return Mismatch(image, name, timestep, group * stage.lanes + lane, 0, 0, *values)
    return None


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
    if isinstance(stage, NeuronStage) and not stage.neuron.gives_spikes:
        assert trace.membranes is not None
        return first_potential_mismatch(name, stage, trace.membranes, beats)
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
