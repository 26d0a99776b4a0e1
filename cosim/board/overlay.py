"""A board behind the interface that PYNQ gives to a bitstream, so that the driver of the AXI shell runs with it as it is."""

from __future__ import annotations

import time

import numpy as np

from duospike.rtl.packets import (
    MAX_WORDS,
    NOTHING,
    READ,
    SEND,
    SEND_LAST,
    TAKE,
    UNUSED_LOW,
    WRITE,
)

from .link import Link, LinkError

PATIENCE_SECONDS = 10.0
"""For which a core may take no beat or give no result."""
MAX_LEFT = 16
"""More results than a core can hold."""
LARGEST_BEAT = 32
"""Words of the widest beat."""
CHUNK = MAX_WORDS // LARGEST_BEAT * LARGEST_BEAT
"""Words of an image that go in one packet: whole beats, whatever their width."""


class BoardOverlay:
    """ip, dma and allocate as the driver wants them. link: to the board. data_bits: of the core's image stream."""

    allocate = staticmethod(np.zeros)

    def __init__(self, link: Link, data_bits: int, patience: float = PATIENCE_SECONDS):
        self.ip = _Registers(link)
        self.dma = _Dma(link, data_bits, patience)

    def drain(self) -> None:
        """Fetch the results that nobody waits for any more; LinkError if they do not end."""
        for _ in range(MAX_LEFT):
            if self.dma.recvchannel.fetch() is None:
                return
        raise LinkError(f"the core gives {MAX_LEFT} results and no image was sent")


class _Registers:
    def __init__(self, link: Link):
        self._link = link

    def read(self, offset: int) -> int:
        return self.read_many(offset, 1)[0]

    def read_many(self, offset: int, count: int) -> list[int]:
        """The words of `count` registers from `offset` up, in one request for each MAX_WORDS."""
        words: list[int] = []
        while len(words) < count:
            wanted = min(count - len(words), MAX_WORDS)
            words += self._link.request(READ, (offset + 4 * len(words), wanted))[1]
        return words

    def write(self, offset: int, value: int) -> None:
        self.write_many(offset, [value])

    def write_many(self, offset: int, values: list[int]) -> None:
        """Write words to one register, one after the other."""
        for first in range(0, len(values), MAX_WORDS - 1):
            self._link.request(WRITE, (offset, *values[first : first + MAX_WORDS - 1]))


class _SendChannel:
    def __init__(self, link: Link, data_bits: int, patience: float):
        self._link, self._data_bits, self._patience = link, data_bits, patience
        self._words: list[int] = []
        self._unused = 0

    def transfer(self, buffer: np.ndarray) -> None:
        """Keep an image packet, to be sent by wait()."""
        data = buffer.tobytes()
        padding = -len(data) % 4
        self._words = np.frombuffer(data + bytes(padding), "<u4").tolist()
        self._unused = padding * 8 // self._data_bits

    def wait(self) -> None:
        """Send it; LinkError if the core does not take it."""
        deadline = time.monotonic() + self._patience
        while self._words:
            part = self._words[:CHUNK]
            is_last = len(part) == len(self._words)
            kind = SEND_LAST | self._unused << UNUSED_LOW if is_last else SEND
            status, (taken,) = self._link.request(kind, part)
            self._words = self._words[taken:]
            if status == NOTHING and time.monotonic() > deadline:
                raise LinkError(f"the core takes no beat of the image for {self._patience:g} seconds")


class _ReceiveChannel:
    def __init__(self, link: Link, patience: float):
        self._link, self._patience = link, patience
        self._buffer: np.ndarray | None = None

    def transfer(self, buffer: np.ndarray) -> None:
        """Note where the result goes that wait() fetches."""
        self._buffer = buffer

    def wait(self) -> None:
        """Fetch a result; LinkError if none comes."""
        assert self._buffer is not None
        deadline = time.monotonic() + self._patience
        while (words := self.fetch()) is None:
            if time.monotonic() > deadline:
                raise LinkError(f"no result comes for {self._patience:g} seconds")
        if len(words) != len(self._buffer):
            raise LinkError(f"a result of {len(words)} words; expected: {len(self._buffer)}")
        self._buffer[:] = words

    def fetch(self) -> list[int] | None:
        """The words of a result, None if there is none."""
        status, words = self._link.request(TAKE)
        return None if status == NOTHING else words


class _Dma:
    def __init__(self, link: Link, data_bits: int, patience: float):
        self.sendchannel, self.recvchannel = _SendChannel(link, data_bits, patience), _ReceiveChannel(link, patience)
