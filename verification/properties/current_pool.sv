// Each output is the maximum, or with SUM the sum, of the currents of its window: those of one output, any one, are gathered as
// they come. One field.
localparam IN = $bits(src_data);
localparam OUT = $bits(dst_data);
localparam NR = HEIGHT / KR;
localparam NC = WIDTH / KC;
localparam PLACES = GROUPS * NC;
localparam TOTAL = NR * PLACES;
(* hierconn *) wire [7:0] \walk_columns.at_position ;
(* hierconn *) wire [7:0] \walk_columns.at_phase ;
(* hierconn *) wire [7:0] \walk_rows.at_position ;
(* hierconn *) wire [7:0] \walk_rows.at_phase ;
(* hierconn *) wire [7:0] \keep_row.at_place ;
(* hierconn *) wire [PLACES*OUT-1:0] \keep_row.memory.contents ;
wire [PLACES*OUT-1:0] contents = \keep_row.memory.contents ;
(* anyconst *) reg [3:0] o_row, o_group, o_column;
wire [7:0] row_begin = o_row * KR;
wire [7:0] row_end = row_begin + KR - 1;
wire [7:0] column_begin = o_column * KC;
wire [7:0] column_end = column_begin + KC - 1;
wire [7:0] o_place = o_group * NC + o_column;
reg [7:0] y, g, x, sent;
reg signed [OUT-1:0] gathered, result;
wire takes = src_valid && src_ready;
wire signed [OUT-1:0] current_now = $signed(src_data);
wire is_in = g == o_group && x >= column_begin && x <= column_end && y >= row_begin && y <= row_end;
wire is_first = x == column_begin && y == row_begin;
wire signed [OUT-1:0] larger = gathered > current_now ? gathered : current_now;
wire signed [OUT-1:0] total = gathered + current_now;
wire signed [OUT-1:0] all_now = is_first ? current_now : SUM ? total : larger;

always @(*) assume(o_row < NR && o_group < GROUPS && o_column < NC);

always @(posedge clk) begin
    if (rst) begin
        y <= 0;
        g <= 0;
        x <= 0;
        sent <= 0;
    end
    else begin
        if (takes) begin
            x <= x == WIDTH - 1 ? 0 : x + 1;
            if (x == WIDTH - 1) g <= g == GROUPS - 1 ? 0 : g + 1;
            if (x == WIDTH - 1 && g == GROUPS - 1) y <= y == HEIGHT - 1 ? 0 : y + 1;
            if (is_in) gathered <= all_now;
            if (is_in && x == column_end && y == row_end) result <= all_now;
        end
        if (dst_valid && dst_ready) sent <= sent == TOTAL - 1 ? 0 : sent + 1;
    end
end

// Windows that have ended in this row, and all of the map that have.
wire [7:0] ended = g * NC + x / KC;
wire [7:0] given = y / KR * PLACES + (y % KR == KR - 1 ? ended : 0);
// The last row, and one, in which the window's columns have been seen whole.
wire [7:0] seen_rows = y + (g > o_group || (g == o_group && x > column_end));

always @(*) if (known) begin
    assert(src_ready == (dst_ready || !dst_valid) && take == takes);
    assert(\walk_columns.at_position == x && \walk_rows.at_position == y && group_index == g);
    assert(\walk_columns.at_phase == x % KC && \walk_rows.at_phase == y % KR);
    assert(x < WIDTH && g < GROUPS && y < HEIGHT && sent < TOTAL);
    assert(\keep_row.at_place == (ended == PLACES ? 0 : ended));
    if (is_in && x != column_begin) begin
        assert(dst_data == gathered);
    end
    else if (seen_rows > row_begin && seen_rows <= row_end) begin
        assert(contents[o_place*OUT +: OUT] == gathered);
        if (\keep_row.at_place == o_place) assert(above == gathered);
    end
    // As many outputs as windows have ended, in their order.
    assert((sent + dst_valid == TOTAL ? 0 : sent + dst_valid) == (given == TOTAL ? 0 : given));
    if (dst_valid && sent == o_row * PLACES + o_place) assert(dst_data == result);
    cover(dst_waits && dst_valid && dst_ready && sent == o_row * PLACES + o_place && result != 0);
    cover(takes && y == HEIGHT - 1 && g == GROUPS - 1 && x == WIDTH - 1);
end
