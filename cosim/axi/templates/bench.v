{# The test bench of the AXI shell, see axi_verilog_bench.py. #}
`timescale 1ns/1ps

module bench;

reg aclk = 0, aresetn = 0;
reg [${top.width("s_axi_awaddr") - 1}:0] s_axi_awaddr, s_axi_araddr;
reg s_axi_awvalid = 0, s_axi_wvalid = 0, s_axi_bready = 0, s_axi_arvalid = 0, s_axi_rready = 0;
reg [31:0] s_axi_wdata;
reg [3:0] s_axi_wstrb;
wire s_axi_awready, s_axi_wready, s_axi_bvalid, s_axi_arready, s_axi_rvalid;
wire [1:0] s_axi_bresp, s_axi_rresp;
wire [31:0] s_axi_rdata;
reg s_axis_tvalid = 0, s_axis_tlast, m_axis_tready = 0;
wire s_axis_tready, m_axis_tvalid, m_axis_tlast;
reg [${top.width("s_axis_tdata") - 1}:0] s_axis_tdata;
wire [31:0] m_axis_tdata;

${top.name} dut (
{% for port in top.ports %}
    .${port.name}(${port.name})${"," if not loop.last}
{% endfor %}
);

{% if waves %}
initial begin
    $dumpfile("waves.fst");
    $dumpvars(0, bench);
end
{% endif %}

always #5 aclk = ~aclk;

integer stall, seed, given, send_file = 0, left = 0, send_last = 0, taking = 0, idle = 0, running = 1, cycles, idle_limit;
reg [7:0] command;
reg [31:0] address, data, strobes;
reg [1:0] response;
reg taken = 0, held = 0, held_last;
reg [31:0] held_data;

initial begin
    given = $value$plusargs("stall=%d", stall) + $value$plusargs("seed=%d", seed) + $value$plusargs("idle_limit=%d", idle_limit);
    if (given != 3) fail("a plusarg is missing");
end

task fail(input [8 * 60 - 1:0] text);
    begin
        $display("${fault_prefix}%0s, at %0d ns", text, $time / 1000);
        $fflush;
        $finish;
    end
endtask

task gap;
    while ($unsigned($random(seed)) % 256 < stall) @(posedge aclk);
endtask

// The DMA engine. It drives after the edge and looks at what the edge transferred.
always @(posedge aclk) begin
    idle = idle + 1;
    if (aresetn) begin
        if ((s_axis_tready ^ m_axis_tvalid) === 1'bx) fail("unknown handshake of a stream");
        if (held && (!m_axis_tvalid || m_axis_tdata !== held_data || m_axis_tlast !== held_last))
            fail("a result was dropped or changed before it was taken");
        held = m_axis_tvalid && !m_axis_tready;
        held_data = m_axis_tdata;
        held_last = m_axis_tlast;
        taken = s_axis_tvalid && s_axis_tready;
        if (taken) begin
            left = left - 1;
            idle = 0;
        end
        if (m_axis_tvalid && m_axis_tready) begin
            if ((^m_axis_tdata ^ m_axis_tlast) === 1'bx) fail("unknown bits in a result");
            $display("m %h", m_axis_tdata);
            if (m_axis_tlast) taking = 0;
            idle = 0;
        end
    end
    else begin
        held = 0;
        taken = 1;
    end
    #1;
    if (!s_axis_tvalid || taken) begin
        s_axis_tvalid = left > 0 && $unsigned($random(seed)) % 256 >= stall;
        s_axis_tdata = {${top.width("s_axis_tdata")}{1'bx}};
        s_axis_tlast = 1'bx;
        if (s_axis_tvalid) begin
            given = $fscanf(send_file, "%h", s_axis_tdata);
            s_axis_tlast = send_last && left == 1;
        end
    end
    m_axis_tready = taking && $unsigned($random(seed)) % 256 >= stall;
end

task read;
    fork
        begin
            gap;
            #1 s_axi_arvalid = 1; s_axi_araddr = address;
            @(posedge aclk) while (!s_axi_arready) @(posedge aclk);
            #1 s_axi_arvalid = 0; s_axi_araddr = {${top.width("s_axi_awaddr")}{1'bx}};
        end
        begin
            gap;
            #1 s_axi_rready = 1;
            @(posedge aclk) while (!s_axi_rvalid) @(posedge aclk);
            data = s_axi_rdata;
            response = s_axi_rresp;
            if ((^data ^ ^response) === 1'bx) fail("unknown bits in what a register read gave");
            #1 s_axi_rready = 0;
        end
    join
endtask

task write;
    fork
        begin
            gap;
            #1 s_axi_awvalid = 1; s_axi_awaddr = address;
            @(posedge aclk) while (!s_axi_awready) @(posedge aclk);
            #1 s_axi_awvalid = 0; s_axi_awaddr = {${top.width("s_axi_awaddr")}{1'bx}};
        end
        begin
            gap;
            #1 s_axi_wvalid = 1; s_axi_wdata = data; s_axi_wstrb = strobes;
            @(posedge aclk) while (!s_axi_wready) @(posedge aclk);
            #1 s_axi_wvalid = 0; s_axi_wdata = 32'bx; s_axi_wstrb = 4'bx;
        end
        begin
            gap;
            #1 s_axi_bready = 1;
            @(posedge aclk) while (!s_axi_bvalid) @(posedge aclk);
            response = s_axi_bresp;
            #1 s_axi_bready = 0;
        end
    join
endtask

// An access without an answer must not leave the host without one. Each begins to wait anew.
integer waited = 0;
reg accessing = 0;
always @(posedge aclk) begin
    waited = accessing ? waited + 1 : 0;
    if (waited > idle_limit) fail("the bus hangs");
end

initial begin
    repeat (4) @(posedge aclk);
    #1 aresetn = 1;
    while (running) begin
        command = "q";
        given = $fscanf(32'h8000_0000, " %c", command);
        case (command)
            "r": begin
                given = $fscanf(32'h8000_0000, "%h", address);
                accessing = 1;
                waited = 0;
                read;
                accessing = 0;
                $display("= %h %h", response, data);
            end
            "w": begin
                given = $fscanf(32'h8000_0000, "%h %h %h", address, data, strobes);
                accessing = 1;
                waited = 0;
                write;
                accessing = 0;
                $display("= %h", response);
            end
            "s": begin
                if (left > 0) fail("a transfer begins before the one before is sent");
                if (send_file != 0) $fclose(send_file);
                send_file = $fopen("send.hex", "r");
                given = $fscanf(32'h8000_0000, "%h %h", left, send_last);
                idle = 0;
                $display("=");
            end
            "e": begin
                while (left > 0 && idle < idle_limit) @(posedge aclk);
                $display("= %h", left == 0);
            end
            "a": begin
                taking = 1;
                idle = 0;
                $display("=");
            end
            "p": begin
                while (taking && idle < idle_limit) @(posedge aclk);
                $display("= %h", taking == 0);
            end
            "c": begin
                given = $fscanf(32'h8000_0000, "%h", cycles);
                repeat (cycles) @(posedge aclk);
                $display("=");
            end
            "z": begin
                given = $fscanf(32'h8000_0000, "%h", cycles);
                #1 aresetn = 0;
                left = 0;
                taking = 0;
                repeat (cycles) @(posedge aclk);
                #1 aresetn = 1;
                $display("=");
            end
            default: running = 0;
        endcase
        $fflush;
    end
    $finish;
end

endmodule
