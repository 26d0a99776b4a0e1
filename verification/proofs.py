"""The proofs: which block, at which small parameters, by which properties, and which faults they must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from myhdl import Signal
from myhdl._block import _Block

from rtl.event_queue import event_queue
from rtl.stream import Stream


@dataclass(frozen=True)
class Fault:
    """A fault to plant: what it breaks, and the text of the Verilog that it replaces, which stands once in the modules."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Proof:
    """A proof of one block.

    claims: what is proven, in a line of words. properties: file of properties/, without its ending. depth: cycles of the
    bounded run and of the induction. faults: what the bounded run must find.
    """

    name: str
    claims: str
    properties: str
    build: Callable[[], _Block]
    depth: int
    faults: tuple[Fault, ...]


def _bit():
    return Signal(bool(0))


QUEUE_FAULTS = (
    Fault("a full queue takes a word", "assign not_full = (level != 3);", "assign not_full = 1;"),
    Fault("the head skips a word", "head <= (head + 1);", "head <= (head + 2);"),
    Fault("a word is stored in the wrong place", "mem[tail] <= src_data;", "mem[head] <= src_data;"),
)

PROOFS = (
    Proof(
        "event_queue", "words leave in the order in which they came, none lost, none doubled", "event_queue",
        lambda: event_queue(_bit(), _bit(), Stream(4), Stream(4), 3), 8, QUEUE_FAULTS,
    ),
)  # fmt: skip
