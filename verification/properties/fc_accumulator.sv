// The current of one group, any one, is its bias and the weights of all events of its passes: `total` adds them up.
localparam BITS = $bits(dst_data);
localparam TAP = $bits(weight_word);
(* hierconn *) wire [GROUPS*BITS-1:0] \bias_rom.contents ;
(* hierconn *) wire [$bits(read_group)-1:0] \walk_groups.group_index ;
(* hierconn *) wire \walk_groups.column ;
wire [GROUPS*BITS-1:0] bias_words = \bias_rom.contents ;
(* anyconst *) wire [3:0] chosen;
wire [BITS-1:0] chosen_bias = bias_words[chosen*BITS +: BITS];

// What the current event adds, and the pass that it belongs to.
reg [3:0] at_row, at_group;
wire taken = src_valid && src_ready;
wire signed [TAP-1:0] weight = src_data[TAP-1:0];
wire signed [BITS-1:0] added = src_data[TAP] ? weight : 0;
wire ends = taken && src_data[TAP+1];
// The pass after it, and the one of which the bias is read.
wire [3:0] next_group = at_group == GROUPS - 1 ? 0 : at_group + 1;
wire [3:0] next_row = at_group != GROUPS - 1 ? at_row : at_row == ROWS - 1 ? 0 : at_row + 1;
wire [3:0] last_read_group = next_group == GROUPS - 1 ? 0 : next_group + 1;
wire [3:0] last_read_row = next_group != GROUPS - 1 ? next_row : next_row == ROWS - 1 ? 0 : next_row + 1;
reg signed [BITS-1:0] total;
reg [BITS-1:0] current;
reg [3:0] sent;

always @(*) assume(chosen < GROUPS);

always @(posedge clk) begin
    if (rst) begin
        at_row <= 0;
        at_group <= 0;
        total <= chosen_bias;
        sent <= 0;
    end
    else begin
        if (ends) begin
            at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
            if (at_group == GROUPS - 1) at_row <= at_row == ROWS - 1 ? 0 : at_row + 1;
        end
        if (taken && at_group == chosen) begin
            total <= ends && at_row == ROWS - 1 ? chosen_bias : total + added;
            if (ends && at_row == ROWS - 1) current <= total + added;
        end
        if (dst_valid && dst_ready) sent <= sent == GROUPS - 1 ? 0 : sent + 1;
    end
end

always @(*) if (known) begin
    assert(at_row < ROWS && at_group < GROUPS && sent < GROUPS);
    if (!primed) begin
        assert(at_row == 0 && at_group == 0 && !taken && !valid && sent == 0 && total == chosen_bias);
        if (filled) begin
            assert(read_group == (GROUPS == 1 ? 0 : 1) && read_part == (GROUPS == 1 && ROWS > 1 ? 1 : 0));
            assert(bias_word == bias_words[0 +: BITS] && next_is_first && next_is_last == (ROWS == 1));
        end
        else begin
            assert(read_group == 0 && read_part == 0);
        end
    end
    else begin
        assert(filled && read_group == last_read_group && read_part == last_read_row);
        assert(bias_word == bias_words[next_group*BITS +: BITS]);
        assert(next_is_first == (next_row == 0) && next_is_last == (next_row == ROWS - 1) && is_last == (at_row == ROWS - 1));
        if (at_group == chosen) assert(sums[0] == total);
        if (at_group > chosen ? at_row == ROWS - 1 : at_group < chosen && at_row == 0) assert(total == chosen_bias);
    end
    assert(\walk_groups.group_index == read_group && \walk_groups.column == 0);
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
