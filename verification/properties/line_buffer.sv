// What enters the window from the line buffer is what left it in the row before at the same column, and not an older word.
// One address, any one, is followed: `kept` is what left there last, in row `kept_row` of frame `kept_frame`.
localparam WORD = $bits(waiting);
localparam ADDRESS = $clog2(ROW_WORDS > 1 ? ROW_WORDS : 2);
(* hierconn *) wire [ROW_WORDS*WORD-1:0] \keep_rows.memory.contents ;
(* hierconn *) wire \keep_rows.store ;
(* hierconn *) wire [ADDRESS-1:0] \keep_rows.store_addr ;
(* hierconn *) wire [KERNEL-1:0] \keep_rows.keeps ;
(* hierconn *) wire [KERNEL*8-1:0] \keep_rows.addresses ;
(* hierconn *) wire [WORD-1:0] \keep_rows.read_word ;
(* hierconn *) wire [ADDRESS-1:0] \find_column.word_addr ;
wire [ROW_WORDS*WORD-1:0] stored_words = \keep_rows.memory.contents ;
wire [KERNEL*8-1:0] addresses = \keep_rows.addresses ;
wire first = fresh;
wire [KERNEL-1:0] kept_columns = \keep_rows.keeps ;
(* anyconst *) wire [7:0] chosen;
reg [WORD-1:0] kept;
reg [3:0] kept_row;
reg kept_frame;
reg any_kept;
reg left; // a column left the window at the last edge: this one
reg [7:0] left_addr;
reg [3:0] left_row;
reg left_frame;
wire [7:0] kept_number = TAIL + kept_row * ROW_WORDS + chosen;
wire [7:0] first_number = TAIL + chosen;
wire leaves = left && left_addr == chosen;

always @(*) assume(chosen < ROW_WORDS);

always @(posedge clk) begin
    left <= shift && kept_columns[0];
    left_addr <= addresses[7:0];
    left_row <= in_row[0];
    left_frame <= in_frame[0];
    if (leaves) begin
        kept <= waiting;
        kept_row <= left_row;
        kept_frame <= left_frame;
    end
    any_kept <= !rst && (any_kept || leaves);
end

always @(*) if (known) begin
    assert(kept_columns == keeps && \find_column.word_addr == next_addr);
    for (b = 0; b < KERNEL; b = b + 1) begin
        if (keeps[b]) assert(addresses[b*8 +: 8] == addr[b]);
    end
    assert(left == \keep_rows.store ); // also where a reset came in between: that word is not used
    if (left && shifts != 0) begin
        assert(left_addr == \keep_rows.store_addr );
        assert(shifts == KERNEL + 1);
        assert(left_row < ROWS && left_addr < ROW_WORDS);
        assert((TAIL + left_row * ROW_WORDS + left_addr == COLUMNS - 1 ? 0 : TAIL + left_row * ROW_WORDS + left_addr + 1) == number[0]);
        assert(left_frame == in_frame[0] ^ (number[0] == 0));
    end
    // The last column of this address in this frame that has left the window.
    if (next >= first_number + KERNEL + 1 && !(next == first_number + KERNEL + 1 && leaves)) begin
        assert(any_kept);
        assert(kept_frame == frame);
        assert(kept_row < ROWS);
        assert(next >= kept_number + KERNEL + 1);
        assert(next < kept_number + ROW_WORDS + KERNEL + 1 || (next == kept_number + ROW_WORDS + KERNEL + 1 && leaves));
    end
    if (any_kept) begin
        assert(stored_words[chosen*WORD +: WORD] == kept);
    end
    // What has been read, of the column that enters next.
    if (tail == 0 && row != 0 && next_addr == chosen) begin
        assert(\keep_rows.read_word == kept);
        assert(kept_row == row - 1 && kept_frame == frame);
    end
    if (shifts != 0) begin
        assert(first == (!keeps[KERNEL-1] || in_row[KERNEL-1] == 0));
        if (!first && addr[KERNEL-1] == chosen) begin
            assert(stored_word == kept);
            assert(kept_row == in_row[KERNEL-1] - 1);
            assert(kept_frame == in_frame[KERNEL-1]);
            cover(shift && kept != 0);
        end
    end
end
