"""Quick elaboration of MyHDL blocks: in a tenth of the time, and one level of the hierarchy at a time.

Both replace functions of MyHDL for as long as they are entered, and hold the lock.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

from myhdl import _bin, _util

from .internals import LOCK, USERS_OF_INSPECT, Block, BlockFunction, name_of_next

INLINED = (
    "unpack", "pack", "sum_window", "column_start", "beat_place", "scan_base", "leak", "spike_history", "neuron_score",
    "class_scores",
)  # fmt: skip
"""Blocks that become no modules: they only move wires, or are mapped to more LUTs apart from their parent."""


def _of_code(function):
    """The function of `inspect`, asked only once for each piece of code."""
    remembered = functools.cache(function)
    return lambda thing: remembered(thing.__code__)


_SOURCES = {name: _of_code(getattr(inspect, name)) for name in ("getsource", "getsourcefile", "getsourcelines")}
_DEDENT = functools.cache(_util._dedent)


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


def bit_string(number: int) -> str:
    """The binary digits of a number, those of a negative one in the shortest two's complement: 5 -> 101, -3 -> 101, -4 -> 100.

    They are those of MyHDL's own function, which takes a division of the whole number for each digit.
    """
    return format(number if number >= 0 else number + (2 << (~number).bit_length()), "b")


@contextmanager
def quick_inspection():
    """Avoid what takes nine tenths of the time of an elaboration.

    For each block and generator it asks `inspect` for the whole stack with its source lines, of which it uses the names
    and variables of the innermost frames, and reads and dedents the source of functions that it has read before. It divides
    a constant once for each bit of its text.
    """
    with LOCK:
        before, dedent, bits = [user.inspect for user in USERS_OF_INSPECT], _util._dedent, _bin._int2bitstring
        for user in USERS_OF_INSPECT:
            user.inspect = SimpleNamespace(
                stack=_stack,
                getouterframes=_outer_frames,
                currentframe=lambda: sys._getframe(1),
                ismethod=inspect.ismethod,
                **_SOURCES,
            )
        _util._dedent, _bin._int2bitstring = _DEDENT, bit_string
        try:
            yield
        finally:
            for user, module in zip(USERS_OF_INSPECT, before, strict=True):
                user.inspect = module
            _util._dedent, _bin._int2bitstring = dedent, bits


@contextmanager
def one_level():
    """Elaborate the first block that is called here, but of the blocks that it calls only those of INLINED, whole.

    The others get function and arguments and have nothing inside, which is all that a conversion module by module needs: it
    elaborates each of them once more by itself. Blocks that other threads call meanwhile are not touched.
    """
    owner, is_inlined, numbers = threading.get_ident(), False, itertools.count()

    def plan(function):
        """What to elaborate in place of `function`, and the block's name, numbered from here on."""
        nonlocal is_inlined
        number, name = next(numbers), function.__name__
        is_inlined = is_inlined or name in INLINED
        return function if is_inlined or number == 0 else _nothing, f"{name}{number}"

    # In place of MyHDL's own and as deep: a block finds the frame of its parent by counting.
    def build(self, *args, **kwargs):
        nonlocal is_inlined
        is_mine, outside = threading.get_ident() == owner, is_inlined
        function, name = plan(self.func) if is_mine else (self.func, name_of_next(self))
        made = Block(function, self, name, self.srcfile, self.srcline, self.skipname, *args, **kwargs)
        made.func = self.func
        if is_mine:
            is_inlined = outside
        return made

    with quick_inspection():
        call = BlockFunction.__call__
        BlockFunction.__call__ = build
        try:
            yield
        finally:
            BlockFunction.__call__ = call


def _nothing(*args, **kwargs):
    return ()
