// One lane, two inputs: the current of a window is computed as it comes in, and follows it through the pipeline.
localparam INPUTS = 2;
localparam CURRENT = $bits(bias_word);
localparam TAP = $bits(weight_word) / INPUTS;
localparam PIXEL = $bits(src_data) / INPUTS;
(* hierconn *) wire [GROUPS*CURRENT-1:0] \bias_rom.contents ;
(* hierconn *) wire [GROUPS*INPUTS*TAP-1:0] \weight_rom.contents ;
wire [GROUPS*CURRENT-1:0] bias_words = \bias_rom.contents ;
wire [GROUPS*INPUTS*TAP-1:0] weight_words = \weight_rom.contents ;
(* hierconn *) wire [$clog2(COLUMNS)-1:0] \walk.column ;
(* hierconn *) wire [$clog2(GROUPS)-1:0] \walk.group_index ;
reg [7:0] at_column, at_group;
wire taken = src_valid && src_ready;
wire signed [CURRENT-1:0] bias_now = bias_words[at_group*CURRENT +: CURRENT];
wire signed [TAP-1:0] w0 = weight_words[at_group*INPUTS*TAP +: TAP];
wire signed [TAP-1:0] w1 = weight_words[at_group*INPUTS*TAP + TAP +: TAP];
wire signed [PIXEL:0] x0 = {SIGNED && src_data[PIXEL-1], src_data[PIXEL-1:0]};
wire signed [PIXEL:0] x1 = {SIGNED && src_data[2*PIXEL-1], src_data[2*PIXEL-1:PIXEL]};
wire signed [CURRENT-1:0] current = bias_now + w0 * x0 + w1 * x1;
wire signed [CURRENT-1:0] first = held_biases[0] + products[0] + products[1];
reg [CURRENT-1:0] expected [0:1];

always @(posedge clk) begin
    if (rst) begin
        at_column <= 0;
        at_group <= 0;
    end
    else if (taken) begin
        at_column <= at_column == COLUMNS - 1 ? 0 : at_column + 1;
        if (at_column == COLUMNS - 1) at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
    end
    if (src_ready) begin
        expected[0] <= current;
        expected[1] <= expected[0];
    end
end

// A window comes out two cycles after it came in if nothing waits, and none gets lost or is made up.
reg [7:0] came, went;
reg [1:0] took;
always @(posedge clk) begin
    came <= rst ? 0 : came + taken;
    went <= rst ? 0 : went + (dst_valid && dst_ready);
    took <= rst ? 0 : {took[0], taken};
end

always @(*) if (known) begin
    assert(at_column < COLUMNS && at_group < GROUPS);
    assert(\walk.column == at_column && \walk.group_index == at_group);
    assert(bias_word == bias_words[at_group*CURRENT +: CURRENT]);
    assert(weight_word == weight_words[at_group*INPUTS*TAP +: INPUTS*TAP]);
    if (multiplied) assert(first == $signed(expected[0]));
    if (dst_valid) assert(dst_data == {REPEAT{expected[1]}});
    assert(came == went + multiplied + summed);
    if (took[0]) assert(multiplied);
    if (took[1] && !dst_waits) assert(dst_valid);
    cover(dst_waits && dst_valid && dst_ready && went == 3 && expected[1] != bias_now);
    cover(dst_valid && took == 3);
end
