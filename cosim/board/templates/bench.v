{# The test bench of a board, see simulated_port.py. #}
`timescale 1ns/1ps

module bench;

reg clk = 0;
reg rst = 1;
reg rxd = 1;
wire txd;
reg [63:0] cycle = 0;

${top} dut (${connections});

always #5 clk = !clk;
always @(posedge clk) cycle <= cycle + 1;

// Bytes from the board, each with the cycle in which its start bit came.
localparam DIVIDER = ${divider};
integer received = 0;
integer quiet = 0;
integer timer = 0;
integer place = 0;
reg listening = 0;
reg [7:0] bits;
reg [63:0] began;

always @(posedge clk) begin
    quiet = quiet + 1;
    if (!rst && txd === 1'bx) begin
        $display("${fault_prefix}unknown bit on txd, at %0t", $time);
        $fflush;
        $finish;
    end
    if (!listening) begin
        if (!rst && !txd) begin
            listening = 1;
            began = cycle;
            timer = DIVIDER / 2;
            place = 0;
        end
    end
    else if (timer > 0) timer = timer - 1;
    else begin
        timer = DIVIDER - 1;
        if (place > 0 && place < 9) bits = {txd, bits[7:1]};
        if (place == 9) begin
            $display("r %h %0d", bits, began);
            received = received + 1;
            listening = 0;
            quiet = 0;
        end
        place = place + 1;
    end
end

reg running = 1;
reg [7:0] command;
reg [31:0] count, octet, limit;
integer given, i, k;

// Inputs change after an edge, so that the board takes all simulators' in one order.
task pass(input [31:0] cycles);
    begin
        repeat (cycles) @(posedge clk);
        #1;
    end
endtask

task send(input [7:0] data);
    begin
        rxd = 0;
        pass(DIVIDER);
        for (k = 0; k < 8; k = k + 1) begin
            rxd = data[k];
            pass(DIVIDER);
        end
        rxd = 1;
        pass(DIVIDER);
    end
endtask

initial begin
    // As long as a board holds itself in reset.
    pass(20);
    rst = 0;
    while (running) begin
        command = "q";
        given = $fscanf(32'h8000_0000, " %c", command);
        case (command)
            // Send bytes, one behind the other.
            "t": begin
                given = $fscanf(32'h8000_0000, "%h", count);
                for (i = 0; i < count; i = i + 1) begin
                    given = $fscanf(32'h8000_0000, "%h", octet);
                    send(octet[7:0]);
                end
                quiet = 0;
            end
            // Run until so many bytes have come in all, or none for so long; a board that sends for ever is given up.
            "g": begin
                given = $fscanf(32'h8000_0000, "%h %h", count, limit);
                quiet = 0;
                for (i = 0; received < count && quiet < limit && i < 64 * limit; i = i + 1) pass(1);
            end
            // Hold the line low for some cycles, then high.
            "b": begin
                given = $fscanf(32'h8000_0000, "%h", count);
                rxd = 0;
                pass(count);
                rxd = 1;
            end
            // Reset the board.
            "z": begin
                given = $fscanf(32'h8000_0000, "%h", count);
                rst = 1;
                pass(count);
                rst = 0;
            end
            default: running = 0;
        endcase
        $display("=");
        $fflush;
    end
    $finish;
end

endmodule
