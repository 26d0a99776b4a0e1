// Two timesteps of one lane: the spikes of a beat are computed as it comes in, and follow it through the pipeline.
localparam CURRENT = $bits(src_data) / 2;
(* hierconn *) wire [GROUPS*THETA-1:0] \theta_rom.contents ;
wire [GROUPS*THETA-1:0] theta_words = \theta_rom.contents ;
(* hierconn *) wire [$clog2(COLUMNS)-1:0] \walk.column ;
(* hierconn *) wire [$clog2(GROUPS)-1:0] \walk.group_index ;
localparam SUBTRACT = 0, SUBTRACT_DELAYED = 1, ZERO = 2;
reg [7:0] at_column, at_group;
wire taken = src_valid && src_ready;
wire signed [THETA-1:0] theta_now = theta_words[at_group*THETA +: THETA];
wire signed [CURRENT-1:0] a0 = src_data[CURRENT-1:0];
wire signed [CURRENT-1:0] a1 = src_data[2*CURRENT-1:CURRENT];
reg signed [15:0] v0, v1;
reg s0, s1;
reg signed [15:0] next_v1;
reg [1:0] expected [0:1];

always @(*) begin
    v0 = a0;
    s0 = v0 > theta_now;
    if (KIND == SUBTRACT && s0) v0 = v0 - theta_now;
    if (KIND == ZERO && s0) v0 = 0;
    v1 = ((v0 * MULTIPLIER) >>> SHIFT) - (KIND == SUBTRACT_DELAYED && s0 ? theta_now : 0) + a1;
    s1 = v1 > theta_now;
end

// What the second stage makes of what the first holds.
wire signed [15:0] first_v = membrane[0];
wire signed [15:0] first_theta = held_thetas[0];
always @(*) begin
    next_v1 = ((first_v * MULTIPLIER) >>> SHIFT) - (KIND == SUBTRACT_DELAYED && spikes[0][0] ? first_theta : 0) + held[1];
end

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
        expected[0] <= {s1, s0};
        expected[1] <= expected[0];
    end
end

// A beat comes out two cycles after it came in if nothing waits, and none gets lost or is made up.
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
    assert(theta_word == theta_words[at_group*THETA +: THETA]);
    if (occupied[0]) begin
        assert(spikes[0][0] == expected[0][0]);
        assert((next_v1 > first_theta) == expected[0][1]);
    end
    if (dst_valid) assert(dst_data == expected[1]);
    assert(came == went + occupied[0] + occupied[1]);
    if (took[0]) assert(occupied[0]);
    if (took[1] && !dst_waits) assert(dst_valid);
    cover(dst_waits && dst_valid && dst_ready && dst_data == 1 && went == 4);
    cover(dst_valid && dst_data == 2 && took == 3);
    cover(dst_valid && dst_data == 3);
end
