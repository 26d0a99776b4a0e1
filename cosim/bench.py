"""The file-driven test bench: beats in from a hex file, every beat of every watched stream out to a text file.

It drives any module with the ports clk, rst, src, dst and counts. Simulators run it natively, far faster than a bench in
Python. Its files in the work folder:

    src.hex         one input beat a line
    dst.txt         one output beat a line: cycle, payload in hex
    <stream>.txt    the same for each watched stream
    starts.txt      cycle of the first beat of each frame
    counts.txt      cycles, then the activity counters in hex, at the last expected output beat
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from rtl.activity import ACTIVITY_BITS, COUNTER_BITS

from .convert import Module
from .errors import CosimError

FAULT = "BENCH: "
"""What the bench's own messages begin with."""
QUIET_CYCLES = 200
"""Cycles watched after the last expected beat: a surplus beat must not go unseen."""


@dataclass(frozen=True)
class Bench:
    """What to run.

    modules: the design, its top last. beats: input words. frames: beats of one frame. expected: number of output beats.
    watch: the streams in the top's trace port, in order, with the widths of their payloads; each is recorded.
    src_stall, dst_stall: how many of 256 cycles the bench holds back its own valid and ready, at random.
    patience: cycles in which no beat moves and no stage is busy, after which a run is given up.
    """

    modules: tuple[Module, ...]
    beats: tuple[int, ...]
    frame_beats: int
    expected: int
    watch: dict[str, int] = field(default_factory=dict)
    src_stall: int = 0
    dst_stall: int = 0
    seed: int = 1
    patience: int = 10_000
    waves: bool = False

    @property
    def top(self) -> Module:
        return self.modules[-1]

    def width(self, port: str) -> int:
        return next(p.width for p in self.top.ports if p.name == port)


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

    cycles: clock cycles until the last expected beat, or the end. counts: the activity counters then, 0 if it did not come.
    fault: None, or why the run ended before all expected beats had come.
    """

    streams: dict[str, list[Beat]] = field(repr=False)
    starts: list[int]
    cycles: int
    counts: int
    fault: str | None

    def complete(self) -> Outcome:
        """This outcome, or CosimError if the run has a fault."""
        if self.fault is not None:
            raise CosimError(self.fault)
        return self


def write_inputs(bench: Bench, folder: Path):
    """Write src.hex and the bench module bench.v."""
    digits = -(-bench.width("src_data") // 4)
    (folder / "src.hex").write_text("".join(f"{beat:0{digits}x}\n" for beat in bench.beats))
    (folder / "bench.v").write_text(_verilog(bench))


def read_outcome(bench: Bench, folder: Path, log: str) -> Outcome:
    """Read what the simulator wrote to `folder` and to its log."""
    names = ("dst", *bench.watch)
    streams = {name: [_beat(line) for line in (folder / f"{name}.txt").read_text().splitlines()] for name in names}
    starts = [int(line) for line in (folder / "starts.txt").read_text().split()]
    counts = (folder / "counts.txt").read_text().split()
    fault = next((line.removeprefix(FAULT) for line in log.splitlines() if line.startswith(FAULT)), None)
    if len(counts) == 2:
        return Outcome(streams, starts, int(counts[0]), Beat(int(counts[0]), counts[1]).value("counts"), fault)
    last = max((beats[-1].cycle for beats in streams.values() if beats), default=0)
    return Outcome(streams, starts, last, 0, fault or f"simulation of {bench.top.name} ended early")


def _beat(line: str) -> Beat:
    cycle, payload = line.split()
    return Beat(int(cycle), payload)


def _watched_wires(bench: Bench) -> list[str]:
    """Declarations of the signals of each watched stream."""
    if not bench.watch:
        return []
    lines, low = [f"wire [{bench.width('trace') - 1}:0] trace;"], 0
    for name, width in bench.watch.items():
        lines += [
            f"wire {name}_valid = trace[{low}];",
            f"wire {name}_ready = trace[{low + 1}];",
            f"wire [{width - 1}:0] {name}_data = trace[{low + width + 1}:{low + 2}];",
        ]
        low += width + 2
    return lines


def _verilog(bench: Bench) -> str:
    """The bench module: each watched stream is cut out of the trace port, and has a recorder like the output's."""
    streams = ("dst", *bench.watch)
    files = "\n".join(f'    {name}_file = $fopen("{name}.txt", "w");' for name in streams)
    declarations = "\n".join([*(f"integer {name}_file;" for name in streams), *_watched_wires(bench)])
    busy_counts = (f"counts[{low + COUNTER_BITS - 1}:{low}]" for low in range(0, bench.width("counts"), ACTIVITY_BITS))
    worked = " + ".join(busy_counts)
    trace_port = ",\n    .trace(trace)" if bench.watch else ""
    recorders = "\n".join(
        f"    if ({name}_valid && {name}_ready) begin\n"
        f'        $fdisplay({name}_file, "%0d %h", cycle, {name}_data);\n'
        f"        quiet = 0;\n    end\n"
        f"    if (({name}_valid ^ {name}_ready) === 1'bx) begin\n"
        f'        $display("{FAULT}unknown valid or ready on stream {name} at cycle %0d", cycle);\n        $finish;\n    end'
        for name in streams
    )
    waves = 'initial begin\n    $dumpfile("waves.fst");\n    $dumpvars(0, bench);\nend\n' if bench.waves else ""
    return f"""\
`timescale 1ns/1ps

module bench;

localparam BEATS = {len(bench.beats)};
localparam FRAME = {bench.frame_beats};
localparam EXPECTED = {bench.expected};

reg clk = 0, rst = 1;
reg src_valid = 0;
wire src_ready;
reg [{bench.width("src_data") - 1}:0] src_data = 0;
wire dst_valid;
reg dst_ready = 0;
wire [{bench.width("dst_data") - 1}:0] dst_data;
wire [{bench.width("counts") - 1}:0] counts;

reg [{bench.width("src_data") - 1}:0] beats [0:BEATS-1];
integer seed = {bench.seed};
wire [31:0] worked = {worked};
reg [31:0] worked_before = 0;
integer cycle = 0, sent = 0, received = 0, quiet = 0, after = 0, next;
integer counts_file, starts_file;
{declarations}

{bench.top.name} dut (
    .clk(clk), .rst(rst),
    .src_valid(src_valid), .src_ready(src_ready), .src_data(src_data),
    .dst_valid(dst_valid), .dst_ready(dst_ready), .dst_data(dst_data),
    .counts(counts){trace_port}
);

{waves}
initial begin
    $readmemh("src.hex", beats);
    counts_file = $fopen("counts.txt", "w");
    starts_file = $fopen("starts.txt", "w");
{files}
end

always #5 clk = ~clk;

// Drive after the edge, record what the edge transferred.
always @(posedge clk) if (!rst) begin
{recorders}
    if (dst_valid && dst_ready) begin
        received = received + 1;
        if (received == EXPECTED) $fdisplay(counts_file, "%0d %h", cycle + 1, counts);
    end
    if (src_valid && src_ready) begin
        if (sent % FRAME == 0) $fdisplay(starts_file, "%0d", cycle);
        sent = sent + 1;
        quiet = 0;
    end
    if (worked !== worked_before) quiet = 0;
    worked_before = worked;
    if (received >= EXPECTED) after = after + 1;
    else quiet = quiet + 1;
    if (after > {QUIET_CYCLES}) $finish;
    if (quiet > {bench.patience}) begin
        $display("{FAULT}nothing moved for {bench.patience} cycles, %0d of %0d beats sent, %0d of %0d received",
            sent, BEATS, received, EXPECTED);
        $finish;
    end
    cycle = cycle + 1;
end

always @(posedge clk) begin
    #1 rst = $time < 30;
    if (!rst) begin
        if (!src_valid || sent > next) begin
            next = sent;
            src_valid = sent < BEATS && $unsigned($random(seed)) % 256 >= {bench.src_stall};
            src_data = src_valid ? beats[sent] : {{{bench.width("src_data")}{{1'bx}}}};
        end
        dst_ready = $unsigned($random(seed)) % 256 >= {bench.dst_stall};
    end
end

endmodule
"""
