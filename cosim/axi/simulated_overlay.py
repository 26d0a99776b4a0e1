"""The AXI shell in a simulator behind the interface that PYNQ gives to a bitstream: the same host code runs against either."""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.bench import FAULT_PREFIX
from duospike.cosim.simulation.ghdl import OPTIONS, analyse
from duospike.cosim.system import require, run_tool, start_program, stop_program
from duospike.reference.files import write_file

from .axi_verilog_bench import IDLE_LIMIT, axi_verilog_bench
from .axi_vhdl_bench import axi_vhdl_bench

RESPONSES = {0: "OKAY", 2: "SLVERR", 3: "DECERR"}


class BusError(CosimError):
    """An access that was answered with SLVERR or DECERR; on a board the processor would see a bus error."""


def _prepare_icarus(modules: tuple[Module, ...], folder: Path, settings: dict[str, int], waves: bool) -> list[str]:
    """Compile the shell and its bench; returns the command that runs them."""
    files = [file.name for file in write_modules(list(modules), folder)]
    write_file(folder / "bench.v", axi_verilog_bench(modules[-1], waves))
    run_tool([require("iverilog", "iverilog"), "-g2005", "-o", "bench.vvp", "-s", "bench", *files, "bench.v"], folder)
    plusargs = [f"+{name}={value}" for name, value in settings.items()]
    return [require("vvp", "iverilog"), "-n", "bench.vvp", *plusargs, *(["-fst"] if waves else [])]


def _prepare_ghdl(modules: tuple[Module, ...], folder: Path, settings: dict[str, int], waves: bool) -> list[str]:
    """The same of VHDL."""
    files = [file.name for file in write_modules(list(modules), folder)]
    write_file(folder / "bench.vhd", axi_vhdl_bench(modules[-1]))
    analyse([*files, "bench.vhd"], folder)
    generics = [f"-g{name}={value}" for name, value in settings.items()]
    run = [require("ghdl", "ghdl"), "--elab-run", *OPTIONS, "bench", "--ieee-asserts=disable", *generics]
    return [*run, *(["--fst=waves.fst"] if waves else [])]


Preparation = Callable[[tuple[Module, ...], Path, dict[str, int], bool], list[str]]
PREPARATIONS: dict[str, Preparation] = {"icarus": _prepare_icarus, "ghdl": _prepare_ghdl}
"""By simulator what prepares a run in a folder and gives the command for it."""


class SimulatedOverlay:
    """A running simulation of the shell.

    ip: registers, like a DefaultIP of PYNQ: read(offset), write(offset, value). dma: like PYNQ's DMA driver: sendchannel and
    recvchannel, each with transfer(buffer) and wait(). allocate: like pynq.allocate. It is a context manager; CosimError if
    the simulation finds a fault.
    """

    allocate = staticmethod(np.zeros)

    def __init__(self, modules: tuple[Module, ...], folder: Path, *, simulator: str = "icarus", stall: int = 0, seed: int = 1,
                 waves: bool = False, idle_limit: int = IDLE_LIMIT):  # fmt: skip
        """modules: the shell, its top last, in the language of the simulator. simulator: one of PREPARATIONS. folder: exists, and
        is filled with the files of the run. stall: how many of 256 cycles each side of each channel is held back, at random."""
        self.folder = folder
        command = PREPARATIONS[simulator](modules, folder, {"stall": stall, "seed": seed, "idle_limit": idle_limit}, waves)
        self._process = start_program(command, folder, takes_input=True, stdout=subprocess.PIPE, text=True)
        self._words: deque[int] = deque()
        self.ip = _Registers(self)
        self.dma = _Dma(self, next(port.width for port in modules[-1].ports if port.name == "s_axis_tdata") // 8)

    def __enter__(self) -> SimulatedOverlay:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """End the simulation."""
        self._process.communicate()
        stop_program(self._process)

    def run(self, cycles: int) -> None:
        """Let time pass."""
        self.command(f"c {cycles:08x}")

    def reset(self, cycles: int) -> None:
        """Hold aresetn low; what the DMA engine is sending or taking it gives up."""
        self.command(f"z {cycles:08x}")
        self._words.clear()

    def command(self, line: str) -> list[int]:
        """Give the bench a command; returns the numbers of its answer."""
        assert self._process.stdin and self._process.stdout
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise CosimError("the simulation of the shell has ended") from None
        for answer in self._process.stdout:
            if answer.startswith(FAULT_PREFIX):
                raise CosimError(answer.removeprefix(FAULT_PREFIX).strip())
            kind, *numbers = answer.split() or [""]
            if kind == "m":
                self._words.append(int(numbers[0], 16))
            if kind == "=":
                return [int(number, 16) for number in numbers]
        raise CosimError("the simulation of the shell ended without an answer")

    def received(self) -> list[int]:
        """The words of results that have come since the last call."""
        words = list(self._words)
        self._words.clear()
        return words


class _Registers:
    def __init__(self, overlay: SimulatedOverlay):
        self._overlay = overlay

    def read(self, offset: int) -> int:
        response, data = self._overlay.command(f"r {offset:08x}")
        _check(response, f"read of {offset:#x}")
        return data

    def write(self, offset: int, value: int, strobes: int = 0b1111) -> None:
        (response,) = self._overlay.command(f"w {offset:08x} {value:08x} {strobes:x}")
        _check(response, f"write to {offset:#x}")


def _check(response: int, access: str) -> None:
    if response != 0:
        raise BusError(f"{access} was answered with {RESPONSES.get(response, response)}")


class _SendChannel:
    def __init__(self, overlay: SimulatedOverlay, beat_bytes: int):
        self._overlay, self._beat_bytes = overlay, beat_bytes

    def transfer(self, buffer: np.ndarray, last: bool = True) -> None:
        """Begin to send a buffer as one packet; last: with TLAST, as DMA engines do."""
        beats = buffer.tobytes()
        size = self._beat_bytes
        if len(beats) % size:
            raise CosimError(f"a transfer of {len(beats)} bytes; allowed: a multiple of {size}, the width of the stream")
        lines = (beats[i : i + size][::-1].hex() for i in range(0, len(beats), size))
        write_file(self._overlay.folder / "send.hex", "".join(f"{line}\n" for line in lines))
        self._overlay.command(f"s {len(beats) // size:08x} {int(last)}")

    def wait(self) -> None:
        """Run until the transfer is sent."""
        if self._overlay.command("e") != [1]:
            raise CosimError("the core takes no further beat of the image")


class _ReceiveChannel:
    def __init__(self, overlay: SimulatedOverlay):
        self._overlay = overlay
        self._buffer: np.ndarray | None = None

    def transfer(self, buffer: np.ndarray) -> None:
        """Begin to take one packet into a buffer of 32-bit words."""
        self._buffer = buffer
        self._overlay.command("a")

    def wait(self) -> None:
        """Run until the packet has come."""
        assert self._buffer is not None
        if self._overlay.command("p") != [1]:
            raise CosimError("no result comes")
        words = self._overlay.received()
        if len(words) != len(self._buffer):
            raise CosimError(f"a result of {len(words)} words; expected: {len(self._buffer)}")
        self._buffer[:] = words


class _Dma:
    def __init__(self, overlay: SimulatedOverlay, beat_bytes: int):
        self.sendchannel, self.recvchannel = _SendChannel(overlay, beat_bytes), _ReceiveChannel(overlay)
