"""Simulation of one block: in MyHDL's own simulator, or as its converted Verilog or VHDL behind the same signals.

Icarus and GHDL run through MyHDL's Cosimulation: the bench stays in Python, so it is for small blocks. Stages and networks
run natively, see bench.py.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import myhdl

from duospike.cosim.conversion.convert import Module, convert, signals_of
from duospike.cosim.conversion.elaboration import quick_inspection
from duospike.cosim.conversion.internals import AnySignal, Block

from .ghdl_cosimulation import ghdl_cosimulation
from .icarus_cosimulation import build_vpi, icarus_cosimulation

SIMULATORS = ("myhdl", "icarus", "ghdl")


@dataclass(frozen=True, eq=False)
class Dut:
    """A block with its signals, ready for conversion.simulation.simulate().

    unknown: bit i is set while output watched[i], of a stream's source or sink, holds an unknown bit that matters; MyHDL
    itself would show a 0 in its place. Verilog carries an unknown bit on through conditions; in VHDL MyHDL's bool() and the
    comparisons take it for false, so that it comes out only by itself.
    """

    instance: Block | myhdl.Cosimulation
    watched: tuple[str, ...]
    unknown: AnySignal


def instantiate(function, /, simulator: str, folder: Path, vpi: Path | None = None, **arguments) -> Dut:
    """The block `function(**arguments)` in one of SIMULATORS.

    folder: exists; a run outside MyHDL makes a folder of its own there. vpi: what Icarus needs, see build_vpi(); built
    if None.
    """
    with quick_inspection():
        block = function(**arguments)
    if simulator == "myhdl":
        return Dut(block, (), myhdl.Signal(myhdl.intbv(0)[1:]))
    bound = inspect.signature(function.func).bind(**arguments).arguments
    signals = dict(pair for key, value in bound.items() for pair in signals_of(key, value))
    modules = convert(block, language="vhdl" if simulator == "ghdl" else "verilog")
    watched, work = watched_outputs(modules[-1]), Path(mkdtemp(dir=folder))
    unknown = myhdl.Signal(myhdl.intbv(0)[max(1, len(watched)) :])
    signals["unknown"] = unknown
    if simulator == "ghdl":
        instance = ghdl_cosimulation(modules, signals, watched, work)
    else:
        instance = icarus_cosimulation(modules, signals, watched, work, vpi or build_vpi(work))
    return Dut(instance, tuple(watched), unknown)


def watched_outputs(top: Module) -> dict[str, str | None]:
    """Outputs of streams whose unknown bits matter: valid and ready always, a payload while the output that is its value is 1."""
    outputs = {port.name for port in top.ports if port.direction == "output"}
    watched: dict[str, str | None] = {}
    for name in sorted(outputs):
        stream, _, member = name.rpartition("_")
        if member in ("valid", "ready"):
            watched[name] = None
        elif member == "data" and f"{stream}_valid" in outputs:
            watched[name] = f"{stream}_valid"
    return watched
