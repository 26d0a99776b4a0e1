"""A block's VHDL in GHDL behind MyHDL's signals.

GHDL reads its inputs from one pipe and writes its outputs to another, a line for an exchange: the values of all ports in hex,
in the order of the entity. After each line of inputs it lets one femtosecond pass, so that all delta cycles have settled in
the line of outputs that follows. The end of its input ends it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.conversion.simulation import LineCosimulation
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.ghdl import OPTIONS, analyse
from duospike.cosim.system import require, start_program, stop_program
from duospike.cosim.templates import fill
from duospike.reference.files import write_file


def ghdl_cosimulation(modules: list[Module], signals: dict, watched: dict[str, str | None], folder: Path) -> LineCosimulation:
    """Analyse modules in `folder` and start them in GHDL.

    signals: by port of the top, which is the last module, and `unknown`. watched: see dut.watched_outputs().
    """
    top = modules[-1]
    files = [file.name for file in write_modules(modules, folder)]
    write_file(folder / "bench.vhd", _bench(top, signals, watched))
    analyse([*files, "bench.vhd"], folder)
    inputs = [signals[port.name] for port in top.inputs]
    outputs = [signals[port.name] for port in top.outputs]
    return _start(folder, inputs, [*outputs, signals["unknown"]])


def _start(folder: Path, inputs: list, outputs: list) -> LineCosimulation:
    command = [require("ghdl", "ghdl"), "--elab-run", *OPTIONS, "bench", "--ieee-asserts=disable"]
    shown, to_myhdl = os.pipe()
    # Not standard output, to which GHDL writes its own messages.
    command.append(f"-gshown=/dev/fd/{to_myhdl}")
    log = folder / "ghdl.log"
    with log.open("w") as file:
        child = start_program(command, folder, takes_input=True, stdout=file, stderr=subprocess.STDOUT, pass_fds=[to_myhdl])
    os.close(to_myhdl)
    assert child.stdin
    taken = os.dup(child.stdin.fileno())
    child.stdin.close()

    def ended() -> CosimError:
        return CosimError(f"ghdl ended early: {(log.read_text().splitlines() or ['no output'])[0]}")

    return LineCosimulation(_Child(child), shown, taken, inputs, outputs, ended)


class _Child:
    """GHDL's process with the methods that MyHDL's simulator expects: it closes the pipes, then waits."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def wait(self) -> None:
        self._process.wait()
        stop_program(self._process)


def _bench(top: Module, signals: dict, watched: dict[str, str | None]) -> str:
    """The entity that exchanges the values of the design's ports.

    Its signals have names of their own: a port may be called like a procedure, `read`.
    """
    connections = [_connection(port.name, port.direction, signals[port.name]) for port in top.ports]
    return fill("duospike.cosim.block_simulation", "bench.vhd", top=top, watched=watched, connections=connections)


def _connection(name: str, direction: str, signal) -> str:
    """The association of a port: of a bit by its element, of a number by a type conversion."""
    if isinstance(signal._init, bool):
        return f"{name} => port_{name}(0)"
    if direction == "output":
        return f"std_logic_vector({name}) => port_{name}"
    return f"{name} => {'signed' if signal.min < 0 else 'unsigned'}(port_{name})"
