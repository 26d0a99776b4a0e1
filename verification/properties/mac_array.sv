// One lane: the current of a window is computed as it comes in, and follows it through the pipeline. Widths and
// biases: from mac_bias.sv or no_bias.sv.
localparam TAP = $bits(weight_word) / INPUTS;
localparam PIXEL = $bits(src_data) / INPUTS;
localparam PRODUCTS = $size(products);
localparam TERMS = $size(added);
localparam PARTIAL = $bits(adders_0_sums) / TERM;
(* hierconn *) wire [GROUPS*INPUTS*TAP-1:0] \weight_rom.contents ;
wire [GROUPS*INPUTS*TAP-1:0] weight_words = \weight_rom.contents ;
(* hierconn *) wire [(COLUMNS > 1 ? $clog2(COLUMNS) : 1)-1:0] \walk.column ;
(* hierconn *) wire [$clog2(GROUPS)-1:0] \walk.group_index ;
// Where the next window is, and where the one is whose pixels are in the registers.
reg [7:0] at_column, at_group, held_column, held_group;
wire [7:0] walk_column = occupied[0] ? held_column : at_column;
wire [7:0] walk_group = occupied[0] ? held_group : at_group;
wire taken = src_valid && src_ready;

// The current of a window of these pixels in this group.
function signed [CURRENT-1:0] current;
    input [INPUTS*PIXEL-1:0] pixels;
    input [7:0] group;
    reg signed [TAP-1:0] w;
    reg signed [PIXEL:0] x;
    integer k;
    begin
        current = bias_words[group*CURRENT +: CURRENT];
        for (k = 0; k < INPUTS; k = k + 1) begin
            w = weight_words[(group*INPUTS + k)*TAP +: TAP];
            x = {SIGNED && pixels[k*PIXEL + PIXEL - 1], pixels[k*PIXEL +: PIXEL]};
            current = current + w * x;
        end
    end
endfunction

reg signed [CURRENT-1:0] expected [0:STAGES-1];
reg [INPUTS*PIXEL-1:0] held_pixels;
reg signed [CURRENT-1:0] multiplied, registered, summed;
reg [7:0] inside;
integer i, s;

// What the registers of the first stages come to.
always @(*) begin
    multiplied = 0;
    for (i = 0; i < PRODUCTS; i = i + 1) multiplied = multiplied + products[i];
    registered = 0;
    for (i = 0; i < TERMS; i = i + 1) registered = registered + added[i];
    summed = 0;
    for (i = 0; i < PARTIAL; i = i + 1) summed = summed + adders_0_sums[i*TERM +: TERM];
    inside = 0;
    for (s = 0; s < STAGES; s = s + 1) inside = inside + occupied[s];
end

always @(posedge clk) begin
    if (rst) begin
        at_column <= 0;
        at_group <= 0;
    end
    else if (taken) begin
        at_column <= at_column == COLUMNS - 1 ? 0 : at_column + 1;
        if (at_column == COLUMNS - 1) at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
        held_column <= at_column;
        held_group <= at_group;
        held_pixels <= src_data;
    end
    if (src_ready) begin
        expected[0] <= current(src_data, at_group);
        for (s = 1; s < STAGES; s = s + 1) expected[s] <= expected[s-1];
    end
end

// A window comes out STAGES cycles after it came in if nothing waits, and none gets lost or is made up.
reg [7:0] came, went;
// Windows taken one cycle ago, two and so on, as long as the output has not waited.
reg [STAGES-1:0] took;
always @(posedge clk) begin
    came <= rst ? 0 : came + taken;
    went <= rst ? 0 : went + (dst_valid && dst_ready);
    took <= rst || !src_ready ? 0 : {took[STAGES-2:0], taken};
end

always @(*) if (known) begin
    assert(at_column < COLUMNS && at_group < GROUPS);
    assert(walk_column < COLUMNS && walk_group < GROUPS);
    assert(\walk.column == walk_column && \walk.group_index == walk_group);
    assert(bias_now == bias_words[walk_group*CURRENT +: CURRENT]);
    assert(weight_word == weight_words[walk_group*INPUTS*TAP +: INPUTS*TAP]);
    if (occupied[0]) begin
        assert(at_column == (held_column == COLUMNS - 1 ? 0 : held_column + 1));
        assert(at_group == (held_column != COLUMNS - 1 ? held_group : held_group == GROUPS - 1 ? 0 : held_group + 1));
        assert(expected[0] == current(held_pixels, held_group));
        for (i = 0; i < INPUTS; i = i + 1) begin
            assert(values[i] == $signed({SIGNED && held_pixels[i*PIXEL + PIXEL - 1], held_pixels[i*PIXEL +: PIXEL]}));
        end
    end
    if (occupied[1]) assert(multiplied == expected[1]);
    if (occupied[2]) assert(registered == expected[2]);
    if (occupied[3]) assert(summed == expected[3]);
    if (dst_valid) assert(dst_data == {REPEAT{expected[STAGES-1]}});
    assert(came == went + inside);
    assert((took & ~occupied) == 0);
    assert(src_ready || dst_valid);
    cover(dst_waits && dst_valid && dst_ready && went == 3 && expected[STAGES-1] != $signed(bias_words[CURRENT-1:0]));
    cover(dst_valid && took == 2**STAGES - 1);
end
