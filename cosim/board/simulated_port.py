"""A board in a simulator behind the interface of a serial port: the host's program runs with it as with a board."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.bench import FAULT_PREFIX
from duospike.cosim.simulation.verilator import compiled
from duospike.cosim.system import require, run_tool, start_program, stop_program
from duospike.cosim.templates import fill
from duospike.reference.files import write_file
from duospike.rtl.packets import Line

SIMULATORS = ("icarus", "verilator")
CORE_PINS = {"clk": "clk", "rst": "rst", "rxd": "rxd", "txd": "txd"}
"""Ports of the core by what the bench has for them."""
BOARD_PINS = {"clk": "clk_pin", "rxd": "rxd_pin", "txd": "txd_pin"}
"""The same of a board's top level, which makes its reset itself."""


@contextmanager
def simulated_board(
    modules: Sequence[Module], line: Line, folder: Path, simulator: str = "icarus", pins: dict[str, str] | None = None
) -> Iterator[SimulatedPort]:
    """A running simulation of a board in an existing folder, which is filled with its files.

    modules: of the board's core, the top last. pins: the top's ports by what the bench has for them, see CORE_PINS.
    simulator: one of SIMULATORS.
    """
    connections = ", ".join(f".{port}({name})" for name, port in (pins or CORE_PINS).items())
    files = write_modules(list(modules), folder)
    bench = folder / "bench.v"
    text = fill(
        "duospike.cosim.board", "bench.v", top=modules[-1].name, connections=connections, divider=line.divider,
        fault_prefix=FAULT_PREFIX,
    )  # fmt: skip
    write_file(bench, text)
    with _program([*files, bench], folder, simulator) as command:
        port = SimulatedPort(command, folder, line)
        try:
            yield port
        finally:
            port.end()


@contextmanager
def _program(files: list[Path], folder: Path, simulator: str) -> Iterator[list[str]]:
    """Compile; gives the command that runs the simulation."""
    if simulator == "verilator":
        with compiled(files, waves=False) as program:
            yield [str(program)]
        return
    names = [file.name for file in files]
    run_tool([require("iverilog", "iverilog"), "-g2005", "-o", "bench.vvp", "-s", "bench", *names], folder)
    yield [require("vvp", "iverilog"), "-n", "bench.vvp"]


class SimulatedPort:
    """The serial line of a simulated board: a link.Port. Time passes only while something is asked of it.

    log: the bytes that the board has sent, each with the cycle of its start bit.
    """

    def __init__(self, command: list[str], folder: Path, line: Line):
        self._process = start_program(command, folder, takes_input=True, stdout=subprocess.PIPE, text=True)
        self._line, self._read = line, 0
        self.log: list[tuple[int, int]] = []

    @property
    def patience(self) -> int:
        """Cycles after which no answer comes any more: a request is given up after one time-out."""
        return 2 * self._line.timeout + 100 * self._line.divider

    def write(self, data: bytes) -> None:
        self.command(f"t {len(data):x} {data.hex(' ')}")

    def read(self, count: int) -> bytes:
        wanted = self._read + count
        if len(self.log) < wanted:
            self.command(f"g {wanted:x} {self.patience:x}")
        data = bytes(octet for octet, _ in self.log[self._read : wanted])
        self._read += len(data)
        return data

    def settle(self) -> None:
        self.command(f"g {2**31 - 1:x} {self.patience:x}")
        self._read = len(self.log)

    def hold_low(self, cycles: int) -> None:
        """A glitch, or a break if it is longer than a byte."""
        self.command(f"b {cycles:x}")

    def reset(self, cycles: int = 4) -> None:
        """Reset the board."""
        self.command(f"z {cycles:x}")

    def command(self, line: str) -> None:
        """Give the bench a command, and collect what the board sends meanwhile."""
        assert self._process.stdin and self._process.stdout
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise CosimError("the simulation of the board has ended") from None
        for answer in self._process.stdout:
            if answer.startswith(FAULT_PREFIX):
                raise CosimError(answer.removeprefix(FAULT_PREFIX).strip())
            kind, *numbers = answer.split() or [""]
            if kind == "r":
                self.log.append((int(numbers[0], 16), int(numbers[1])))
            if kind == "=":
                return
        raise CosimError("the simulation of the board ended without an answer")

    def close(self) -> None:
        """As a board, the simulation goes on when its port is closed."""

    def end(self) -> None:
        """End the simulation."""
        stop_program(self._process)
