// Columns have numbers: in a frame first the TAIL columns that flush the frame before, then row for row, group for group the
// POSITIONS of a row. `next` is the number of the column after those in the window; number[b] belongs to slot b.
localparam TAIL = (KERNEL - 1) / 2; // also the slot of an event's column
localparam FLUSH_ROWS = (KERNEL_ROWS - 1) / 2;
localparam PRIMING = KERNEL / 2 + 1;
localparam EVEN = KERNEL % 2 == 0;
localparam POSITIONS = WIDTH + PADDING;
localparam ROW_WORDS = GROUPS * POSITIONS;
localparam ROWS = HEIGHT + FLUSH_ROWS;
localparam COLUMNS = TAIL + ROWS * ROW_WORDS;
(* hierconn *) wire [(POSITIONS > 1 ? $clog2(POSITIONS) : 1)-1:0] \find_column.column ;
(* hierconn *) wire \find_column.part ;
(* hierconn *) wire [$clog2(ROWS > 1 ? ROWS : 2)-1:0] \find_column.row ;
(* hierconn *) wire [$clog2(TAIL > 0 ? TAIL + 1 : 2)-1:0] \find_column.tail ;
(* hierconn *) wire [$clog2(PRIMING + 1)-1:0] \tag_columns.priming ;
(* hierconn *) wire [KERNEL-1:0] \tag_columns.parity ;
(* hierconn *) wire [KERNEL-1:0] \tag_columns.emits ;
wire [7:0] column = \find_column.column ;
wire part = \find_column.part ;
wire [7:0] row = \find_column.row ;
wire [7:0] tail = \find_column.tail ;
wire [7:0] priming = \tag_columns.priming ;
wire [KERNEL-1:0] parity = \tag_columns.parity ;
wire [KERNEL-1:0] emits = \tag_columns.emits ;
wire [7:0] next_addr = group_index * POSITIONS + column;
reg [KERNEL-1:0] keeps; // bit b: the column in slot b is none of those that flush a frame
reg [7:0] addr [0:KERNEL-1]; // its place among those of a row
reg [7:0] next;
reg frame;
reg [7:0] shifts; // since reset, up to KERNEL + 1
reg [7:0] number [0:KERNEL-1];
reg [3:0] in_row [0:KERNEL-1];
reg [3:0] in_column [0:KERNEL-1];
reg in_frame [0:KERNEL-1];
reg [7:0] scan [0:KERNEL-1]; // of the frame, from 1 up; 0 is the flush of the frame before
reg [7:0] pixel; // number of the column that the current event belongs to
reg begun; // events of it have come, and others will
wire comes = src_valid && src_ready;
wire [7:0] next_scan = tail != 0 ? 0 : row * GROUPS + group_index + 1;
integer b;

// Whether a row or a column of outputs leaves.
function is_out_row;
    input [7:0] y;
    is_out_row = y >= FIRST_ROW && y <= LAST_ROW && (y - FIRST_ROW) % ROW_STEP == 0;
endfunction

function is_out_column;
    input [7:0] x;
    is_out_column = x >= FIRST_COLUMN && x <= LAST_COLUMN && (x - FIRST_COLUMN) % COLUMN_STEP == 0;
endfunction

// How many of them are before a row, or a column.
function [7:0] out_rows_before;
    input [7:0] y;
    out_rows_before = y > LAST_ROW ? OUT_ROWS : y <= FIRST_ROW ? 0 : (y - FIRST_ROW + ROW_STEP - 1) / ROW_STEP;
endfunction

function [7:0] out_columns_before;
    input [7:0] x;
    out_columns_before = x > LAST_COLUMN ? OUT_COLUMNS : x <= FIRST_COLUMN ? 0 : (x - FIRST_COLUMN + COLUMN_STEP - 1) / COLUMN_STEP;
endfunction

// The parity of columns changes where this does; those that flush a frame are of the next one's first scan if the kernel is even.
function [7:0] scan_of_parity;
    input [7:0] of_scan;
    scan_of_parity = EVEN && of_scan == 0 ? 1 : of_scan;
endfunction

always @(posedge clk) begin
    if (rst) begin
        next <= TAIL;
        frame <= 0;
        shifts <= 0;
        pixel <= TAIL;
        keeps <= 0;
        begun <= 0;
    end
    else begin
        if (shift) begin
            keeps <= {tail == 0, keeps} >> 1;
            next <= next == COLUMNS - 1 ? 0 : next + 1;
            frame <= frame ^ (next == COLUMNS - 1);
            shifts <= shifts == KERNEL + 1 ? shifts : shifts + 1;
        end
        if (comes) begun <= !src_data[$bits(src_data)-1];
        if (comes && src_data[$bits(src_data)-1]) pixel <= pixel == COLUMNS - 1 ? 0 : pixel + 1;
    end
    if (shift) begin
        for (b = 0; b < KERNEL - 1; b = b + 1) begin
            number[b] <= number[b + 1];
            in_row[b] <= in_row[b + 1];
            in_column[b] <= in_column[b + 1];
            in_frame[b] <= in_frame[b + 1];
            scan[b] <= scan[b + 1];
            addr[b] <= addr[b + 1];
        end
        number[KERNEL-1] <= next;
        in_row[KERNEL-1] <= row;
        in_column[KERNEL-1] <= column;
        in_frame[KERNEL-1] <= frame;
        scan[KERNEL-1] <= next_scan;
        addr[KERNEL-1] <= next_addr;
    end
