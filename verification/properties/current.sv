// A current is its bias and the weights of all events under its kernel. That of one pixel and group, any one, is followed:
// row `picked_row` and the column at the address `chosen`; `sum` adds up what the events say.
localparam BITS = $bits(dst_data);
localparam TAP = $bits(weight_word) / (KERNEL * KERNEL);
localparam CHANNEL = $bits(src_data) - 2;
(* hierconn *) wire [GROUPS*BITS-1:0] \bias_rom.contents ;
(* hierconn *) wire [GROUPS*CHANNELS*KERNEL*KERNEL*TAP-1:0] \weight_rom.contents ;
wire [GROUPS*BITS-1:0] bias_words = \bias_rom.contents ;
wire [GROUPS*CHANNELS*KERNEL*KERNEL*TAP-1:0] weight_words = \weight_rom.contents ;
(* anyconst *) wire [3:0] picked_row, picked_group, picked_column;
wire [BITS-1:0] picked_bias = bias_words[picked_group*BITS +: BITS];
wire [7:0] begins = RADIUS + (picked_row > RADIUS ? picked_row - RADIUS : 0) * ROW_WORDS + chosen;
wire [7:0] target = RADIUS + (picked_row + RADIUS) * ROW_WORDS + chosen;

always @(*) assume(picked_row < HEIGHT && picked_group < GROUPS && picked_column < WIDTH);
always @(*) assume(chosen == picked_group * POSITIONS + picked_column);

// The pixel of the next event, by the number of its column, and the event that is taken and not yet added.
reg [7:0] at;
reg [3:0] at_row, at_group, at_column;
reg waiting, waiting_last, waiting_spikes;
reg [CHANNEL-1:0] waiting_channel;
reg [7:0] from;
reg [3:0] from_row, from_group, from_column;
wire outside = at < RADIUS || at_row >= HEIGHT || at_column >= WIDTH;

always @(*) if (src_valid) begin
    assume(src_data[CHANNEL-1:0] < CHANNELS);
    if (outside) assume(!src_data[CHANNEL]);
end

always @(posedge clk) begin
    if (rst) begin
        at <= RADIUS;
        at_row <= 0;
        at_group <= 0;
        at_column <= 0;
        waiting <= 0;
    end
    else begin
        waiting <= (src_valid && src_ready) || (waiting && !add);
        if (src_valid && src_ready) begin
            {waiting_last, waiting_spikes, waiting_channel} <= src_data;
            {from, from_row, from_group, from_column} <= {at, at_row, at_group, at_column};
            if (src_data[CHANNEL+1]) begin
                at <= at == COLUMNS - 1 ? 0 : at + 1;
                if (at >= RADIUS) begin
                    at_column <= at_column == POSITIONS - 1 ? 0 : at_column + 1;
                    if (at_column == POSITIONS - 1) begin
                        at_group <= at_group == GROUPS - 1 ? 0 : at_group + 1;
                        if (at_group == GROUPS - 1) at_row <= at_row == ROWS - 1 ? 0 : at_row + 1;
                    end
                end
            end
        end
    end
end

// Weight (tap_row, tap_column) of the kernel lies over the picked pixel.
wire signed [7:0] tap_row = picked_row - from_row + RADIUS;
wire signed [7:0] tap_column = picked_column - from_column + RADIUS;
wire in_reach = from >= RADIUS && from_group == picked_group && tap_row >= 0 && tap_row < KERNEL
    && tap_column >= 0 && tap_column < KERNEL;
wire [7:0] word = from_group * CHANNELS + waiting_channel;
wire [7:0] tap = tap_row * KERNEL + tap_column;
wire signed [TAP-1:0] weight = weight_words[(word*KERNEL*KERNEL + tap)*TAP +: TAP];
wire signed [BITS-1:0] added = waiting_spikes && in_reach ? weight : 0;
wire [7:0] last_number = target + RADIUS >= COLUMNS ? target + RADIUS - COLUMNS : target + RADIUS;
wire completes = add && waiting_last && from == last_number;
reg signed [BITS-1:0] sum;
reg [BITS-1:0] final_sum;
reg shows;
reg [7:0] shown_addr;
reg [3:0] shown_row;

always @(posedge clk) begin
    if (rst) begin
        sum <= picked_bias;
        shows <= 0;
    end
    else begin
        if (add) sum <= completes ? picked_bias : sum + added;
        if (completes) final_sum <= sum + added;
        shows <= completes || (shows && !shift && !dst_ready);
    end
    if (shift) begin
        shown_addr <= addr[0];
        shown_row <= in_row[0];
    end
end

