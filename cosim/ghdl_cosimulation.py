"""A block's VHDL in GHDL behind MyHDL's signals.

GHDL reads its inputs from one pipe and writes its outputs to another, a line for an exchange: the values of all ports in hex,
in the order of the entity. After each line of inputs it lets one femtosecond pass, so that all delta cycles have settled in
the line of outputs that follows. The end of its input ends it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import myhdl

from reference.files import write_file

from .convert import Module, write
from .errors import CosimError
from .ghdl import OPTIONS, analyse
from .system import require, start_program, stop_program


def ghdl_cosimulation(modules: list[Module], signals: dict, watched: dict[str, str | None], folder: Path) -> GhdlCosimulation:
    """Analyse modules in `folder` and start them in GHDL.

    signals: by port of the top, which is the last module, and `unknown`. watched: see block_run.watched_outputs().
    """
    top = modules[-1]
    files = [file.name for file in write(modules, folder)]
    write_file(folder / "bench.vhd", _bench(top, signals, watched))
    analyse([*files, "bench.vhd"], folder)
    inputs = [signals[port.name] for port in top.ports if port.direction == "input"]
    outputs = [signals[port.name] for port in top.ports if port.direction == "output"]
    return GhdlCosimulation(folder, inputs, [*outputs, signals["unknown"]])


class GhdlCosimulation(myhdl.Cosimulation):
    """The running bench as MyHDL's simulator wants to see it: it calls _get() and _put() in turn, and at the end closes _rt
    and _wf and waits for _child.

    Nothing is left of MyHDL's own class, whose messages have no end and a limited length, but its _waiter(), which sets
    _hasChange when one of _fromSigs has changed.
    """

    def __init__(self, folder: Path, inputs: list, outputs: list):
        command = [require("ghdl", "ghdl"), "--elab-run", *OPTIONS, "bench", "--ieee-asserts=disable"]
        self._rt, to_myhdl = os.pipe()
        # Not standard output, to which GHDL writes its own messages.
        command.append(f"-gshown=/dev/fd/{to_myhdl}")
        self._log = folder / "ghdl.log"
        with self._log.open("w") as log:
            child = start_program(
                command, folder, takes_input=True, stdout=log, stderr=subprocess.STDOUT, pass_fds=[to_myhdl]
            )
        os.close(to_myhdl)
        self._child = _Child(child)
        assert child.stdin
        self._wf = os.dup(child.stdin.fileno())
        child.stdin.close()
        self._fromSigs, self._outputs = inputs, outputs
        self._shown = [""] * len(outputs)
        # GHDL speaks first.
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
                raise CosimError(f"ghdl ended early: {(self._log.read_text().splitlines() or ['no output'])[0]}")
            line += part
        return line.decode()


class _Child:
    """GHDL's process as MyHDL's simulator wants to see it: it closes the pipes, then waits."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def wait(self) -> None:
        self._process.wait()
        stop_program(self._process)


def _digits(value: int, width: int) -> str:
    return f"{value % 2**width:0{-(-width // 4)}x}"


def _value(signal, digits: str) -> int:
    """The number in these hex digits; the signal's initial value, as with MyHDL's own class, if a bit is not known."""
    if "X" in digits or "Z" in digits:
        return signal._init
    value, width = int(digits, 16), len(signal)
    is_negative = signal.min is not None and signal.min < 0 and value >> (width - 1)
    return value - 2**width if is_negative else value


def _bench(top: Module, signals: dict, watched: dict[str, str | None]) -> str:
    """The entity that speaks for the ports of the design.

    Its signals have names of their own: a port may be called like a procedure, `read`.
    """
    inputs = [port for port in top.ports if port.direction == "input"]
    outputs = [port for port in top.ports if port.direction == "output"]
    ports = "\n".join(f"signal port_{port.name}: {_vector(port.width)} := (others => '0');" for port in inputs)
    ports += "".join(f"\nsignal port_{port.name}: {_vector(port.width)};" for port in outputs)
    connections = ",\n".join(f"    {_connection(port.name, port.direction, signals[port.name])}" for port in top.ports)
    checks = "\n".join(f"unknown({i}) <= {_is_unknown(name, valid)};" for i, (name, valid) in enumerate(watched.items()))
    shown = "\n".join(f"        put(port_{port.name});" for port in outputs)
    taken = "\n".join(f"        get(port_{port.name});" for port in inputs)
    return f"""\
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.textio.all;

entity bench is
    generic (shown: string);
end entity;

architecture exchange of bench is

{ports}
signal unknown: {_vector(max(1, len(watched)))} := (others => '0');

begin

dut: entity work.{top.name} port map (
{connections}
);
{checks}

exchange: process
    file shown_file: text open write_mode is shown;
    variable row: line;

    procedure put(value: std_logic_vector) is
    begin
        swrite(row, to_hstring(value) & " ");
    end procedure;

    procedure get(signal value: out std_logic_vector) is
        variable word: std_logic_vector(value'range);
    begin
        hread(row, word);
        value <= word;
    end procedure;
begin
    wait for 1 fs;
{shown}
    put(unknown);
    writeline(shown_file, row);
    flush(shown_file);
    if endfile(input) then
        wait;
    end if;
    readline(input, row);
{taken}
end process;

end architecture;
"""


def _vector(width: int) -> str:
    return f"std_logic_vector({width - 1} downto 0)"


def _connection(name: str, direction: str, signal) -> str:
    """The association of a port: of a bit by its element, of a number by a type conversion."""
    if isinstance(signal._init, bool):
        return f"{name} => port_{name}(0)"
    if direction == "output":
        return f"std_logic_vector({name}) => port_{name}"
    return f"{name} => {'signed' if signal.min < 0 else 'unsigned'}(port_{name})"


def _is_unknown(name: str, valid: str | None) -> str:
    matters = f'port_{valid} = "1" and ' if valid else ""
    return f"'1' when {matters}is_x(port_{name}) else '0'"
