// The windows that are due, walked one by one: `at` is the output's place. One pixel of one row of one image, any, is
// followed; outside the image all is 0. A row's slot is its number since reset, modulo SLOTS. KERNEL rows and COLUMNS columns
// are under the kernel; of the columns MIDDLE is the output's.
localparam BEFORE = KERNEL / 2;
localparam AFTER = (KERNEL - 1) / 2;
localparam MIDDLE = COLUMNS / 2;
localparam WAIT = (COLUMNS - 1) / 2 + 2;
localparam BANKS = KERNEL + 1;
localparam SLOTS = 2 * BANKS;
localparam BITS = $bits(src_data);
(* hierconn *) wire [(HEIGHT > 1 ? $clog2(HEIGHT) : 1)-1:0] \find_column.row ;
(* hierconn *) wire [(GROUPS > 1 ? $clog2(GROUPS) : 1)-1:0] \find_column.group_index ;
(* hierconn *) wire [$clog2(BANKS+1)-1:0] \find_column.needed ;
wire [(HEIGHT > 1 ? $clog2(HEIGHT) : 1)-1:0] row = \find_column.row ;
wire [(GROUPS > 1 ? $clog2(GROUPS) : 1)-1:0] group_index = \find_column.group_index ;
wire [$clog2(BANKS+1)-1:0] needed = \find_column.needed ;
(* anyconst *) reg [3:0] followed_slot;
(* anyconst *) reg [3:0] followed_column;

// Rows from one slot to another.
function [3:0] rows_between;
    input [3:0] from, to;
    rows_between = to >= from ? to - from : to + SLOTS - from;
endfunction

function [3:0] bank_of;
    input [3:0] slot;
    bank_of = slot >= BANKS ? slot - BANKS : slot;
endfunction

// A place: slot, row, group, column.
function [15:0] after;
    input [15:0] place;
    reg [3:0] slot, y, pass, x;
    begin
        {slot, y, pass, x} = place;
        x = x + 1;
        if (x == WIDTH) begin
            x = 0;
            pass = pass + 1;
        end
        if (pass == GROUPS) begin
            pass = 0;
            y = y == HEIGHT - 1 ? 0 : y + 1;
            slot = slot == SLOTS - 1 ? 0 : slot + 1;
        end
        after = {slot, y, pass, x};
    end
endfunction

// Whether row y + a - BEFORE is in the image.
function is_row;
    input [3:0] y, a;
    is_row = y + a >= BEFORE && y + a < HEIGHT + BEFORE;
endfunction

// The row of the window over a place in which the followed row is; KERNEL or more: in none.
function [3:0] followed_in;
    input [15:0] place;
    reg [4:0] row_in;
    begin
        row_in = rows_between(place[15:12], followed_slot) + BEFORE;
        followed_in = row_in >= SLOTS ? row_in - SLOTS : row_in;
    end
endfunction

// The same, if the followed pixel is in the column of the place.
function [3:0] pixel_in;
    input [15:0] place;
    pixel_in = place[3:0] == followed_column ? followed_in(place) : KERNEL;
endfunction

// Whole rows that a row of outputs needs from its own on.
function [3:0] rows_below;
    input [3:0] y;
    rows_below = y + AFTER < HEIGHT ? AFTER + 1 : HEIGHT - y;
endfunction

// Whether the window of a place leaves.
function is_leaving;
    input [15:0] place;
    is_leaving = place[11:8] >= FIRST_ROW && place[11:8] <= LAST_ROW && (place[11:8] - FIRST_ROW) % ROW_STEP == 0
        && place[3:0] >= FIRST_COLUMN && place[3:0] <= LAST_COLUMN && (place[3:0] - FIRST_COLUMN) % COLUMN_STEP == 0;
endfunction

function starts_row;
    input [15:0] place;
    starts_row = place[7:0] == 0;
endfunction

// Passes have numbers, too: whether one's is odd.
function is_odd;
    input [15:0] place;
    is_odd = (place[12] && GROUPS % 2 == 1) ^ place[4];
endfunction

// What has come.
reg [3:0] slot_in, column_in;
reg [BITS-1:0] value;
reg has_value;
wire takes = src_valid && src_ready;

