"""What the project uses of MyHDL 0.11.52 that is not its public interface, and the lock that guards it.

MyHDL keeps its state in modules: each converter and the simulator is one object for the whole process, with lists that
belong to no design. Conversion here also replaces functions of MyHDL for a while (elaboration.py). So whatever elaborates,
converts or simulates holds LOCK.
"""

from __future__ import annotations

import os
import threading

from myhdl import _block, _instance, _misc, _simulator, _util
from myhdl._block import _Block as Block
from myhdl._block import block_decorator as BlockFunction
from myhdl._extractHierarchy import _UserVerilogCode as UserVerilogCode
from myhdl._extractHierarchy import _UserVhdlCode as UserVhdlCode
from myhdl._Signal import _Signal as AnySignal

__all__ = [
    "LOCK",
    "USERS_OF_INSPECT",
    "AnySignal",
    "Block",
    "BlockFunction",
    "UserVerilogCode",
    "UserVhdlCode",
    "forget_signals",
    "name_of_next",
]

LOCK = threading.RLock()
"""Held by the one thread that uses MyHDL."""

# A child that is forked while another thread converts would inherit a locked lock and a changed MyHDL.
os.register_at_fork(before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release)

USERS_OF_INSPECT = (_block, _instance, _util, _misc)
"""Modules of MyHDL that ask `inspect` for frames and sources."""


def name_of_next(function: BlockFunction) -> str | None:
    """The name that MyHDL gives to the next block of a decorated function."""
    if function.skipname:
        return None
    name = f"{function.func.__name__}{function.calls}"
    function.calls += 1
    return _block._uniqueify_name(name)


def forget_signals() -> None:
    """Empty MyHDL's lists of all signals and blocks ever made: they only grow, and each simulation walks them."""
    with LOCK:
        _simulator._signals.clear()
        _simulator._blocks.clear()
