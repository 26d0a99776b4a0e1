"""MyHDL's simulator: a run of it, and its counterpart in a co-simulation, which exchanges lines of text."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import myhdl

from .internals import LOCK, forget_signals


def simulate(*instances) -> None:
    """Run MyHDL's simulator on devices' instances and generators of a bench until one raises StopSimulation."""
    with LOCK:
        simulation = myhdl.Simulation(*instances)
        try:
            simulation.run(quiet=1)
        finally:
            if not simulation._finished:
                simulation.quit()
            forget_signals()


class LineCosimulation(myhdl.Cosimulation):
    """A running bench that reads the values of its inputs as a line of hex numbers, and answers with a line of its outputs'.

    MyHDL's simulator calls _get() and _put() in turn, and at the end closes _rt and _wf and waits for _child. Nothing is left
    of MyHDL's own class, whose messages have no end and a limited length, but its _waiter(), which sets _hasChange when one
    of _fromSigs has changed.

    child: the process of the bench, or what waits for it as subprocess.Popen does. shown, taken: the descriptors of the pipe
    with its outputs and of that with its inputs. inputs, outputs: signals in the order of the lines. ended: called if the bench
    ends early, returns the error to raise.
    """

    def __init__(self, child: Any, shown: int, taken: int, inputs: list, outputs: list, ended: Callable[[], Exception]):
        self._child, self._rt, self._wf = child, shown, taken
        self._fromSigs, self._outputs, self._ended = inputs, outputs, ended
        self._shown = [""] * len(outputs)
        # The bench writes the first line.
        self._getMode, self._hasChange = True, True

    def _get(self):
        """Show the outputs that have changed, unless nothing was put since."""
        if not self._getMode:
            return
        shown = self._line().split()
        for signal, digits, before in zip(self._outputs, shown, self._shown, strict=True):
            if digits != before:
                signal.next = _value(signal, digits)
        self._shown, self._getMode = shown, False

    def _put(self, time):
        """Send the inputs if one has changed: a design without delays does nothing by itself as time goes on."""
        if self._hasChange:
            words = (_digits(int(signal.val), len(signal)) for signal in self._fromSigs)
            os.write(self._wf, (" ".join(words) + "\n").encode())
            self._getMode, self._hasChange = True, False

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            part = os.read(self._rt, 65536)
            if not part:
                raise self._ended()
            line += part
        return line.decode()


def _digits(value: int, width: int) -> str:
    return f"{value % 2**width:0{-(-width // 4)}x}"


def _value(signal, digits: str) -> int:
    """The number in these hex digits; the signal's initial value, as with MyHDL's own class, if a bit is not known."""
    if "X" in digits or "Z" in digits:
        return signal._init
    value, width = int(digits, 16), len(signal)
    is_negative = signal.min is not None and signal.min < 0 and value >> (width - 1)
    return value - 2**width if is_negative else value