// Whether all rows under the kernel over a place have come.
function has_come;
    input [15:0] place;
    has_come = rows_between(place[15:12], slot_in) >= rows_below(place[11:8]);
endfunction

reg [15:0] at;
wire [3:0] x = at[3:0];
wire [3:0] y = at[11:8];
wire [3:0] followed_row = followed_in(at);
wire is_due = has_come(at);
wire is_there = valids[MIDDLE];
reg [3:0] waited;

integer a, b;

always @(posedge clk) begin
    if (rst) begin
        slot_in <= 0;
        column_in <= 0;
        has_value <= 0;
        at <= 0;
        waited <= 0;
    end
    else begin
        if (takes) begin
            column_in <= column_in == WIDTH - 1 ? 0 : column_in + 1;
            if (column_in == WIDTH - 1) begin
                slot_in <= slot_in == SLOTS - 1 ? 0 : slot_in + 1;
            end
            if (slot_in == followed_slot && column_in == followed_column) begin
                value <= src_data;
                has_value <= 1;
            end
        end
        if (is_there && (dst_ready || !is_leaving(at))) begin
            at <= after(at);
        end
        waited <= is_due && !is_there ? waited + 1 : 0;
    end
end

// Every field of every window that leaves is the pixel of its place, or 0 outside the image; and a window that is due comes.
always @(*) begin
    assume(followed_slot < SLOTS && followed_column < WIDTH);
    if (known) begin
        assert(!dst_valid || is_due);
        assert(dst_valid == (is_there && is_leaving(at)));
        for (a = 0; a < KERNEL; a = a + 1) begin
            for (b = 0; b < COLUMNS; b = b + 1) begin
                if (dst_valid && !(is_row(y, a) && x + b >= MIDDLE && x + b < WIDTH + MIDDLE)) begin
                    assert(dst_data[(a*COLUMNS+b)*BITS +: BITS] == 0);
                end
                if (dst_valid && is_row(y, a) && followed_row == a && x + b == followed_column + MIDDLE) begin
                    assert(has_value && dst_data[(a*COLUMNS+b)*BITS +: BITS] == value);
                end
            end
        end
        assert(waited <= WAIT && (waited != WAIT || is_there));
        assert(src_ready || is_due);
    end
end

// The places of the window's columns, from the middle one on, of the column that is fetched and of the one that is read:
// a stage that holds none has the place of the next.
reg [3:0] slot_out;
reg [(COLUMNS+2)*16-1:0] places;
reg [COLUMNS+1:0] holds;
wire row_ends = advance && available && column == WIDTH - 1 && group_index == GROUPS - 1;
always @(posedge clk) slot_out <= rst ? 0 : !row_ends ? slot_out : slot_out == SLOTS - 1 ? 0 : slot_out + 1;

// The bank and column of the followed pixel; KERNEL 5 has six banks, and the bank of a slot is one that there is.
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_0.contents ;
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_1.contents ;
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_2.contents ;
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_3.contents ;
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_4.contents ;
(* hierconn *) wire [WIDTH*BITS-1:0] \rows_5.contents ;
reg [WIDTH*BITS-1:0] bank_words;
reg [BITS-1:0] stored, read_word;
wire [3:0] age = rows_between(followed_slot, slot_in);
wire is_stored = has_value && (age == 0 ? column_in > followed_column : age < BANKS || age == BANKS && column_in <= followed_column);

always @(*) begin
    case (bank_of(followed_slot))
        0: bank_words = \rows_0.contents ;
        1: bank_words = \rows_1.contents ;
        2: bank_words = \rows_2.contents ;
        3: bank_words = \rows_3.contents ;
        4: bank_words = \rows_4.contents ;
        default: bank_words = \rows_5.contents ;
    endcase
    stored = 0;
    for (b = 0; b < WIDTH; b = b + 1)
        if (followed_column == b)
            stored = bank_words[b*BITS +: BITS];
    read_word = 0;
    for (b = 0; b < BANKS; b = b + 1)
        if (bank_of(followed_slot) == b)
            read_word = pixels[b];
end

