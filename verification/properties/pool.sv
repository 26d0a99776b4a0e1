// Each output is the OR of the beats of its window: those of one output, any one, are gathered. Windows begin before the map and
// end behind it where there is padding; LR and LC positions are walked along rows and columns.
localparam BITS = $bits(src_data);
localparam PLACES = GROUPS * NC;
localparam TOTAL = NR * PLACES;
(* hierconn *) wire [7:0] \walk_columns.at_position ;
(* hierconn *) wire [7:0] \walk_columns.at_phase ;
(* hierconn *) wire [7:0] \walk_rows.at_position ;
(* hierconn *) wire [7:0] \walk_rows.at_phase ;
(* hierconn *) wire [7:0] \keep_row.at_place ;
(* hierconn *) wire [PLACES*$bits(above)-1:0] \keep_row.memory.contents ;
wire [PLACES*$bits(above)-1:0] contents = \keep_row.memory.contents ;
(* anyconst *) reg [3:0] o_row, o_group, o_column;
// First and last row and column of its window, where the map and the walk end at the latest.
wire [7:0] row_begin = o_row * SR < PR ? 0 : o_row * SR - PR;
wire [7:0] row_end = o_row * SR + KR - PR > LR ? LR - 1 : o_row * SR + KR - PR - 1;
wire [7:0] column_begin = o_column * SC < PC ? 0 : o_column * SC - PC;
wire [7:0] column_end = o_column * SC + KC - PC > LC ? LC - 1 : o_column * SC + KC - PC - 1;
wire [7:0] o_place = o_group * NC + o_column;
reg [7:0] y, g, x, sent;
reg [BITS-1:0] gathered, gathered_above, result;
wire in_map = y < HEIGHT && x < WIDTH;
wire steps = (src_valid || !in_map) && (dst_ready || !dst_valid);
wire [BITS-1:0] beat_now = in_map ? src_data : 0;
wire [BITS-1:0] row_now = x == column_begin ? beat_now : gathered | beat_now;
wire [BITS-1:0] all_now = y == row_begin ? row_now : gathered_above | row_now;
wire walk_ends = y == LR - 1 && g == GROUPS - 1 && x == LC - 1;

always @(*) assume(o_row < NR && o_group < GROUPS && o_column < NC);

always @(posedge clk) begin
    if (rst) begin
        y <= 0;
        g <= 0;
        x <= 0;
        sent <= 0;
    end
    else begin
        if (steps) begin
            x <= x == LC - 1 ? 0 : x + 1;
            if (x == LC - 1) g <= g == GROUPS - 1 ? 0 : g + 1;
            if (x == LC - 1 && g == GROUPS - 1) y <= y == LR - 1 ? 0 : y + 1;
            if (g == o_group && x >= column_begin && x <= column_end) gathered <= row_now;
            if (g == o_group && x == column_end && y >= row_begin && y <= row_end) gathered_above <= all_now;
            if (g == o_group && x == column_end && y == row_end) result <= all_now;
        end
        if (dst_valid && dst_ready) sent <= sent == TOTAL - 1 ? 0 : sent + 1;
    end
end

// Windows that have ended in this row, and all of the map that have.
integer k;
reg [7:0] ended, rows_ended;
reg row_ends_now;
always @(*) begin
    ended = g * NC;
    rows_ended = 0;
    row_ends_now = 0;
    for (k = 0; k < NC; k = k + 1) begin
        if ((k * SC + KC - PC > LC ? LC : k * SC + KC - PC) <= x) ended = ended + 1;
    end
    for (k = 0; k < NR; k = k + 1) begin
        if ((k * SR + KR - PR > LR ? LR : k * SR + KR - PR) <= y) rows_ended = rows_ended + 1;
        if ((k * SR + KR - PR > LR ? LR : k * SR + KR - PR) == y + 1) row_ends_now = 1;
    end
end
wire [7:0] given = rows_ended * PLACES + (row_ends_now ? ended : 0);
// The last row, and one, in which the window's column has been seen whole.
wire [7:0] seen_rows = y + (g > o_group || (g == o_group && x > column_end));
wire waits_above = seen_rows > row_begin && seen_rows <= row_end;
wire [7:0] row_slot = (seen_rows - 1 + PR) / SR - o_row;
wire [7:0] column_slot = (x - 1 + PC) / SC - o_column;

always @(*) if (known) begin
    assert(steps == step);
    assert(\walk_columns.at_position == x && \walk_rows.at_position == y && group_index == g);
    assert(\walk_columns.at_phase == (x + PC) % SC && \walk_rows.at_phase == (y + PR) % SR);
    assert(x < LC && g < GROUPS && y < LR && sent < TOTAL);
    assert(\keep_row.at_place == (ended == PLACES ? 0 : ended));
    if (g == o_group && x > column_begin && x <= column_end) begin
        assert(waiting[column_slot*BITS +: BITS] == gathered);
    end
    if (waits_above) begin
        assert(contents[o_place*$bits(above) + row_slot*BITS +: BITS] == gathered_above);
        if (\keep_row.at_place == o_place) assert(above[row_slot*BITS +: BITS] == gathered_above);
    end
    // As many outputs as windows have ended, in their order.
    assert((sent + valid == TOTAL ? 0 : sent + valid) == (given == TOTAL ? 0 : given));
    if (dst_valid && sent == o_row * PLACES + o_place) assert(dst_data == result);
    cover(dst_waits && dst_valid && dst_ready && sent == o_row * PLACES + o_place && result != 0);
    cover(steps && walk_ends);
end
