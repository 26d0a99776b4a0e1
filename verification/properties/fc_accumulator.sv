// The current of one group, any one, is its bias and the weights of all events of its passes: `total` adds them up.
localparam BITS = $bits(dst_data);
localparam TAP = $bits(weight_word);
(* hierconn *) wire [GROUPS*BITS-1:0] \bias_rom.contents ;
(* hierconn *) wire [ROWS*GROUPS*INPUTS*TAP-1:0] \weight_rom.contents ;
(* hierconn *) wire [$bits(load_group)-1:0] \walk_groups.group_index ;
(* hierconn *) wire \walk_groups.column ;
wire [GROUPS*BITS-1:0] bias_words = \bias_rom.contents ;
wire [ROWS*GROUPS*INPUTS*TAP-1:0] weight_words = \weight_rom.contents ;
(* anyconst *) wire [3:0] chosen;
wire [BITS-1:0] chosen_bias = bias_words[chosen*BITS +: BITS];

// The event taken and not yet added, and the pass that it belongs to.
reg waiting, waiting_last, waiting_spikes;
reg [3:0] waiting_channel;
reg [3:0] at_row, at_group;
wire [7:0] word = (at_row * GROUPS + at_group) * INPUTS + waiting_channel;
wire signed [TAP-1:0] weight = weight_words[word*TAP +: TAP];
wire signed [BITS-1:0] added = waiting_spikes ? weight : 0;
wire ends = add && waiting_last;
reg signed [BITS-1:0] total;
reg [BITS-1:0] current;
reg [3:0] sent;

always @(*) assume(chosen < GROUPS);
always @(*) if (src_valid) assume(src_data[$bits(src_data)-3:0] < INPUTS);

always @(posedge clk) begin
    if (rst) begin
        waiting <= 0;
        at_row <= 0;
        at_group <= 0;
        total <= chosen_bias;
        sent <= 0;
    end
    else begin
        if (src_valid && src_ready) begin
            {waiting_last, waiting_spikes, waiting_channel} <=
                {src_data[$bits(src_data)-1], src_data[$bits(src_data)-2], 4'd0} | src_data[$bits(src_data)-3:0];
        end
        waiting <= (src_valid && src_ready) || (waiting && !add);
        if (ends) begin
            at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
            if (at_group == GROUPS - 1) at_row <= at_row == ROWS - 1 ? 0 : at_row + 1;
        end
        if (add && at_group == chosen) begin
            total <= ends && at_row == ROWS - 1 ? chosen_bias : total + added;
            if (ends && at_row == ROWS - 1) current <= total + added;
        end
        if (dst_valid && dst_ready) sent <= sent == GROUPS - 1 ? 0 : sent + 1;
    end
end

always @(*) if (known) begin
    assert(held == waiting);
    assert(!add || waiting);
    assert(!(src_valid && src_ready && waiting && !add));
    assert(at_row < ROWS && at_group < GROUPS && sent < GROUPS);
    if (waiting) begin
        assert(held_last == waiting_last && mask == waiting_spikes && waiting_channel < INPUTS);
        assert(weight_word == weight_words[word*TAP +: TAP]);
    end
    assert(base == ((at_row * GROUPS + at_group + (waiting && waiting_last)) % (ROWS * GROUPS)) * INPUTS);
    // The pass at hand, and the one that is loaded next.
    assert(bias_word == bias_words[load_group*BITS +: BITS]);
    if (priming) begin
        assert(load_part == 0 && load_group == 0 && at_row == 0 && at_group == 0 && !valid && sent == 0);
        assert(total == chosen_bias);
    end
    else begin
        assert(part == at_row);
        assert(load_group == (at_group == GROUPS - 1 ? 0 : at_group + 1));
        assert(load_part == (at_group != GROUPS - 1 ? at_row : at_row == ROWS - 1 ? 0 : at_row + 1));
        if (at_group == chosen) assert(sums[0] == total);
        if (at_group > chosen ? at_row == ROWS - 1 : at_group < chosen && at_row == 0) assert(total == chosen_bias);
    end
    assert(\walk_groups.group_index == load_group && \walk_groups.column == 0);
    // What has left.
    if (valid) begin
        assert(sent == (at_group == 0 ? GROUPS - 1 : at_group - 1));
        assert(at_group == 0 ? at_row == 0 : at_row == ROWS - 1);
        if (sent == chosen) assert(dst_data == current);
    end
    else begin
        assert(sent == (at_row == ROWS - 1 ? at_group : 0));
    end
    cover(ends && at_group == GROUPS - 1 && at_row == ROWS - 1 && total != chosen_bias);
    cover(dst_waits && dst_valid && dst_ready && sent == chosen && current != chosen_bias);
end
