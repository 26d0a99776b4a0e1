{# What of a routed netlist Yosys' models of the cells lack, see routed.py. #}
// The PLL as a wire: in a simulation the core's clock is the board's.
module EHXPLLL (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
    output CLKOP, LOCK, CLKINTFB
);
{% for name in ("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE", "DPHASE_SOURCE", "OUTDIVIDER_MUXA", "OUTDIVIDER_MUXB",
                "OUTDIVIDER_MUXC", "OUTDIVIDER_MUXD", "CLKOP_ENABLE", "FEEDBK_PATH") %}
    parameter ${name} = "";
{% endfor %}
{% for name in ("CLKI_DIV", "CLKOP_DIV", "CLKOP_CPHASE", "CLKOP_FPHASE", "CLKFB_DIV") %}
    parameter ${name} = 0;
{% endfor %}
    assign CLKOP = CLKI;
    assign LOCK = 1'b1;
    assign CLKINTFB = 1'b0;
endmodule
{% if routed %}

module PAD_IN (input B, output O);
    assign O = B;
endmodule

module PAD_OUT (input I, output B);
    assign B = I;
endmodule

module DCCA (input CLKI, CE, output CLKO);
    assign CLKO = CLKI;
endmodule

// Where the write port of LUT RAMs comes from.
module TRELLIS_RAMW (
    input A0, B0, C0, D0, A1, B1, C1, D1,
    output WDO0, WDO1, WDO2, WDO3, WADO0, WADO1, WADO2, WADO3
);
    assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
    assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
endmodule

// A multiplier without registers.
module MULT18X18D (
{% for name in ("A", "B") %}
    input {% for i in range(18) %}${name}${i}, {% endfor %}SIGNED${name}, SOURCE${name},
{% endfor %}
    input CLK0, CLK1, CLK2, CLK3, CE0, CE1, CE2, CE3, RST0, RST1, RST2, RST3,
    output {% for i in range(36) %}P${i}${", " if not loop.last}{% endfor %}
);
    wire signed [18:0] a = {SIGNEDA & A17, {% for i in range(17, -1, -1) %}A${i}${", " if not loop.last}{% endfor %}};
    wire signed [18:0] b = {SIGNEDB & B17, {% for i in range(17, -1, -1) %}B${i}${", " if not loop.last}{% endfor %}};
    wire signed [37:0] product = a * b;
    assign ${"{"}{% for i in range(35, -1, -1) %}P${i}${", " if not loop.last}{% endfor %}} = product[35:0];
endmodule

// A block RAM with registered outputs and no second registers, in widths of 9, 18 and 36 bits.
module DP16KD (
{% for side in ("A", "B") %}
    input {% for i in range(18) %}DI${side}${i}, {% endfor %}{% for i in range(14) %}AD${side}${i}, {% endfor %}

    input CLK${side}, CE${side}, OCE${side}, WE${side}, RST${side}, CS${side}0, CS${side}1, CS${side}2,
    output {% for i in range(18) %}DO${side}${i}${", " if not loop.last}{% endfor %}${"," if side == "A"}

{% endfor %}
);
    parameter DATA_WIDTH_A = 18;
    parameter DATA_WIDTH_B = 18;
    parameter REGMODE_A = "NOREG";
    parameter REGMODE_B = "NOREG";
    parameter RESETMODE = "SYNC";
    parameter ASYNC_RESET_RELEASE = "SYNC";
    parameter CSDECODE_A = "0b000";
    parameter CSDECODE_B = "0b000";
    parameter WRITEMODE_A = "NORMAL";
    parameter WRITEMODE_B = "NORMAL";
    parameter GSR = "DISABLED";
{% for i in range(64) %}
    parameter [319:0] INITVAL_${"%02X" % i} = 320'b0;
{% endfor %}

    // In bytes of 9 bits.
    reg [8:0] memory [0:2047];
    integer i;
    initial begin
        for (i = 0; i < 16; i = i + 1) begin
{% for k in range(64) %}
            {memory[${32 * k + 1} + 2 * i], memory[${32 * k} + 2 * i]} = INITVAL_${"%02X" % k}[20 * i +: 18];
{% endfor %}
        end
    end

    wire [35:0] data_a = ${"{"}{% for side in ("B", "A") %}{% set outer = loop %}{% for i in range(17, -1, -1) %}DI${side}${i}${", " if not (loop.last and outer.last)}{% endfor %}{% endfor %}};

    wire [17:0] data_b = ${"{"}{% for i in range(17, -1, -1) %}DIB${i}${", " if not loop.last}{% endfor %}};
{% for side in ("A", "B") %}
    wire [13:0] address_${side} = ${"{"}{% for i in range(13, -1, -1) %}AD${side}${i}${", " if not loop.last}{% endfor %}};
    wire selected_${side} = CE${side} && !CS${side}0 && !CS${side}1 && !CS${side}2;
    wire [10:0] place_${side} = DATA_WIDTH_${side} == 36 ? {address_${side}[13:5], 2'b00}
                     : DATA_WIDTH_${side} == 18 ? {address_${side}[13:4], 1'b0} : address_${side}[13:3];
    reg [35:0] q_${side} = 36'b0;
{% endfor %}

    always @(posedge CLKA) begin
        if (selected_A && WEA) begin
            if (DATA_WIDTH_A == 9 || ADA0) memory[place_A] <= data_a[8:0];
            if (DATA_WIDTH_A != 9 && ADA1) memory[place_A + 1] <= data_a[17:9];
            if (DATA_WIDTH_A == 36 && ADA2) memory[place_A + 2] <= data_a[26:18];
            if (DATA_WIDTH_A == 36 && ADA3) memory[place_A + 3] <= data_a[35:27];
        end
        else if (selected_A) q_A <= {18'b0, memory[place_A + 1], memory[place_A]};
    end

    always @(posedge CLKB) begin
        if (selected_B && WEB) begin
            if (DATA_WIDTH_B == 9 || ADB0) memory[place_B] <= data_b[8:0];
            if (DATA_WIDTH_B != 9 && ADB1) memory[place_B + 1] <= data_b[17:9];
        end
        else if (selected_B && DATA_WIDTH_B == 36)
            q_B <= {memory[place_B + 3], memory[place_B + 2], memory[place_B + 1], memory[place_B]};
        else if (selected_B) q_B <= {18'b0, memory[place_B + 1], memory[place_B]};
    end

    // With 36 bits the lower half comes out of the other side.
    wire [17:0] out_a = DATA_WIDTH_B == 36 ? q_B[17:0] : q_A[17:0];
    wire [17:0] out_b = DATA_WIDTH_B == 36 ? q_B[35:18] : q_B[17:0];
    assign ${"{"}{% for i in range(17, -1, -1) %}DOA${i}${", " if not loop.last}{% endfor %}} = out_a;
    assign ${"{"}{% for i in range(17, -1, -1) %}DOB${i}${", " if not loop.last}{% endfor %}} = out_b;
endmodule
{% endif %}
