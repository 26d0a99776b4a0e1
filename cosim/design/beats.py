"""Between tensors and the beats of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from duospike.rtl.stream import groups_of


def pack_fields(values: np.ndarray, bits: int) -> tuple[int, ...]:
    """Pack integers [words, fields] to words, field 0 in the lowest bits, in two's complement of `bits` bits each."""
    planes = (np.asarray(values)[:, :, None] >> np.arange(bits)) & 1
    packed = np.packbits(planes.reshape(len(planes), -1).astype(np.uint8), axis=1, bitorder="little")
    return tuple(int.from_bytes(row.tobytes(), "little") for row in packed)


class PackedFields(Sequence):
    """The words of pack_fields, packed when the first one is asked for: a network has millions of weights, and its size can
    be known without them."""

    def __init__(self, values: np.ndarray, bits: int):
        self.values, self.bits = values, bits

    @cached_property
    def words(self) -> tuple[int, ...]:
        return pack_fields(self.values, self.bits)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.words[index]


def grouped(values: np.ndarray, lanes: int) -> np.ndarray:
    """Split the first axis [channels, ...] to [groups, lanes, ...]; the lanes of the last group beyond it are 0."""
    groups = groups_of(len(values), lanes)
    padded = np.zeros((groups * lanes, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded.reshape(groups, lanes, *values.shape[1:])


def spike_beats(spikes: np.ndarray, lanes: int, timesteps: int | None = None) -> tuple[int, ...]:
    """Beats of a spike stream for spikes [images, timesteps, channels, height, width], in stream order.

    timesteps: of a pass, by default all; an image comes in as many passes as its timesteps need.
    """
    timesteps = spikes.shape[1] if timesteps is None else timesteps
    beats: list[int] = []
    for frame in spikes.reshape(-1, timesteps, *spikes.shape[2:]):
        by_group = grouped(frame.transpose(1, 0, 2, 3), lanes)  # [group, lane, t, y, x]
        fields = by_group.transpose(3, 0, 4, 1, 2)  # [y, group, x, lane, t]
        beats += pack_fields(fields.reshape(-1, lanes * timesteps), 1)
    return tuple(beats)


def beat_spikes(words: Sequence[int], shape: tuple[int, int, int], lanes: int, timesteps: int) -> np.ndarray:
    """The spikes uint8 [all timesteps, channels, height, width] of one image's beats: what spike_beats does, backwards.

    words: of whole passes of `timesteps` each. shape: channels, height, width.
    """
    channels, height, width = shape
    size = -(-lanes * timesteps // 8)
    planes = np.frombuffer(b"".join(word.to_bytes(size, "little") for word in words), np.uint8).reshape(-1, size)
    bits = np.unpackbits(planes, axis=1, count=lanes * timesteps, bitorder="little")
    fields = bits.reshape(-1, height, groups_of(channels, lanes), width, lanes, timesteps)  # [pass, y, group, x, lane, t]
    return fields.transpose(0, 5, 2, 4, 1, 3).reshape(-1, groups_of(channels, lanes) * lanes, height, width)[:, :channels]


def potential_beats(potentials: np.ndarray, lanes: int, timesteps: int, bits: int, largest: bool) -> tuple[int, ...]:
    """Beats of a stream of potentials, in fields of `bits`, for potentials [images, all timesteps, outputs].

    timesteps: of a pass. largest: of the potentials of a pass the largest leaves, else the last.
    """
    of_pass = potentials.reshape(-1, timesteps, potentials.shape[2])
    read = of_pass.max(1) if largest else of_pass[:, -1]
    return pack_fields(grouped(read.T, lanes).transpose(2, 0, 1).reshape(-1, lanes), bits)


def image_beats(images: np.ndarray, bits: int, passes: int = 1, frames: int = 1) -> tuple[int, ...]:
    """Beats of the pixel stream for images [images, channels, height, width] of `bits` bits a channel, each `passes` times.

    Frames [images, passes * frames, channels, height, width] come `frames` a pass: field channel * frames + t of a beat.
    """
    repeated = np.repeat(images, passes, axis=0) if images.ndim == 4 else images
    by_pass = repeated.reshape(-1, frames, *images.shape[-3:])
    fields = by_pass.transpose(0, 3, 4, 2, 1)  # [pass, y, x, channel, t]
    return pack_fields(fields.reshape(-1, fields.shape[3] * fields.shape[4]), bits)
