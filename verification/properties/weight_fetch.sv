// Events have numbers, modulo 16: `taken` and `sent` are those of the next one to come and to go. One of them, any one, is
// followed, whenever its number comes around: `age` is the steps since it came, 0 when it is not on its way.
localparam WORD = $bits(word);
localparam FRAME = FRAME_ROWS * SCANS * REPEATS * POSITIONS;
(* hierconn *) wire [SCANS*CHANNELS*WORD-1:0] \weight_rom.contents ;
wire [SCANS*CHANNELS*WORD-1:0] words = \weight_rom.contents ;
(* anyconst *) wire [3:0] chosen;
reg [3:0] taken, sent;
reg [1:0] age;
reg [7:0] chosen_address;
reg [1+TIMESTEPS-1:0] chosen_tags;
reg chosen_flushes;
wire comes = src_valid && src_ready;
wire goes = dst_valid && dst_ready;
wire moves = dst_ready || !dst_valid;
wire [3:0] on_the_way = taken - sent;
wire [3:0] chosen_ahead = chosen - sent;
wire [WORD-1:0] chosen_word = words[chosen_address*WORD +: WORD];

// The pixel of the event that comes next: row for row, scan for scan those of a frame, then those of the flush. REPEATED scans
// come REPEATS times, before the next ones do.
reg [7:0] pixel;
wire flushes = pixel >= FRAME;
wire [7:0] at_scan = pixel / POSITIONS;
wire [7:0] scan = (at_scan / (REPEATED * REPEATS) * REPEATED + at_scan % REPEATED) % SCANS;
wire [7:0] channel = src_data[$bits(src_data)-TIMESTEPS-2:0];
reg again; // a frame has ended

always @(*) if (src_valid) assume(channel < CHANNELS);

always @(posedge clk) begin
    if (rst) begin
        taken <= 0;
        sent <= 0;
        age <= 0;
        pixel <= 0;
        again <= 0;
    end
    else begin
        taken <= taken + comes;
        sent <= sent + goes;
        if (comes && taken == chosen) begin
            age <= 1;
            chosen_address <= scan * CHANNELS + channel;
            chosen_tags <= src_data[$bits(src_data)-1 -: 1+TIMESTEPS];
            chosen_flushes <= flushes;
        end
        else if (age != 0 && moves) begin
            age <= age == 3 ? 0 : age + 1;
        end
        if (comes && src_data[$bits(src_data)-1]) begin
            pixel <= pixel == FRAME + FLUSH - 1 ? 0 : pixel + 1;
            again <= again || pixel == FRAME + FLUSH - 1;
        end
    end
end

always @(*) if (known) begin
    // One event a cycle, none lost or made up; each is out after three steps, in its turn.
    assert(src_ready == moves);
    assert(on_the_way == located + reading + fetched);
    assert((age != 0) == (chosen_ahead < on_the_way));
    assert(age != 1 || (located && chosen_ahead == reading + fetched));
    assert(age != 2 || (reading && chosen_ahead == fetched));
    assert((age == 3) == (dst_valid && sent == chosen));
    // What it has with it. Events of the flush have no spikes, so their words are not used.
    if (age != 0) begin
        assert(chosen_address < SCANS * CHANNELS);
    end
    if (age == 1) begin
        assert({located_last, located_mask} == chosen_tags && (chosen_flushes || address == chosen_address));
    end
    if (age == 2) begin
        assert({reading_last, reading_mask} == chosen_tags && (chosen_flushes || word == chosen_word));
    end
    if (age == 3) begin
        assert(dst_data[$bits(dst_data)-1:WORD] == chosen_tags && (chosen_flushes || dst_data[WORD-1:0] == chosen_word));
    end
    assert(pixel < FRAME + FLUSH);
    cover(age == 3 && !chosen_flushes && again && goes && dst_waits && chosen_address == SCANS * CHANNELS - 1);
    cover(again && on_the_way == 3 && comes && goes);
end
