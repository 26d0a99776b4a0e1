"""A serial port of the host, by pyserial."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from duospike.cosim.errors import CosimError
from duospike.reference.installation import install_hint

from .core import TIMEOUT_SECONDS
from .link import LinkError

ANSWER_SECONDS = 0.5
"""For which an answer may keep the host waiting, beside what it takes at the line's rate."""
SETTLE_SECONDS = 4 * TIMEOUT_SECONDS
BITS_A_BYTE, PACKET_BYTES = 10, 1032


class SerialPort:
    """A port by its name, such as /dev/ttyUSB0: a link.Port. LinkError where it cannot be opened or has gone away."""

    def __init__(self, name: str, baud: int):
        try:
            import serial
        except ImportError:
            raise CosimError(f"pyserial is not installed; {install_hint('board')}") from None
        self._name, self._failures = name, (serial.SerialException, OSError)
        wait = ANSWER_SECONDS + PACKET_BYTES * BITS_A_BYTE / baud
        try:
            self._serial: Any = serial.Serial(name, baud, timeout=wait, write_timeout=2 * wait, exclusive=True)
        except (*self._failures, ValueError) as error:
            raise LinkError(f"port {name} cannot be opened: {_reason(error)}") from None
        # USB adapters otherwise keep a short answer back for 16 ms; few drivers know the setting.
        with suppress(Exception):
            self._serial.set_low_latency_mode(True)

    def write(self, data: bytes) -> None:
        with self._named():
            self._serial.write(data)

    def read(self, count: int) -> bytes:
        with self._named():
            return self._serial.read(count)

    def settle(self) -> None:
        with self._named():
            time.sleep(SETTLE_SECONDS)
            self._serial.reset_input_buffer()

    def close(self) -> None:
        with suppress(*self._failures):
            self._serial.close()

    def _named(self) -> _Named:
        return _Named(self._name, self._failures)


class _Named:
    """Turns an error of the port into one line that names it."""

    def __init__(self, name: str, failures: tuple[type[Exception], ...]):
        self._name, self._failures = name, failures

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, self._failures):
            raise LinkError(f"port {self._name} failed: {_reason(error)}; is the cable plugged in?") from None


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
