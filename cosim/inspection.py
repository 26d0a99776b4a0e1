"""Quick elaboration of MyHDL blocks."""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import myhdl._block
import myhdl._instance
import myhdl._util


@contextmanager
def quick_inspection():
    """Spare MyHDL what takes nine tenths of the time of an elaboration.

    For each block and generator it asks `inspect` for the whole stack with its source lines, of which it uses the names
    and variables of the innermost frames, and reads and dedents the source of functions that it has read before.
    """
    dedent = myhdl._util._dedent

    def stack():
        frame, frames = sys._getframe(1), []
        while frame is not None and len(frames) < 6:
            frames.append((frame, None, None, frame.f_code.co_name))
            frame = frame.f_back
        return frames

    functions = {name: _of_code(getattr(inspect, name)) for name in ("getsource", "getsourcefile", "getsourcelines")}
    users = (myhdl._block, myhdl._instance, myhdl._util)
    for user in users:
        user.inspect = SimpleNamespace(stack=stack, **functions)
    myhdl._util._dedent = functools.cache(dedent)
    try:
        yield
    finally:
        for user in users:
            user.inspect = inspect
        myhdl._util._dedent = dedent


def _of_code(function):
    """The function of `inspect`, asked only once for each piece of code."""
    remembered = functools.cache(function)
    return lambda thing: remembered(thing.__code__)
