// One pixel of one bank, any, is followed. The COLUMNS columns of a pixel come one after the other: a beat `beats` of a part is
// chunk beats / (PIXELS * COLUMNS) * COLUMNS + beats % COLUMNS of pixel beats / COLUMNS % PIXELS. own_column: of the next beat.
localparam BITS = $bits(src_data);
localparam BEATS = PIXELS * CHUNKS;
localparam GROUP = PIXELS * COLUMNS;
// Registers of the flags, by the names that they have there; the flags of all pixels lie side by side.
(* hierconn *) wire \mark_chunks.flagging ;
wire flagging = \mark_chunks.flagging ;
(* hierconn *) wire \mark_chunks.beginning ;
wire beginning = \mark_chunks.beginning ;
(* hierconn *) wire \mark_chunks.completing ;
wire completing = \mark_chunks.completing ;
(* hierconn *) wire [$clog2(BANKS*PIXELS)-1:0] \mark_chunks.flagged_addr ;
wire [$clog2(BANKS*PIXELS)-1:0] flagged_addr = \mark_chunks.flagged_addr ;
(* hierconn *) wire [$clog2(BANKS)-1:0] \mark_chunks.flagged_bank ;
wire [$clog2(BANKS)-1:0] flagged_bank = \mark_chunks.flagged_bank ;
(* hierconn *) wire [CHUNKS-1:0] \mark_chunks.own ;
wire [CHUNKS-1:0] own = \mark_chunks.own ;
(* hierconn *) wire [CHUNKS-1:0] \mark_chunks.earlier ;
wire [CHUNKS-1:0] earlier = \mark_chunks.earlier ;
(* hierconn *) wire [BANKS*PIXELS*CHUNKS-1:0] \mark_chunks.all_flags ;
wire [BANKS*PIXELS*CHUNKS-1:0] all_flags = \mark_chunks.all_flags ;
(* anyconst *) reg [3:0] at_bank;
(* anyconst *) reg [3:0] at_pixel;
wire [7:0] at_flags = at_bank * PIXELS + at_pixel;
wire [7:0] at_word = at_flags * CHUNKS;

// Where the next beat belongs, the banks that hold a whole part, and what came for the pixel, chunk by chunk.
reg [3:0] filling;
reg [7:0] beats;
reg [BANKS-1:0] whole;
reg [CHUNKS*BITS-1:0] spikes;
reg [CHUNKS-1:0] arrived;
// The beat that came last, if it came in the cycle before: it has no flag yet, and the part that it makes whole is not full.
reg came, came_whole, came_followed;
reg [3:0] came_bank, came_chunk;
wire [BANKS-1:0] due = whole & ~(came_whole << came_bank);
wire takes = src_valid && src_ready;
wire completes = takes && beats == BEATS - 1;

// The chunk of the pixel that was read, if one was.
reg [CHUNKS-1:0] reads;

// Whether its word was written at the edge at which it was read.
reg collided;

// The same words and flags as the block holds them.
(* hierconn *) wire [BANKS*BEATS*BITS-1:0] \store.contents ;
reg [CHUNKS*BITS-1:0] stored;
reg [CHUNKS-1:0] flagged;
// Flags of the pixel whose beat came last, or, when none came, whose beat is the next.
reg [CHUNKS-1:0] held;

// With HARMLESS, bit 0 of a pixel's flags is inverted each time that they are written: how often they were, modulo 2.
wire inverted = HARMLESS && (^arrived ^ (came && came_followed));

integer k, p;

