"""The file-driven test bench in Verilog, see bench.py."""

from __future__ import annotations

from rtl.activity import ACTIVITY_BITS, COUNTER_BITS

from .bench import FAULT, QUIET_CYCLES, Bench


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


def verilog_bench(bench: Bench) -> str:
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