reg [3:0] in_group [0:KERNEL];
reg [3:0] in_column [0:KERNEL];
always @(posedge clk) if (shift) begin
    for (b = 0; b < KERNEL; b = b + 1) begin
        in_group[b] <= in_group[b + 1];
        in_column[b] <= in_column[b + 1];
    end
    in_group[KERNEL] <= group_index;
    in_column[KERNEL] <= column;
end

// The column under the events, which is in the middle of the window.
wire [7:0] center = priming != 0 ? RADIUS : number[RADIUS];
wire busy_with_picked = priming == 0 && (center >= RADIUS
    ? center + RADIUS >= begins && center <= target + RADIUS
    : center + COLUMNS <= target + RADIUS || center + RADIUS >= begins);
reg in_window;
reg signed [7:0] place;
wire [3:0] out_row = leaves ? left_row : kept_row;
wire [WORD-1:0] out_word = leaves ? partial_word : kept;
wire signed [7:0] out_place = picked_row - out_row + RADIUS - 1;

always @(*) begin
    in_window = 0;
    place = 0;
    if (known) begin
        // Events and pixels.
        assert(held == waiting);
        assert(at < COLUMNS && at_row < ROWS && at_group < GROUPS && at_column < POSITIONS);
        assert(at < RADIUS ? at_row == 0 && at_group == 0 && at_column == 0
            : at == RADIUS + at_row * ROW_WORDS + at_group * POSITIONS + at_column);
        if (waiting) begin
            assert(held_last == waiting_last && mask == waiting_spikes);
            assert(from == center && from_row < ROWS && from_group < GROUPS && from_column < POSITIONS);
            assert(from < RADIUS ? from_row == 0 && from_group == 0 && from_column == 0
                : from == RADIUS + from_row * ROW_WORDS + from_group * POSITIONS + from_column);
            assert(at == (!waiting_last ? from : from == COLUMNS - 1 ? 0 : from + 1));
            assert(waiting_channel < CHANNELS);
            assert(weight_word == weight_words[word*KERNEL*KERNEL*TAP +: KERNEL*KERNEL*TAP]);
            if (from < RADIUS || from_row >= HEIGHT || from_column >= WIDTH) assert(!waiting_spikes);
        end
        else begin
            assert(at == center);
        end
        // Columns.
        assert(next_base == group_index * CHANNELS);
        for (b = 0; b <= KERNEL; b = b + 1) begin
            if (shifts < KERNEL + 1 - b) begin
                assert(base[b] == 0);
            end
            else begin
                assert(base[b] == in_group[b] * CHANNELS);
                assert(in_group[b] < GROUPS && in_column[b] < POSITIONS);
                if (keeps[b]) assert(addr[b] == in_group[b] * POSITIONS + in_column[b]);
                else assert(in_group[b] == 0 && in_column[b] == 0);
                assert(emits[b] == (keeps[b] && in_row[b] >= RADIUS && in_column[b] < WIDTH));
            end
        end
        if (shifts != 0) assert(bias_word == bias_words[in_group[KERNEL]*BITS +: BITS]);
        for (b = 0; b < KERNEL; b = b + 1) begin
            // Columns of one pass, and only they, have one parity.
            if (shifts >= KERNEL + 1 - b) begin
                assert((parity[b] == parity[b + 1]) ==
                    (keeps[b] == keeps[b + 1] && (!keeps[b] || (in_row[b] == in_row[b + 1] && in_group[b] == in_group[b + 1]))));
            end
        end
        if (shifts != 0) begin
            assert((parity[KERNEL] == next_parity) ==
                (keeps[KERNEL] == (tail == 0) && (tail != 0 || (in_row[KERNEL] == row && in_group[KERNEL] == group_index))));
        end
        // Where the sum is.
        if (!busy_with_picked) assert(sum == picked_bias);
        for (b = 0; b < KERNEL; b = b + 1) begin
            if (shifts >= KERNEL + 1 - b && keeps[b] && addr[b] == chosen) begin
                in_window = 1;
                place = picked_row - in_row[b] + RADIUS;
                if (place >= 0 && place < KERNEL) assert(window[b*KERNEL + place] == sum);
            end
        end
        if (busy_with_picked && !in_window) begin
            assert(out_place >= 0 && out_place < KERNEL - 1);
            assert($signed(out_word[out_place*BITS +: BITS]) == sum);
        end
        // What goes out.
        if (shows) assert(valid && dst_data == final_sum && shown_addr == chosen && shown_row == picked_row + RADIUS);
        if (valid && shown_addr == chosen && shown_row == picked_row + RADIUS) assert(shows);
        cover(dst_waits && dst_valid && dst_ready && shows && final_sum != picked_bias);
    end
end