end

always @(*) if (known) begin
    assert(next < COLUMNS);
    assert(part == 0); // a row has one part
    assert(tail <= TAIL && row < ROWS && group_index < GROUPS && column < POSITIONS);
    assert(next == (tail != 0 ? TAIL - tail : TAIL + row * ROW_WORDS + next_addr));
    assert(tail == 0 || (row == 0 && next_addr == 0));
    assert(shifts <= KERNEL + 1);
    assert(shifts == KERNEL + 1 || (next == TAIL + shifts && frame == 0));
    assert(priming == (shifts > PRIMING ? 0 : PRIMING - shifts));
    assert(primed == (priming == 0));
    // An event is taken once its column is in the middle of the window, and leaves with it if it is the last.
    assert(primed ? number[TAIL] == pixel : pixel == TAIL && !comes);
    assert(!primed || shift == (comes && src_data[$bits(src_data)-1]));
    // What an event is added to is the window after the move; what goes out stays until then.
    assert(moves == (shifts != 0 && !begun));
    assert(!valid || moves);
    for (b = 0; b < KERNEL; b = b + 1) begin
        if (shifts < KERNEL - b) begin
            assert(!keeps[b] && !emits[b]);
        end
        else begin
            assert(number[b] < COLUMNS);
            assert((number[b] == COLUMNS - 1 ? 0 : number[b] + 1) == (b == KERNEL - 1 ? next : number[b + 1]));
            assert(in_frame[b] == ((b == KERNEL - 1 ? frame : in_frame[b + 1]) ^ (number[b] == COLUMNS - 1)));
            assert(keeps[b] == (number[b] >= TAIL));
            if (keeps[b]) begin
                assert(number[b] == TAIL + in_row[b] * ROW_WORDS + addr[b]);
                assert(addr[b] < ROW_WORDS && in_row[b] < ROWS);
                assert(scan[b] != 0 && scan[b] <= ROWS * GROUPS);
                assert(number[b] >= TAIL + (scan[b] - 1) * POSITIONS && number[b] < TAIL + scan[b] * POSITIONS);
            end
            else begin
                assert(scan[b] == 0);
            end
            assert(emits[b] == (keeps[b] && in_row[b] >= FLUSH_ROWS && is_out_row(in_row[b] - FLUSH_ROWS) && is_out_column(in_column[b])));
            // The tags of two neighbours differ where a scan ends.
            if (b == KERNEL - 1) begin
                assert((parity[b] != next_parity) == (in_frame[b] != frame || scan_of_parity(scan[b]) != scan_of_parity(next_scan)));
            end
            else begin
                assert((parity[b] != parity[b + 1]) == (in_frame[b] != in_frame[b + 1] || scan_of_parity(scan[b]) != scan_of_parity(scan[b + 1])));
            end
            // An event reaches the columns of its own scan, and no others that are used.
            if (primed && keeps[b] && keeps[TAIL]) begin
                assert(own[b] == (in_frame[b] == in_frame[TAIL] && scan[b] == scan[TAIL]));
            end
            else if (primed && keeps[b] != keeps[TAIL]) begin
                assert(EVEN || !own[b]);
            end
        end
        assert(own[b] == (b + POSITIONS > TAIL && b < TAIL + POSITIONS && parity[b] == parity[TAIL]));
    end
end

// A frame gives a beat for each place of the output window and group: `due` are the beats of the columns taken so far, `taken` and `sent` count on.
wire emits_next = tail == 0 && row >= FLUSH_ROWS && is_out_row(row - FLUSH_ROWS) && is_out_column(column);
reg [7:0] due, taken, sent;
reg [7:0] on_the_way;

always @(posedge clk) begin
    if (rst) begin
        due <= 0;
        taken <= 0;
        sent <= 0;
    end
    else begin
        if (shift) begin
            due <= next == COLUMNS - 1 ? 0 : due + emits_next;
            taken <= taken + emits_next;
        end
        sent <= sent + (dst_valid && dst_ready);
    end
end

always @(*) begin
    on_the_way = valid;
    for (b = 0; b < KERNEL; b = b + 1) on_the_way = on_the_way + emits[b];
    if (known) begin
        assert(sent + on_the_way == taken);
        if (row < FLUSH_ROWS || tail != 0) begin
            assert(due == 0);
        end
        else begin
            assert(due == out_rows_before(row - FLUSH_ROWS) * GROUPS * OUT_COLUMNS
                + (is_out_row(row - FLUSH_ROWS) ? group_index * OUT_COLUMNS + out_columns_before(column) : 0));
        end
        if (shift && !rst && next == COLUMNS - 1) begin
            assert(due + emits_next == OUT_ROWS * OUT_COLUMNS * GROUPS);
        end
        cover(dst_waits && dst_valid && dst_ready);
        cover(next == COLUMNS - 1 && shift && sent != 0);
    end
end
