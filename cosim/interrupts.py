"""Commands that end on SIGINT and SIGTERM: a line, an exit status, and the end within two seconds whatever they are doing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import sleep

GRACE_SECONDS = 1.0
"""Time for clean-up; a command that is then still busy, such as in compiled code, is ended as it is."""

MESSAGES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""The signals that end a command, and what it prints then."""


class Terminated(KeyboardInterrupt):
    """SIGTERM; code that handles an interrupt from the keyboard handles it, too."""


def run_command(name: str, command: Callable[[], int]) -> int:
    """Exit status of a command that has this process to itself.

    On SIGINT and SIGTERM it gets a KeyboardInterrupt, and the process ends here with status_of().
    """
    caught = [number for number in MESSAGES if signal.getsignal(number) is not signal.SIG_IGN]
    try:
        for number in caught:
            signal.signal(number, _interrupt)
        _watch(name)
        status = command()
        _listen_no_more()
    except KeyboardInterrupt as interrupt:
        status = status_of(name, interrupt)
    if status in (128 + number for number in MESSAGES):
        _leave(status)
    # Python waits for threads before it ends, which may take long: a signal now ends it at once.
    for number in caught:
        signal.signal(number, signal.SIG_DFL)
    return status


def status_of(name: str, interrupt: KeyboardInterrupt) -> int:
    """Say on stderr that a command was interrupted; returns its exit status, that which a shell reports for the signal."""
    number = signal.SIGTERM if isinstance(interrupt, Terminated) else signal.SIGINT
    print(f"{name}: {MESSAGES[number]}", file=sys.stderr)
    return 128 + number


def _listen_no_more() -> None:
    """Clean-up is not interrupted a second time."""
    for number in MESSAGES:
        signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: object) -> None:
    _listen_no_more()
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _watch(name: str) -> None:
    """Begin to watch for the signals: handlers of Python run only between its instructions, and what they raise may be lost."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    # A signal to a forked child is none to this process.
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    Thread(target=_end_in_time, args=(name, reader), daemon=True).start()


def _end_in_time(name: str, reader: int) -> None:
    for byte in iter(lambda: os.read(reader, 1), b""):
        if byte[0] in MESSAGES:
            sleep(GRACE_SECONDS)
            os.write(2, f"{name}: {MESSAGES[signal.Signals(byte[0])]}\n".encode())
            os._exit(128 + byte[0])


def _leave(status: int) -> None:
    """End without waiting for threads; programs that still run end with the process, see system.Watchdog."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
