"""The file-driven test bench: beats in from a hex file, every beat of every watched stream out to a text file.

It drives any module with the ports clk, rst, src, dst and counts. Simulators run it natively, far faster than a bench in
Python. Its files in the work folder:

    src.hex         one input beat a line
    dst.txt         one output beat a line: cycle, payload in hex
    <stream>.txt    the same for each watched stream
    starts.txt      cycle of the first beat of each frame
    counts.txt      cycles, then the activity counters in hex, at the last expected output beat

A run ends when every recorded stream has given all its expected beats, or when nothing has moved or been busy for long. Then
a beat is missing, and the fault names the streams that lack some.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, islice
from pathlib import Path
from typing import TextIO

from duospike.cosim.conversion.convert import Module
from duospike.cosim.errors import CosimError
from duospike.reference.files import write_file
from duospike.rtl.activity import ACTIVITY_BITS, COUNTER_BITS

FAULT_PREFIX = "BENCH: "
"""What the bench's own messages begin with."""
DRAIN_CYCLES = 200
"""Cycles watched after the last expected beat of any stream: a surplus beat must not go unseen."""
MAX_LINE = 2**20
"""Characters of a recorded beat."""


@dataclass(frozen=True)
class Bench:
    """What to run.

    modules: the design, its top last. beats: input words. frame_beats: beats of one frame. expected: number of output beats.
    watch: the streams in the top's trace port, in order, with the widths of their payloads; each is recorded.
    expected_watched: number of beats of each watched stream, 0 where it is not named. The last output beat may come before
    them: a pool that drops an odd last row does not wait for it. So the run goes on until all have come.
    src_stall, dst_stall: how many of 256 cycles the bench holds back its own valid and ready, at random.
    idle_limit: cycles in which no expected beat moves and no stage is busy, after which a run is given up.
    """

    modules: tuple[Module, ...]
    beats: tuple[int, ...]
    frame_beats: int
    expected: int
    watch: dict[str, int] = field(default_factory=dict)
    expected_watched: dict[str, int] = field(default_factory=dict)
    src_stall: int = 0
    dst_stall: int = 0
    seed: int = 1
    idle_limit: int = 10_000
    waves: bool = False

    @property
    def top(self) -> Module:
        return self.modules[-1]

    @property
    def expected_beats(self) -> dict[str, int]:
        """Number of beats of each recorded stream: "dst" and the watched ones."""
        return {"dst": self.expected} | {name: self.expected_watched.get(name, 0) for name in self.watch}

    @property
    def streams(self) -> tuple[str, ...]:
        """The recorded streams."""
        return ("dst", *self.watch)

    @property
    def trace_fields(self) -> list[tuple[str, int, int]]:
        """Of each watched stream its name, its lowest bit in the trace port, and the width of its payload.

        The lowest bit is valid, the next one ready; the payload follows.
        """
        lows = accumulate((width + 2 for width in self.watch.values()), initial=0)
        return [(name, low, width) for (name, width), low in zip(self.watch.items(), lows, strict=False)]

    @property
    def busy_counters(self) -> list[tuple[int, int]]:
        """Lowest and highest bit of each stage's counter of busy cycles in the port counts."""
        return [(low, low + COUNTER_BITS - 1) for low in range(0, self.width("counts"), ACTIVITY_BITS)]

    def width(self, port: str) -> int:
        """Bits of a port of the design."""
        return self.top.width(port)


@dataclass(frozen=True)
class Beat:
    """One transfer on a stream. payload: hex digits as the simulator wrote them; x or z where a bit is not known."""

    cycle: int
    payload: str

    def value(self, stream: str) -> int:
        """The payload as a number; CosimError if a bit is not known."""
        # Not int() alone: it would read an unknown second digit, "0x1", as a prefix.
        if not re.fullmatch("[0-9a-fA-F]+", self.payload):
            raise CosimError(f"stream {stream}: unknown bits in {self.payload!r} at cycle {self.cycle}")
        return int(self.payload, 16)


@dataclass(frozen=True)
class Outcome:
    """What a run gave. streams: beats of "dst" and of each watched stream. starts: cycle of each frame's first beat.

    cycles: clock cycles until the last expected output beat, or the end. activity_word: the activity counters then, 0 if it
    did not come. fault: None, or why the run ended before all expected beats had come.
    """

    streams: dict[str, list[Beat]] = field(repr=False)
    starts: list[int]
    cycles: int
    activity_word: int
    fault: str | None

    def complete(self) -> Outcome:
        """This outcome, or CosimError if the run has a fault."""
        if self.fault is not None:
            raise CosimError(self.fault)
        return self


def write_beats(bench: Bench, folder: Path):
    """Write src.hex."""
    digits = -(-bench.width("src_data") // 4)
    write_file(folder / "src.hex", "".join(f"{beat:0{digits}x}\n" for beat in bench.beats))


def read_outcome(bench: Bench, folder: Path, log: str) -> Outcome:
    """Read what the simulator wrote to `folder` and to its log."""
    streams = {name: read_beats(folder / f"{name}.txt") for name in bench.streams}
    starts = [int(line) for line in (folder / "starts.txt").read_text().split()]
    counts = (folder / "counts.txt").read_text().split()
    fault = next((line.removeprefix(FAULT_PREFIX) for line in log.splitlines() if line.startswith(FAULT_PREFIX)), None)
    if len(counts) == 2:
        return Outcome(streams, starts, int(counts[0]), Beat(int(counts[0]), counts[1]).value("counts"), fault)
    last = max((beats[-1].cycle for beats in streams.values() if beats), default=0)
    return Outcome(streams, starts, last, 0, fault or f"simulation of {bench.top.name} ended early")


def read_beats(path: Path, first: int = 0, count: int | None = None) -> list[Beat]:
    """The beats of a recorded stream, or `count` of them from number `first`; fewer where it ends before."""
    with path.open(encoding="ascii") as file:
        lines = iter(partial(_line, file), "")
        return [_beat(line) for line in islice(lines, first, None if count is None else first + count)]


def _line(file: TextIO) -> str:
    """The next line, "" at the end. ValueError: longer than a beat, as in a file without lines."""
    line = file.readline(MAX_LINE)
    if len(line) == MAX_LINE:
        raise ValueError(f"a line of {MAX_LINE} characters and more")
    return line


def _beat(line: str) -> Beat:
    cycle, payload = line.split()
    return Beat(int(cycle), payload)
