"""Simulation of one block: in MyHDL's own simulator, or as its converted Verilog in Icarus behind the same signals.

Icarus runs through MyHDL's Cosimulation: the bench stays in Python, so it is for small blocks. Stages and networks run
natively, see bench.py.
"""

from __future__ import annotations

import fcntl
import inspect
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import myhdl
from myhdl import _simulator
from myhdl._block import _Block

from .convert import Module, Port, convert, signals_of, write
from .errors import CosimError
from .inspection import quick_inspection
from .system import require, run_tool

SIMULATORS = ("myhdl", "icarus")

MESSAGE_LIMIT = 4000
"""Characters of one message between MyHDL and Icarus: MyHDL's myhdl.c has a buffer of 4,096 and does not check."""


@dataclass(frozen=True, eq=False)
class Device:
    """A block with its signals, ready for simulate().

    unknown: bit i is set while output watched[i], of a stream's source or sink, holds an unknown bit that matters; MyHDL
    itself would show a 0 in its place.
    """

    instance: _Block | myhdl.Cosimulation
    watched: tuple[str, ...]
    unknown: myhdl._Signal._Signal


def place_block(function, /, simulator: str, folder: Path, vpi: Path | None = None, **arguments) -> Device:
    """The block `function(**arguments)` in one of SIMULATORS.

    folder: exists; a run in Icarus makes a folder of its own there. vpi: see build_vpi(), needed by Icarus only.
    """
    with quick_inspection():
        block = function(**arguments)
    if simulator == "myhdl":
        return Device(block, (), myhdl.Signal(myhdl.intbv(0)[1:]))
    modules = convert(block)
    top, work = modules[-1], Path(mkdtemp(dir=folder))
    _check_messages(top)
    watched = _unknown_checks(top)
    unknown = myhdl.Signal(myhdl.intbv(0)[max(1, len(watched)) :])
    files = write(modules, work)
    (work / "bench.v").write_text(_verilog(top, list(watched.values())))
    compiled, names = work / "bench.vvp", [file.name for file in files]
    run_tool([require("iverilog", "iverilog"), "-g2005", "-o", compiled.name, "-s", "bench", *names, "bench.v"], work)
    # A ROM's hex file has a relative name, and Cosimulation takes no folder to run in: a shell changes to it.
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(work), require("vvp", "iverilog"), "-n", "-m", str(vpi), compiled.name]
    bound = inspect.signature(function.func).bind(**arguments).arguments
    signals = dict(pair for key, value in bound.items() for pair in signals_of(key, value))
    return Device(myhdl.Cosimulation(command, unknown=unknown, **signals), tuple(watched), unknown)


def simulate(*instances) -> None:
    """Run MyHDL's simulator on devices' instances and generators of a bench until one raises StopSimulation."""
    simulation = myhdl.Simulation(*instances)
    try:
        simulation.run(quiet=1)
    finally:
        if not simulation._finished:
            simulation.quit()
        forget_signals()


def forget_signals() -> None:
    """Empty MyHDL's lists of all signals and blocks ever made: they only grow, and each simulation walks them."""
    _simulator._signals.clear()
    _simulator._blocks.clear()


def build_vpi(cache: Path) -> Path:
    """Path of myhdl.vpi in the folder `cache`, built there from MyHDL's sources if need be; safe in parallel runs."""
    target = cache / "myhdl.vpi"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            with TemporaryDirectory(dir=cache) as work:
                for source in vpi_sources():
                    shutil.copy(source, work)
                run_tool([require("iverilog-vpi", "iverilog"), "--name=myhdl", "myhdl.c", "myhdl_table.c"], Path(work))
                (Path(work) / "myhdl.vpi").replace(target)
    return target


def vpi_sources() -> list[Path]:
    """The C files of MyHDL's interface to Icarus, as its wheel installs them."""
    files = metadata.files("myhdl") or []
    found = [Path(file.locate()).resolve() for file in files if file.match("cosimulation/icarus/myhdl*.c")]
    sources = [file for file in found if file.name in ("myhdl.c", "myhdl_table.c") and file.is_file()]
    if len(sources) != 2:
        raise CosimError("the sources of myhdl.vpi are missing; reinstall myhdl with pip")
    return sources


def _check_messages(top: Module):
    longest = sum(len(port.name) + 2 + max(5, -(-port.width // 4)) for port in top.ports)
    if longest > MESSAGE_LIMIT:
        raise CosimError(f"{top.name}: its ports need messages of {longest} characters; allowed: {MESSAGE_LIMIT}")


def _unknown_checks(top: Module) -> dict[str, str]:
    """For each handshake output and each payload output the Verilog condition under which it is unknown and matters."""
    outputs = {port.name for port in top.ports if port.direction == "output"}
    checks = {}
    for name in sorted(outputs):
        stream, _, member = name.rpartition("_")
        if member in ("valid", "ready"):
            checks[name] = f"{name} === 1'bx || {name} === 1'bz"
        elif member == "data" and f"{stream}_valid" in outputs:
            checks[name] = f"{stream}_valid === 1'b1 && (^{name}) === 1'bx"
    return checks


def _verilog(top: Module, unknown_checks: list[str]) -> str:
    """The module through which MyHDL drives and sees the ports of the design."""
    inputs = [port for port in top.ports if port.direction == "input"]
    outputs = [port for port in top.ports if port.direction == "output"]
    bits = ", ".join(reversed(unknown_checks)) or "1'b0"
    connections = ", ".join(f".{port.name}({port.name})" for port in top.ports)
    # Without a value at time 0 Icarus would see an edge from x.
    regs = "\n".join(f"reg {_range(port)}{port.name} = 0;" for port in inputs)
    wires = "\n".join(f"wire {_range(port)}{port.name};" for port in outputs)
    return f"""\
`timescale 1ns/1ps

module bench;

{regs}
{wires}
wire [{max(1, len(unknown_checks)) - 1}:0] unknown = {{{bits}}};

initial begin
    $from_myhdl({", ".join(port.name for port in inputs)});
    $to_myhdl({", ".join(port.name for port in outputs)}, unknown);
end

{top.name} dut ({connections});

endmodule
"""


def _range(port: Port) -> str:
    return f"[{port.width - 1}:0] "
