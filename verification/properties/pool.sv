// Each output is the OR of its four inputs: those of one pair of columns, any one, are gathered.
localparam PAIRS = GROUPS * (WIDTH / 2);
localparam BITS = $bits(src_data);
(* hierconn *) wire [PAIRS*BITS-1:0] \upper_row.contents ;
wire [PAIRS*BITS-1:0] upper = \upper_row.contents ;
(* anyconst *) wire [7:0] chosen;
reg [7:0] at_row, at_group, at_column, pairs_done, sent;
reg [2:0] seen;
reg [BITS-1:0] gathered, result;
wire taken = src_valid && src_ready;
wire counts_in = at_row < HEIGHT / 2 * 2 && at_column < WIDTH / 2 * 2 && pairs_done == chosen;
wire row_ends = at_column == WIDTH - 1 && at_group == GROUPS - 1;

always @(*) assume(chosen < PAIRS);

always @(posedge clk) begin
    if (rst) begin
        at_row <= 0;
        at_group <= 0;
        at_column <= 0;
        pairs_done <= 0;
        sent <= 0;
        seen <= 0;
    end
    else begin
        if (taken) begin
            at_column <= at_column == WIDTH - 1 ? 0 : at_column + 1;
            if (at_column == WIDTH - 1) at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
            if (row_ends) at_row <= at_row == HEIGHT - 1 ? 0 : at_row + 1;
            pairs_done <= row_ends ? 0 : pairs_done + at_column[0];
            if (counts_in) begin
                gathered <= seen == 0 ? src_data : gathered | src_data;
                seen <= seen == 3 ? 0 : seen + 1;
                if (seen == 3) result <= gathered | src_data;
            end
        end
        if (dst_valid && dst_ready) sent <= sent == PAIRS - 1 ? 0 : sent + 1;
    end
end

always @(*) if (known) begin
    assert(row == at_row && group_index == at_group && column == at_column);
    assert(at_row < HEIGHT && at_group < GROUPS && at_column < WIDTH);
    assert(pairs_done == at_group * (WIDTH / 2) + at_column / 2);
    assert(pair_addr == (pairs_done == PAIRS ? 0 : pairs_done));
    if (at_row == HEIGHT / 2 * 2) begin
        assert(seen == 0);
    end
    else if (chosen < pairs_done) begin
        assert(seen == (at_row[0] ? 0 : 2));
    end
    else begin
        assert(seen == (at_row[0] ? 2 : 0) + (chosen == pairs_done && at_column[0]));
    end
    if (seen == 1) assert(left == gathered);
    if (seen == 2) assert(upper[chosen*BITS +: BITS] == gathered);
    if (seen == 3) assert((left | above) == gathered);
    // As many outputs as pairs of rows have been gathered, in their order.
    assert(sent < PAIRS);
    if (at_row[0] && pairs_done != 0) begin
        assert(sent == (valid ? pairs_done - 1 : pairs_done == PAIRS ? 0 : pairs_done));
    end
    else begin
        assert(sent == (valid ? PAIRS - 1 : 0));
    end
    if (dst_valid && sent == chosen) assert(dst_data == result);
    cover(dst_waits && dst_valid && dst_ready && sent == chosen && result != 0);
    cover(taken && row_ends && at_row == HEIGHT - 1);
end
