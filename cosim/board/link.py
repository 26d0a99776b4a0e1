"""The host's side of the packets of rtl/packets.py: requests over a serial port, each repeated until its answer is sound."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence
from typing import Protocol

from duospike.cosim.errors import CosimError
from duospike.rtl.packets import (
    BAD_ACCESS,
    BAD_REQUEST,
    HELLO,
    LENGTH_LOW,
    MARK,
    NOTHING,
    OK,
    OTHER_VERSION,
    SEQUENCE_LOW,
    VERSION,
    header,
)

WORD = 4
"""Bytes of a word."""
TRIES = 4
REASONS = {BAD_REQUEST: "refused the request", BAD_ACCESS: "found no such register"}


class LinkError(CosimError):
    """No sound answer came, or one that says that the request cannot be carried out."""


class Port(Protocol):
    """A serial line, as Link needs it."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; fewer if no more have come for as long as an answer may take."""

    def settle(self) -> None:
        """Wait until the line has been silent for so long that the board expects a new packet; forget what came."""

    def close(self) -> None:
        """Let go of the line."""


def packet(sequence: int, kind: int, payload: Sequence[int], version: int = VERSION) -> bytes:
    """The bytes of a packet. payload: words."""
    words = [header(sequence, kind, len(payload), version), *payload]
    body = struct.pack(f"<{len(words)}I", *words)
    return body + struct.pack("<I", zlib.crc32(body))


class Link:
    """Requests to a board. port: see Port. repeated: how many requests had to be sent again."""

    def __init__(self, port: Port, seed: int | None = None):
        self._port, self.repeated = port, 0
        # Another program may have talked to the board before; HELLO is carried out whatever its number is.
        self._sequence = random.Random(seed).randrange(256)

    def hello(self) -> None:
        """Begin to talk to a board; LinkError if none answers, or one with another version."""
        self._port.settle()
        self.request(HELLO)

    def request(self, kind: int, payload: Sequence[int] = ()) -> tuple[int, list[int]]:
        """Let a request be carried out, once; returns the status OK or NOTHING, and the words of the answer.

        LinkError: TRIES times no sound answer came, or the answer is that the board cannot do it.
        """
        self._sequence = (self._sequence + 1) % 256
        message = packet(self._sequence, kind, payload)
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                self.repeated += 1
                self._port.settle()
            self._port.write(message)
            try:
                return self._answer()
            except _Damaged as damage:
                reason = str(damage)
        raise LinkError(f"the board gave {reason}, {TRIES} times; is it programmed, and is this its port and its baud rate?")

    def _answer(self) -> tuple[int, list[int]]:
        body = self._read(WORD)
        if body[0] >> 4 != MARK:
            raise _Damaged("bytes that are no packet")
        status, sequence, words = body[2], body[SEQUENCE_LOW // 8], body[LENGTH_LOW // 8]
        body += self._read(WORD * words)
        if self._read(WORD) != struct.pack("<I", zlib.crc32(body)):
            raise _Damaged("an answer with a wrong checksum")
        if sequence != self._sequence:
            raise _Damaged("the answer to another request")
        if status == OTHER_VERSION or body[0] & 15 != VERSION:
            raise LinkError(f"the board's packets are of version {body[0] & 15}, the host's of {VERSION}; build the board anew")
        if status not in (OK, NOTHING):
            raise LinkError(f"the board {REASONS.get(status, f'answered with status {status}')}")
        return status, list(struct.unpack(f"<{words}I", body[WORD:]))

    def _read(self, count: int) -> bytes:
        data = self._port.read(count)
        if len(data) < count:
            raise _Damaged("an answer that stopped" if data else "no answer")
        return data


class _Damaged(Exception):
    """What came is no sound answer."""
