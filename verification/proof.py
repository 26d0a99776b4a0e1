"""What a proof is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from myhdl import Signal, intbv

from duospike.cosim.conversion.internals import Block
from duospike.rtl.activity import ACTIVITY_BITS
from duospike.rtl.memory import Table
from duospike.rtl.stream import Stream


@dataclass(frozen=True)
class Fault:
    """A fault to plant: what it breaks, and the text of the Verilog that it replaces, which the modules hold once.

    found_by: the check that must find it, base or ready.
    """

    what: str
    old: str
    new: str
    found_by: str = "base"


@dataclass(frozen=True)
class Misuse:
    """Parameters that the block must not have: what is wrong with them, the block built so, and the constants that differ.

    rule: the function by which the block itself refuses them, as module and name; a misuse is built with one that gives 0.
    """

    what: str
    build: Callable[[], Block]
    constants: Mapping[str, int]
    rule: str = ""


@dataclass(frozen=True)
class Proof:
    """A proof of one block.

    claims: what is proven, in a line of words. properties: files of properties/ that are placed inside the block's module,
    without their ending, with spaces between them. depth: cycles of the bounded run and of the induction.
    faults, misuses: what must be found. constants: localparams of all properties.
    inside: the same as properties for the modules of other blocks, by the block's name.
    reach: cycles in which all covers are reached (0: depth). harmless: a fault that the design has throughout: what is claimed
    holds with it, too.
    """

    name: str
    claims: str
    properties: str
    build: Callable[[], Block]
    depth: int
    faults: tuple[Fault, ...]
    constants: Mapping[str, int] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    reach: int = 0
    misuses: tuple[Misuse, ...] = ()
    harmless: Fault | None = None


def bit():
    """A single bit, as clock and reset are."""
    return Signal(bool(0))


def vector(width: int):
    """A vector of bits."""
    return Signal(intbv(0)[width:])


def activity_counts():
    """The port of a stage's activity counters."""
    return vector(ACTIVITY_BITS)


def table(path: str, width: int, depth: int) -> Table:
    """ROM contents that differ from word to word."""
    return Table(path, width, tuple((3 * i + 1) % 2**width for i in range(depth)))


def shown(places: range) -> str:
    """Rows or columns that leave."""
    return f"{places[0]} to {places[-1]}" + (f" by {places.step}" if places.step > 1 and len(places) > 1 else "")


def leaving_constants(rows: range, columns: range) -> dict[str, int]:
    """An output window as constants of properties."""
    return {
        "FIRST_ROW": rows[0], "LAST_ROW": rows[-1], "ROW_STEP": rows.step, "OUT_ROWS": len(rows),
        "FIRST_COLUMN": columns[0], "LAST_COLUMN": columns[-1], "COLUMN_STEP": columns.step, "OUT_COLUMNS": len(columns),
    }  # fmt: skip


def stage(function, parameters) -> Callable[[], Block]:
    """Builder of a stage."""
    return lambda: function(
        bit(), bit(), Stream(parameters.input_bits), Stream(parameters.output_bits), activity_counts(), stage=parameters
    )
