"""Quick elaboration of MyHDL blocks."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from contextlib import contextmanager
from types import SimpleNamespace

import myhdl._block
import myhdl._instance
import myhdl._misc
import myhdl._util
from myhdl._block import _Block, block_decorator

INLINED = ("unpack", "pack")
"""Blocks that only move wires, and become no modules."""


def _of_code(function):
    """The function of `inspect`, asked only once for each piece of code."""
    remembered = functools.cache(function)
    return lambda thing: remembered(thing.__code__)


_SOURCES = {name: _of_code(getattr(inspect, name)) for name in ("getsource", "getsourcefile", "getsourcelines")}
_DEDENT = functools.cache(myhdl._util._dedent)


def _stack():
    """The caller's frames as inspect.stack() gives them, but only the innermost six and without their sources."""
    frame, frames = sys._getframe(1), []
    while frame is not None and len(frames) < 6:
        frames.append((frame, None, None, frame.f_code.co_name))
        frame = frame.f_back
    return frames


def _outer_frames(frame):
    """A frame and its caller's, as inspect.getouterframes() gives them, without their sources."""
    return [(frame,), (frame.f_back,)]


@contextmanager
def quick_inspection():
    """Spare MyHDL what takes nine tenths of the time of an elaboration.

    For each block and generator it asks `inspect` for the whole stack with its source lines, of which it uses the names
    and variables of the innermost frames, and reads and dedents the source of functions that it has read before.
    """
    users = (myhdl._block, myhdl._instance, myhdl._util, myhdl._misc)
    before, dedent = [user.inspect for user in users], myhdl._util._dedent
    for user in users:
        user.inspect = SimpleNamespace(
            stack=_stack,
            getouterframes=_outer_frames,
            currentframe=lambda: sys._getframe(1),
            ismethod=inspect.ismethod,
            **_SOURCES,
        )
    myhdl._util._dedent = _DEDENT
    try:
        yield
    finally:
        for user, module in zip(users, before, strict=True):
            user.inspect = module
        myhdl._util._dedent = dedent


@contextmanager
def one_level():
    """Elaborate the first block that is called here, but of the blocks that it calls only those of INLINED, whole.

    The others get function and arguments and have nothing inside, which is all that a conversion module by module needs: it
    elaborates each of them once more by itself.
    """
    call, is_inlined, numbers = block_decorator.__call__, False, itertools.count()

    # At the depth of MyHDL's own, whose blocks find the frame of their parent by counting.
    def build(self, *args, **kwargs):
        nonlocal is_inlined
        name, outside, number = self.func.__name__, is_inlined, next(numbers)
        is_inlined = is_inlined or name in INLINED
        is_whole = is_inlined or number == 0
        # Numbered from here on: MyHDL's own numbers count the blocks of the process.
        own_name = f"{name}{number}"
        made = _Block(
            self.func if is_whole else _nothing,
            self,
            own_name,
            self.srcfile,
            self.srcline,
            self.skipname,
            *args,
            **kwargs,
        )
        made.func, is_inlined = self.func, outside
        return made

    block_decorator.__call__ = build
    try:
        yield
    finally:
        block_decorator.__call__ = call


def _nothing(*args, **kwargs):
    return ()
