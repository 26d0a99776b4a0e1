"""The file-driven test bench in Verilog, see bench.py.

Its text depends on the design only, so that a compiled simulation serves any run: what changes from run to run comes in as
plusargs.
"""

from __future__ import annotations

from duospike.rtl.activity import ACTIVITY_BITS, COUNTER_BITS

from .bench import DRAIN_CYCLES, FAULT, Bench


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


def plusargs(bench: Bench) -> list[str]:
    """The run's own settings on the simulation's command line."""
    settings = {
        "beats": len(bench.beats),
        "frame_beats": bench.frame_beats,
        "src_stall": bench.src_stall,
        "dst_stall": bench.dst_stall,
        "seed": bench.seed,
        "idle_limit": bench.idle_limit,
        **{f"left_{name}": beats for name, beats in bench.expected_beats.items()},
    }
    return [f"+{name}={value}" for name, value in settings.items()]


def verilog_bench(bench: Bench) -> str:
    """The bench module: each watched stream is cut out of the trace port, and has a recorder like the output's."""
    streams = tuple(bench.expected_beats)
    files = "\n".join(f'    {name}_file = $fopen("{name}.txt", "w");' for name in streams)
    declarations = "\n".join([*(f"integer {name}_file, {name}_left;" for name in streams), *_watched_wires(bench)])
    left = "".join(f'\n        + $value$plusargs("left_{name}=%d", {name}_left)' for name in streams)
    some_left = " || ".join(f"{name}_left > 0" for name in streams)
    missing = "\n".join(f'        if ({name}_left > 0) $write(", missing on {name}: %0d", {name}_left);' for name in streams)
    busy_counts = (f"counts[{low + COUNTER_BITS - 1}:{low}]" for low in range(0, bench.width("counts"), ACTIVITY_BITS))
    worked = " + ".join(busy_counts)
    trace_port = ",\n    .trace(trace)" if bench.watch else ""
    recorders = "\n".join(
        f"    if ({name}_valid && {name}_ready) begin\n"
        f'        $fdisplay({name}_file, "%0d %h", cycle, {name}_data);\n'
        f"        if ({name}_left > 0) idle = 0;\n        {name}_left = {name}_left - 1;\n    end\n"
        f"    if (({name}_valid ^ {name}_ready) === 1'bx) begin\n"
        f'        $display("{FAULT}unknown valid or ready on stream {name} at cycle %0d", cycle);\n        $finish;\n    end'
        for name in streams
    )
    waves = 'initial begin\n    $dumpfile("waves.fst");\n    $dumpvars(0, bench);\nend\n' if bench.waves else ""
    return f"""\
`timescale 1ns/1ps

module bench;

reg clk = 0, rst = 1;
reg src_valid = 0;
wire src_ready;
reg [{bench.width("src_data") - 1}:0] src_data = 0;
wire dst_valid;
reg dst_ready = 0;
wire [{bench.width("dst_data") - 1}:0] dst_data;
wire [{bench.width("counts") - 1}:0] counts;

integer beats, frame_beats, src_stall, dst_stall, seed, idle_limit;
wire [31:0] worked = {worked};
reg [31:0] worked_before = 0;
integer cycle = 0, sent = 0, idle = 0, after = 0, offered = 0, given;
integer src_file, counts_file, starts_file;
{declarations}

{bench.top.name} dut (
    .clk(clk), .rst(rst),
    .src_valid(src_valid), .src_ready(src_ready), .src_data(src_data),
    .dst_valid(dst_valid), .dst_ready(dst_ready), .dst_data(dst_data),
    .counts(counts){trace_port}
);

{waves}
initial begin
    given = $value$plusargs("beats=%d", beats) + $value$plusargs("frame_beats=%d", frame_beats)
        + $value$plusargs("src_stall=%d", src_stall) + $value$plusargs("dst_stall=%d", dst_stall)
        + $value$plusargs("seed=%d", seed) + $value$plusargs("idle_limit=%d", idle_limit){left};
    if (given != {6 + len(streams)}) begin
        $display("{FAULT}a plusarg is missing");
        $finish;
    end
    src_file = $fopen("src.hex", "r");
    counts_file = $fopen("counts.txt", "w");
    starts_file = $fopen("starts.txt", "w");
{files}
end

always #5 clk = ~clk;

// Drive after the edge, record what the edge transferred.
always @(posedge clk) if (!rst) begin
{recorders}
    if (dst_valid && dst_ready && dst_left == 0) $fdisplay(counts_file, "%0d %h", cycle + 1, counts);
    if (src_valid && src_ready) begin
        if (sent % frame_beats == 0) $fdisplay(starts_file, "%0d", cycle);
        sent = sent + 1;
        idle = 0;
    end
    if (worked !== worked_before) idle = 0;
    worked_before = worked;
    if ({some_left}) idle = idle + 1;
    else after = after + 1;
    if (after > {DRAIN_CYCLES}) $finish;
    if (idle > idle_limit) begin
        $write("{FAULT}nothing moved for %0d cycles, %0d of %0d beats sent", idle_limit, sent, beats);
{missing}
        $display("");
        $finish;
    end
    cycle = cycle + 1;
end

always @(posedge clk) begin
    #1 rst = $time < 30;
    if (!rst) begin
        if (!src_valid || sent == offered) begin
            src_valid = offered < beats && $unsigned($random(seed)) % 256 >= src_stall;
            src_data = {{{bench.width("src_data")}{{1'bx}}}};
            if (src_valid) begin
                given = $fscanf(src_file, "%h", src_data);
                offered = offered + 1;
            end
        end
        // A surplus beat must not hide behind a stall.
        dst_ready = $unsigned($random(seed)) % 256 >= dst_stall || dst_left <= 0;
    end
end

endmodule
"""
