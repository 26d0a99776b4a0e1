{# The file-driven test bench, see bench.py and verilog_bench.py. #}
`timescale 1ns/1ps

module bench;

reg clk = 0, rst = 1;
reg src_valid = 0;
wire src_ready;
reg [${bench.width("src_data") - 1}:0] src_data = 0;
wire dst_valid;
reg dst_ready = 0;
wire [${bench.width("dst_data") - 1}:0] dst_data;
wire [${bench.width("counts") - 1}:0] counts;

integer beats, frame_beats, src_stall, dst_stall, seed, idle_limit;
wire [31:0] worked = {% for low, high in bench.busy_counters %}counts[${high}:${low}]${" + " if not loop.last}{% endfor %};
reg [31:0] worked_before = 0;
integer cycle = 0, sent = 0, idle = 0, after = 0, offered = 0, given;
integer src_file, counts_file, starts_file;
{% for name in bench.streams %}
integer ${name}_file, ${name}_left;
{% endfor %}
{% if bench.watch %}
wire [${bench.width("trace") - 1}:0] trace;
{% endif %}
{% for name, low, width in bench.trace_fields %}
wire ${name}_valid = trace[${low}];
wire ${name}_ready = trace[${low + 1}];
wire [${width - 1}:0] ${name}_data = trace[${low + width + 1}:${low + 2}];
{% endfor %}

${bench.top.name} dut (
    .clk(clk), .rst(rst),
    .src_valid(src_valid), .src_ready(src_ready), .src_data(src_data),
    .dst_valid(dst_valid), .dst_ready(dst_ready), .dst_data(dst_data),
    .counts(counts)${",\n    .trace(trace)" if bench.watch}
);

{% if bench.waves %}
initial begin
    $dumpfile("waves.fst");
    $dumpvars(0, bench);
end
{% endif %}

initial begin
    given = $value$plusargs("beats=%d", beats) + $value$plusargs("frame_beats=%d", frame_beats)
        + $value$plusargs("src_stall=%d", src_stall) + $value$plusargs("dst_stall=%d", dst_stall)
        + $value$plusargs("seed=%d", seed) + $value$plusargs("idle_limit=%d", idle_limit)
{%- for name in bench.streams %}

        + $value$plusargs("left_${name}=%d", ${name}_left)
{%- endfor %};
    if (given != ${6 + bench.streams | length}) begin
        $display("${fault_prefix}a plusarg is missing");
        $finish;
    end
    src_file = $fopen("src.hex", "r");
    counts_file = $fopen("counts.txt", "w");
    starts_file = $fopen("starts.txt", "w");
{% for name in bench.streams %}
    ${name}_file = $fopen("${name}.txt", "w");
{% endfor %}
end

always #5 clk = ~clk;

// Drive after the edge, record what the edge transferred.
always @(posedge clk) if (!rst) begin
{% for name in bench.streams %}
    if (${name}_valid && ${name}_ready) begin
        $fdisplay(${name}_file, "%0d %h", cycle, ${name}_data);
        if (${name}_left > 0) idle = 0;
        ${name}_left = ${name}_left - 1;
    end
    if ((${name}_valid ^ ${name}_ready) === 1'bx) begin
        $display("${fault_prefix}unknown valid or ready on stream ${name} at cycle %0d", cycle);
        $finish;
    end
{% endfor %}
    if (dst_valid && dst_ready && dst_left == 0) $fdisplay(counts_file, "%0d %h", cycle + 1, counts);
    if (src_valid && src_ready) begin
        if (sent % frame_beats == 0) $fdisplay(starts_file, "%0d", cycle);
        sent = sent + 1;
        idle = 0;
    end
    if (worked !== worked_before) idle = 0;
    worked_before = worked;
    if ({% for name in bench.streams %}${name}_left > 0${" || " if not loop.last}{% endfor %}) idle = idle + 1;
    else after = after + 1;
    if (after > ${drain_cycles}) $finish;
    if (idle > idle_limit) begin
        $write("${fault_prefix}nothing moved for %0d cycles, %0d of %0d beats sent", idle_limit, sent, beats);
{% for name in bench.streams %}
        if (${name}_left > 0) $write(", missing on ${name}: %0d", ${name}_left);
{% endfor %}
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
            src_data = {${bench.width("src_data")}{1'bx}};
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
