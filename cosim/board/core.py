"""What runs on a board, ready to convert: the AXI shell of a network behind a serial line."""

from __future__ import annotations

from myhdl import Signal

from duospike.cosim.conversion.convert import Module, convert
from duospike.cosim.conversion.elaboration import one_level
from duospike.cosim.errors import CosimError
from duospike.rtl.axi_shell import AxiShell
from duospike.rtl.board_core import board_core
from duospike.rtl.packets import MAX_WORDS, MIN_DIVIDER, Line

TOP = "board_core"
TIMEOUT_SECONDS = 0.02
"""After which a packet that stops is given up: longer than any pause that a host makes within one."""
BAUD_TOLERANCE = 0.02
"""How far a whole number of clock cycles may be from a bit: what a receiver that samples in the middle takes, with a reserve for
the oscillators of both sides."""

SIMULATED_LINE = Line(divider=MIN_DIVIDER, timeout=20_000)
"""For simulations, whose cycles take long: as fast as a line can be."""


def serial_line(clock_mhz: float, baud: int) -> Line:
    """The line at a clock; CosimError where no whole number of cycles is a bit."""
    divider = round(clock_mhz * 1e6 / baud)
    fastest = int(clock_mhz * 1e6 / MIN_DIVIDER)
    if divider < MIN_DIVIDER:
        raise CosimError(f"{baud} baud at {clock_mhz:g} MHz; allowed: up to {fastest}, a bit of {MIN_DIVIDER} cycles")
    if abs(clock_mhz * 1e6 / divider / baud - 1) > BAUD_TOLERANCE:
        near = round(clock_mhz * 1e6 / divider)
        raise CosimError(f"{baud} baud at {clock_mhz:g} MHz: {divider} cycles a bit are {near} baud; allowed: a rate near that")
    return Line(divider=divider, timeout=max(16 * divider, round(clock_mhz * 1e6 * TIMEOUT_SECONDS)))


def check_result(shell: AxiShell) -> None:
    """CosimError for a network whose result does not fit a packet."""
    words = 1 + shell.readout.classes
    if words > MAX_WORDS:
        raise CosimError(f"{shell.readout.classes} classes; allowed on a board: up to {MAX_WORDS - 1}, a result is one packet")


def convert_core(shell: AxiShell, line: Line) -> tuple[Module, ...]:
    """The core in Verilog, its top last."""
    check_result(shell)
    rxd, txd = Signal(bool(1)), Signal(bool(1))
    with one_level():
        core = board_core(Signal(bool(0)), Signal(bool(0)), rxd, txd, shell=shell, line=line)
    return tuple(convert(core, TOP))