always @(posedge clk) begin
    if (rst) begin
        filling <= 0;
        beats <= 0;
        whole <= 0;
        arrived <= 0;
        came <= 0;
        came_whole <= 0;
    end
    else begin
        came <= takes;
        came_whole <= completes;
        whole <= (whole | (completes << filling)) & ~(free_bank << freed_bank);
        if (completes) begin
            filling <= filling == BANKS - 1 ? 0 : filling + 1;
        end
        beats <= completes ? 0 : beats + takes;
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (takes && beats / GROUP * COLUMNS + beats % COLUMNS == k) begin
                came_chunk <= k;
                came_bank <= filling;
                came_followed <= filling == at_bank && beats == k / COLUMNS * GROUP + at_pixel * COLUMNS + k % COLUMNS;
            end
            if (takes && filling == at_bank && beats == k / COLUMNS * GROUP + at_pixel * COLUMNS + k % COLUMNS) begin
                spikes[k*BITS +: BITS] <= src_data;
                arrived[k] <= 1;
            end
        end
        if (free_bank && freed_bank == at_bank) begin
            arrived <= 0;
        end
    end
    collided <= write && write_addr == read_addr;
    reads <= 0;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        reads[k] <= known && read && whole[at_bank] && read_addr == at_word + k;
    end
end

always @(*) begin
    stored = 0;
    flagged = 0;
    held = 0;
    for (p = 0; p < BANKS * PIXELS; p = p + 1) begin
        if (at_flags == p) begin
            stored = \store.contents [p*CHUNKS*BITS +: CHUNKS*BITS];
            flagged = all_flags[p*CHUNKS +: CHUNKS];
        end
        if ((came ? flagged_addr : flag_addr) == p) held = all_flags[p*CHUNKS +: CHUNKS];
    end
end

always @(*) begin
    assume(at_bank < BANKS && at_pixel < PIXELS);
    if (known) begin
        // Banks that hold a whole part are full, and no others; they stay until they are freed; what is read and peeked at
        // in them is what came.
        assert(full == due);
        assert(src_ready == !whole[filling]);
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (reads[k]) begin
                assert(word == spikes[k*BITS +: BITS]);
            end
            if (peek_addr == at_flags && full[at_bank]) begin
                assert(peek[k] == |spikes[k*BITS +: BITS]);
            end
        end

        // No word is read while it is written: its memory may then give anything.
        if (reads != 0) begin
            assert(!collided);
        end

        // Where the block is, and what its memories hold by then.
        assert(bank == filling && filling < BANKS);
        assert(beats == chunk * PIXELS + pixel * COLUMNS + own_column && pixel < PIXELS && own_column < COLUMNS);
        assert(chunk < CHUNKS && chunk % COLUMNS == 0 && place == 1 << (chunk + own_column));
        assert(!whole[filling] || beats == 0);
        assert(word_base == filling * BEATS && flag_base == filling * PIXELS);
        assert(write_addr == (filling * PIXELS + pixel) * CHUNKS + chunk + own_column);
        assert(flag_addr == filling * PIXELS + pixel);
        assert(occupied == whole && flagging == came && completing == came_whole);
        assert(!came_whole || came && whole[came_bank] && came_chunk == CHUNKS - 1);
        if (came) begin
            assert(flagged_bank == came_bank && beginning == (came_chunk == 0) && (own & ~(1 << came_chunk)) == 0);
            assert(came_followed == (flagged_addr == at_flags));
            assert(!came_followed || came_bank == at_bank && arrived[came_chunk] && |own == |spikes[came_chunk*BITS +: BITS]);
        end
        // The flags to which the beat adds its own; those of one pixel are what the beat before left.
        if (came && came_chunk != 0) assert(earlier == held);
        if (PIXELS == 1 && !came && chunk != 0) assert(earlier == held);
        for (k = 0; k < CHUNKS; k = k + 1) begin
            assert(arrived[k] == (whole[at_bank] || filling == at_bank && beats > k / COLUMNS * GROUP + at_pixel * COLUMNS + k % COLUMNS));
            if (arrived[k]) begin
                assert(stored[k*BITS +: BITS] == spikes[k*BITS +: BITS]);
                assert(flagged[k] == (|spikes[k*BITS +: BITS] ^ (inverted && k == 0)) || came && came_followed && came_chunk <= k);
            end
            else if (arrived[0] && !(came && came_followed && came_chunk == 0)) begin
                assert(!flagged[k]);
            end
        end
    end
end
