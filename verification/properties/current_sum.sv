// One lane: for each timestep the sum of what came for the group so far, its bias included, in the order of the timesteps.
localparam CURRENT = $bits(dst_data) / (TIMESTEPS * REPEAT);
localparam PART = $bits(src_data);
localparam FIRST = WORDS == 0;
reg [7:0] at_word, at_timestep, at_group;
reg full;
reg signed [CURRENT-1:0] totals [0:TIMESTEPS-1];
wire signed [PART-1:0] part = src_data;
wire taken = src_valid && src_ready;
wire group_ends = at_timestep == TIMESTEPS - 1 && (FIRST || at_word == WORDS - 1);
wire signed [CURRENT-1:0] begins = BIASES >> (at_group * CURRENT);
integer t, r;

always @(posedge clk) begin
    if (rst) begin
        at_word <= 0;
        at_timestep <= 0;
        at_group <= 0;
        full <= 0;
    end
    else begin
        if (taken) begin
            at_timestep <= at_timestep == TIMESTEPS - 1 ? 0 : at_timestep + 1;
            if (at_timestep == TIMESTEPS - 1) at_word <= group_ends ? 0 : at_word + 1;
            if (group_ends) at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
            totals[at_timestep] <= FIRST ? part : (at_word == 0 ? begins : totals[at_timestep]) + part;
        end
        full <= taken ? group_ends : full && !dst_ready;
    end
end

always @(*) if (known) begin
    assert(at_word < (FIRST ? 1 : WORDS) && at_timestep < TIMESTEPS && at_group < GROUPS);
    assert(beat == at_word * TIMESTEPS + at_timestep);
    assert(dst_valid == full && src_ready == (dst_ready || !full));
    if (full) assert(beat == 0);
    // What came for a timestep lies where its turn has moved it: the next one's is the lowest.
    for (t = 0; t < TIMESTEPS; t = t + 1) begin
        if (full || at_word != 0 || t < at_timestep) begin
            assert(sums[(t + TIMESTEPS - at_timestep) % TIMESTEPS] == totals[t]);
        end
    end
    if (full) begin
        for (t = 0; t < TIMESTEPS; t = t + 1) begin
            for (r = 0; r < REPEAT; r = r + 1) begin
                assert($signed(dst_data[(t*REPEAT + r)*CURRENT +: CURRENT]) == totals[t]);
            end
        end
    end
    cover(dst_waits && dst_valid && dst_ready && totals[0] != 0 && (TIMESTEPS == 1 || totals[0] != totals[TIMESTEPS-1]));
    cover(taken && full && at_group == GROUPS - 1);
end