always @(*) begin
    holds = {1'b0, fetched, valids};
    places = {COLUMNS + 2{at}};
    for (b = MIDDLE; b < COLUMNS + 1; b = b + 1) begin
        places[(b+1)*16 +: 16] = holds[b] ? after(places[b*16 +: 16]) : places[b*16 +: 16];
    end
end

wire [15:0] fetched_place = places[COLUMNS*16 +: 16];
wire [15:0] read_place = places[(COLUMNS+1)*16 +: 16];
wire [3:0] rows_above = row < BEFORE ? row : BEFORE;

always @(*) begin
    if (known) begin
        // What has come, and where the reader is.
        assert(slot_in < SLOTS && column_in < WIDTH);
        assert(at[15:12] < SLOTS && y < HEIGHT && at[7:4] < GROUPS && x < WIDTH);
        assert(write_column == column_in && write_bank == bank_of(slot_in));
        assert({slot_out, 4'd0 | row, 4'd0 | group_index, 4'd0 | column} == read_place);
        assert(slot_out < SLOTS && row < HEIGHT && group_index < GROUPS && column < WIDTH);
        assert(center == bank_of(slot_out) && parity == is_odd(read_place));
        assert(level <= BANKS && (level != BANKS || column_in == 0));
        assert(rows_between(slot_out, slot_in) + rows_above == level);
        // A row that is not there: before the first pixel of a row only.
        assert(available || starts_row(read_place));
        assert(needed == rows_above + rows_below(row));

        // The followed pixel: not come yet, or in its bank until another row is written there.
        assert(!is_stored || stored == value);
        if (!has_value) begin
            assert(slot_in == followed_slot ? column_in <= followed_column : slot_in < followed_slot);
            assert(at[15:12] <= slot_out && slot_out <= slot_in && y <= at[15:12] && row <= slot_out);
        end

        // Columns that have been read: those to come, and of those that are past, the ones of this pass.
        for (b = MIDDLE; b < COLUMNS + 1; b = b + 1) begin
            assert(holds[b] ? has_come(places[b*16 +: 16]) : starts_row(places[b*16 +: 16]));
        end
        if (fetched) begin
            assert(fetched_parity == is_odd(fetched_place) && fetched_center == bank_of(fetched_place[15:12]));
        end
        for (a = 0; a < KERNEL; a = a + 1) begin
            if (fetched) begin
                assert(fetched_rows[a] == is_row(fetched_place[11:8], a));
                assert(!(is_row(fetched_place[11:8], a) && pixel_in(fetched_place) == a) || has_value && read_word == value);
            end
            for (b = MIDDLE; b < COLUMNS; b = b + 1) begin
                if (valids[b]) begin
                    assert(is_row(places[b*16+8 +: 4], a) || columns[a*COLUMNS+b] == 0);
                    assert(!(is_row(places[b*16+8 +: 4], a) && pixel_in(places[b*16 +: 16]) == a) || has_value && columns[a*COLUMNS+b] == value);
                end
            end
            for (b = 0; b < MIDDLE; b = b + 1) begin
                if (x >= MIDDLE - b) begin
                    assert(is_row(y, a) || columns[a*COLUMNS+b] == 0);
                    assert(!(is_row(y, a) && followed_row == a && x == followed_column + MIDDLE - b) || has_value && columns[a*COLUMNS+b] == value);
                end
            end
        end
        for (b = MIDDLE; b < COLUMNS; b = b + 1) begin
            assert(!valids[b] || parities[b] == is_odd(places[b*16 +: 16]));
        end
        for (b = 0; b < MIDDLE; b = b + 1) begin
            if (x >= MIDDLE - b) begin
                assert(valids[b] && parities[b] == is_odd(at));
            end
            else if (MIDDLE - b < WIDTH) begin
                assert(!valids[b] || parities[b] != is_odd(at));
            end
        end
        // A column that is due has come one place nearer to the middle in each cycle.
        for (b = 1; b < WAIT; b = b + 1) begin
            assert(waited < b || (holds >> MIDDLE) % (1 << WAIT + 1 - b) != 0);
        end

        cover(dst_valid && dst_ready && x == LAST_COLUMN && y == LAST_ROW && at[7:4] == GROUPS - 1 && has_value);
        cover(dst_valid && !dst_ready && level == BANKS && src_valid);
        cover(dst_valid && at[15:12] == HEIGHT + FIRST_ROW && has_value && followed_slot == HEIGHT + FIRST_ROW && value != 0);
    end
end
