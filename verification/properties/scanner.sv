// The events that are due, walked one by one: `at` is the pixel, `sent` its channels that have had their event.
// The spikes of one pixel of one part, any, are followed; at the others an event marked last is taken at its word, since
// it is checked when the followed pixel is that one. A part's slot is its number since reset, modulo SLOTS: a multiple of
// BANKS, so that a slot has one bank, and no less than the BANKS + 3 parts that there may be from `at` to the one that arrives.
localparam SLOTS = 3 * BANKS;
localparam CHANNELS = CHUNKS * LANES;
localparam GROUP = WIDTH * SUMMED; // beats of a channel group
localparam BITS = LANES * TIMESTEPS;

// Registers of the steps, by the names that they have there; `masks` lie side by side.
localparam WORDS = BANKS * WIDTH * CHUNKS;
localparam SPANS = (CHUNKS + SPAN - 1) / SPAN;
localparam BANK = BANKS > 1 ? $clog2(BANKS) : 1;
localparam ADDRESS = WORDS > 1 ? $clog2(WORDS) : 1;
localparam CHUNK = CHUNKS > 1 ? $clog2(CHUNKS) : 1;
localparam OWN = CHANNELS / SUMMED;
localparam CHANNEL = OWN > 1 ? $clog2(OWN) : 1;
(* hierconn *) wire \find_positions.look ;
wire look = \find_positions.look ;
(* hierconn *) wire [BANKS-1:0] \find_positions.taken ;
wire [BANKS-1:0] taken = \find_positions.taken ;
(* hierconn *) wire [BANK-1:0] \find_positions.bank ;
wire [BANK-1:0] bank = \find_positions.bank ;
(* hierconn *) wire [(PARTS > 1 ? $clog2(PARTS) : 1)-1:0] \find_positions.part ;
wire [(PARTS > 1 ? $clog2(PARTS) : 1)-1:0] part = \find_positions.part ;
(* hierconn *) wire [(SCANS > 1 ? $clog2(SCANS) : 1)-1:0] \find_positions.scan ;
wire [(SCANS > 1 ? $clog2(SCANS) : 1)-1:0] scan = \find_positions.scan ;
(* hierconn *) wire [(WIDTH + PADDING > 1 ? $clog2(WIDTH + PADDING) : 1)-1:0] \find_positions.column ;
wire [(WIDTH + PADDING > 1 ? $clog2(WIDTH + PADDING) : 1)-1:0] column = \find_positions.column ;
(* hierconn *) wire [(FLUSH > 0 ? $clog2(FLUSH + 1) : 1)-1:0] \find_positions.flushing ;
wire [(FLUSH > 0 ? $clog2(FLUSH + 1) : 1)-1:0] flushing = \find_positions.flushing ;
(* hierconn *) wire [$clog2(BANKS*WIDTH)-1:0] \find_positions.pixel_base ;
wire [$clog2(BANKS*WIDTH)-1:0] pixel_base = \find_positions.pixel_base ;
(* hierconn *) wire [ADDRESS-1:0] \find_positions.word_base ;
wire [ADDRESS-1:0] word_base = \find_positions.word_base ;
(* hierconn *) wire [ADDRESS-1:0] \find_positions.word_addr ;
wire [ADDRESS-1:0] word_addr = \find_positions.word_addr ;
(* hierconn *) wire \select_spans.ahead ;
wire ahead = \select_spans.ahead ;
(* hierconn *) wire \select_spans.ahead_ends_part ;
wire ahead_ends_part = \select_spans.ahead_ends_part ;
(* hierconn *) wire \select_spans.walking ;
wire walking = \select_spans.walking ;
(* hierconn *) wire \select_spans.walk_ready ;
wire walk_ready = \select_spans.walk_ready ;
(* hierconn *) wire \select_spans.walk_ends_part ;
wire walk_ends_part = \select_spans.walk_ends_part ;
(* hierconn *) wire [CHUNKS-1:0] \select_spans.ahead_flags ;
wire [CHUNKS-1:0] ahead_flags = \select_spans.ahead_flags ;
(* hierconn *) wire [CHUNKS-1:0] \select_spans.walk_flags ;
wire [CHUNKS-1:0] walk_flags = \select_spans.walk_flags ;
(* hierconn *) wire [ADDRESS-1:0] \select_spans.ahead_base ;
wire [ADDRESS-1:0] ahead_base = \select_spans.ahead_base ;
(* hierconn *) wire [ADDRESS-1:0] \select_spans.base ;
wire [ADDRESS-1:0] base = \select_spans.base ;
(* hierconn *) wire [SPANS-1:0] \select_spans.spans_todo ;
wire [SPANS-1:0] spans_todo = \select_spans.spans_todo ;
(* hierconn *) wire \select_chunks.spanning ;
wire spanning = \select_chunks.spanning ;
(* hierconn *) wire \select_chunks.span_ready ;
wire span_ready = \select_chunks.span_ready ;
(* hierconn *) wire \select_chunks.span_last ;
wire span_last = \select_chunks.span_last ;
(* hierconn *) wire \select_chunks.span_ends_part ;
wire span_ends_part = \select_chunks.span_ends_part ;
(* hierconn *) wire \select_chunks.chosen ;
wire chosen = \select_chunks.chosen ;
(* hierconn *) wire \select_chunks.chosen_last ;
wire chosen_last = \select_chunks.chosen_last ;
(* hierconn *) wire \select_chunks.chosen_silent ;
wire chosen_silent = \select_chunks.chosen_silent ;
(* hierconn *) wire \select_chunks.chosen_ends_part ;
wire chosen_ends_part = \select_chunks.chosen_ends_part ;
(* hierconn *) wire [ADDRESS-1:0] \select_chunks.span_base ;
wire [ADDRESS-1:0] span_base = \select_chunks.span_base ;
(* hierconn *) wire [CHUNK-1:0] \select_chunks.span_first ;
wire [CHUNK-1:0] span_first = \select_chunks.span_first ;
(* hierconn *) wire [CHUNK-1:0] \select_chunks.chosen_chunk ;
wire [CHUNK-1:0] chosen_chunk = \select_chunks.chosen_chunk ;
(* hierconn *) wire [SPAN-1:0] \select_chunks.chunks_todo ;
wire [SPAN-1:0] chunks_todo = \select_chunks.chunks_todo ;
(* hierconn *) wire \select_channels.fetched ;
wire fetched = \select_channels.fetched ;
(* hierconn *) wire \select_channels.fetch_ready ;
wire fetch_ready = \select_channels.fetch_ready ;
(* hierconn *) wire \select_channels.fetch_last ;
wire fetch_last = \select_channels.fetch_last ;
(* hierconn *) wire \select_channels.fetch_silent ;
wire fetch_silent = \select_channels.fetch_silent ;
(* hierconn *) wire \select_channels.encoding ;
wire encoding = \select_channels.encoding ;
(* hierconn *) wire \select_channels.encode_ready ;
wire encode_ready = \select_channels.encode_ready ;
(* hierconn *) wire \select_channels.encode_last ;
wire encode_last = \select_channels.encode_last ;
(* hierconn *) wire [CHANNEL-1:0] \select_channels.fetch_channel ;
wire [CHANNEL-1:0] fetch_channel = \select_channels.fetch_channel ;
(* hierconn *) wire [CHANNEL-1:0] \select_channels.encode_channel ;
wire [CHANNEL-1:0] encode_channel = \select_channels.encode_channel ;
(* hierconn *) wire [LANES-1:0] \select_channels.pending ;
wire [LANES-1:0] pending = \select_channels.pending ;
(* hierconn *) wire [LANES*TIMESTEPS-1:0] \select_channels.masks_in_order ;
wire [LANES*TIMESTEPS-1:0] masks_in_order = \select_channels.masks_in_order ;
(* anyconst *) reg [3:0] followed_slot;
(* hierconn *) wire [3:0] \buffer_rows.at_bank ;
(* hierconn *) wire [3:0] \buffer_rows.at_pixel ;
wire [3:0] followed_column = \buffer_rows.at_pixel ;

// Parts from one slot to another.
function [3:0] parts_between;
    input [3:0] from, to;
    parts_between = to >= from ? to - from : to + SLOTS - from;
endfunction

function [3:0] slot_after;
    input [3:0] slot;
    slot_after = slot == SLOTS - 1 ? 0 : slot + 1;
endfunction

function [3:0] bank_of;
    input [3:0] slot;
    bank_of = slot >= 2 * BANKS ? slot - 2 * BANKS : slot >= BANKS ? slot - BANKS : slot;
endfunction

// A position: slot, empty pixels left to flush the frame, part, scan, column.
function [19:0] after;
    input [19:0] position;
    reg [3:0] slot, flushes, n, pass, x;
    begin
        {slot, flushes, n, pass, x} = position;
        if (flushes != 0) begin
            flushes = flushes - 1;
        end
        else if (x != WIDTH + PADDING - 1) begin
            x = x + 1;
        end
        else begin
            x = 0;
            if (pass != SCANS - 1) begin
                pass = pass + 1;
            end
            else begin
                pass = 0;
                slot = slot_after(slot);
                if (n != PARTS - 1) begin
                    n = n + 1;
                end
                else begin
                    n = 0;
                    flushes = FLUSH;
                end
            end
        end
        after = {slot, flushes, n, pass, x};
    end
endfunction

function is_flush;
    input [19:0] position;
    is_flush = position[15:12] != 0;
endfunction

function is_last_of_part;
    input [19:0] position;
    is_last_of_part = !is_flush(position) && position[7:4] == SCANS - 1 && position[3:0] == WIDTH + PADDING - 1;
endfunction

function is_empty;
    input [19:0] position;
    is_empty = is_flush(position) || position[3:0] >= WIDTH;
endfunction

function is_followed;
    input [19:0] position;
    is_followed = !is_flush(position) && position[19:16] == followed_slot && position[3:0] == followed_column;
endfunction

// What has come: whole parts, beats of the next one, the parts that became whole in the last seven cycles (bit 0: in the one
// before this), and the spikes of the pixel, channel by channel.
reg [3:0] slot_in;
reg [6:0] completed;
reg [7:0] beats;
reg [CHANNELS*TIMESTEPS-1:0] spikes;
wire takes = src_valid && src_ready;
wire completes = takes && beats == WIDTH * CHUNKS - 1;

reg [19:0] at;
reg [CHANNELS-1:0] sent;
reg [CHANNELS-1:0] firing;
wire [CHANNELS-1:0] left = firing & ~sent;
wire is_due = is_flush(at) || at[19:16] != slot_in;

// Whether the part of a position, or the one before if the position flushes, was whole before the `last_few` parts came.
function was_due;
    input [19:0] position;
    input [3:0] last_few;
    reg [3:0] parts;
    begin
        parts = parts_between(position[19:16], slot_in) + is_flush(position);
        was_due = parts > last_few;
    end
endfunction

wire [3:0] completed_2 = 4'd0 + completed[0] + completed[1];
wire [3:0] completed_3 = completed_2 + completed[2];
wire [3:0] completed_4 = completed_3 + completed[3];
wire [3:0] completed_5 = completed_4 + completed[4];
wire [3:0] completed_6 = completed_5 + completed[5];
wire [3:0] completed_7 = completed_6 + completed[6];
wire gives = dst_valid && dst_ready;
wire gives_last;
wire [TIMESTEPS-1:0] gives_mask;
wire [$bits(dst_data)-TIMESTEPS-2:0] gives_channel;
assign {gives_last, gives_mask, gives_channel} = dst_data;

integer b, c, k;

always @(*) begin
    for (c = 0; c < CHANNELS; c = c + 1) begin
        firing[c] = |spikes[c*TIMESTEPS +: TIMESTEPS];
    end
end

always @(posedge clk) begin
    if (rst) begin
        slot_in <= 0;
        beats <= 0;
        at <= 0;
        sent <= 0;
        completed <= 0;
    end
    else begin
        completed <= {completed, completes};
        if (completes) begin
            slot_in <= slot_after(slot_in);
        end
        beats <= completes ? 0 : beats + takes;
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (takes && slot_in == followed_slot && beats == k / SUMMED * GROUP + followed_column * SUMMED + k % SUMMED) begin
                spikes[k*BITS +: BITS] <= src_data;
            end
        end
        if (gives && gives_last) begin
            at <= after(at);
            sent <= 0;
        end
        else if (gives && is_followed(at)) begin
            sent <= sent | (left & -left);
        end
    end
end

// Every event is the one that is due. It is there seven cycles after its part became whole, or else right after the event
// before it.
always @(*) begin
    assume(followed_slot < SLOTS && bank_of(followed_slot) == \buffer_rows.at_bank );
    if (known) begin
        assert(!dst_valid || is_due);
        if (dst_valid && is_empty(at)) begin
            assert(gives_mask == 0 && gives_last);
        end
        if (dst_valid && is_followed(at)) begin
            if (left == 0) begin
                assert(gives_mask == 0 && gives_last);
            end
            for (c = 0; c < CHANNELS; c = c + 1) begin
                // The lowest channel that is left, of the first column that has one.
                if (left[c] && (left & ((1 << c) - 1)) == 0) begin
                    assert(gives_channel == c / LANES / SUMMED * LANES + c % LANES && gives_mask == spikes[c*TIMESTEPS +: TIMESTEPS]);
                    assert(gives_last == (left >> (c + 1) == 0));
                end
            end
        end
        assert(!was_due(at, completed_7) || dst_valid);
        assert(src_ready || &\buffer_rows.whole );
        // The words that are read and used are those of whole parts; a bank is freed at the last read of its part.
        assert(!read || chosen_silent || full[bank_of(slot_out)]);
        assert(freed == (read && chosen_last && is_last_of_part(choose_at)));
        assert(!freed || full[freed_bank] && freed_bank == bank_of(slot_out));
    end
end

// How the steps stand to each other. The event is at `at`; the chunk being fetched, or the next one that will be, is of
// `fetch_at`, the one being read of `choose_at`, the one to be chosen of `span_at`, and the span to be chosen of `walk_at`;
// the pixel ahead is at `ahead_at` and the one that is looked at at `look_at`. `fetch_left`, `choose_left`, `span_left` and
// `walk_left` are the channels of those pixels then still to come, if the pixel is the one that is followed.
(* hierconn *) wire [BANKS-1:0] \buffer_rows.whole ;
(* hierconn *) wire \buffer_rows.came_whole ;
(* hierconn *) wire [3:0] \buffer_rows.filling ;
(* hierconn *) wire [7:0] \buffer_rows.beats ;
(* hierconn *) wire [CHUNKS-1:0] \buffer_rows.arrived ;
(* hierconn *) wire [CHUNKS*BITS-1:0] \buffer_rows.spikes ;
wire [BANKS-1:0] whole = \buffer_rows.whole ;
wire [3:0] filling = \buffer_rows.filling ;
wire [CHUNKS-1:0] arrived = \buffer_rows.arrived ;
wire [CHUNKS*BITS-1:0] buffered = \buffer_rows.spikes ;

reg [19:0] fetch_at, choose_at, span_at, walk_at, ahead_at, look_at;
wire [3:0] slot_out = choose_at[19:16];
wire [3:0] parts_inside = parts_between(slot_out, slot_in);
wire [3:0] parts_taken = parts_between(slot_out, look_at[19:16]);
always @(posedge clk) begin
    if (rst) begin
        {fetch_at, choose_at, span_at, walk_at, ahead_at, look_at} <= 0;
    end
    else begin
        if (fetched && fetch_last && encode_ready) fetch_at <= after(fetch_at);
        if (chosen && chosen_last && fetch_ready) choose_at <= after(choose_at);
        if (spanning && span_last && span_ready) span_at <= after(span_at);
        if (walking && walk_ready) walk_at <= after(walk_at);
        if (ahead && walk_ready) ahead_at <= after(ahead_at);
        if (look) look_at <= after(look_at);
    end
end

// The chunks of the last two steps, which hold their first channels.
reg [CHUNK-1:0] fetch_chunk, encode_chunk;
always @(posedge clk) begin
    if (fetch_ready) fetch_chunk <= chosen_chunk;
    if (encode_ready) encode_chunk <= fetch_chunk;
end

reg [CHANNELS-1:0] fetch_left, choose_left, span_left, walk_left;
reg [CHUNKS-1:0] encode_of, fetch_of, choose_of, span_of; // bit k: the step holds chunk k, or the span that it is in
reg [CHUNKS-1:0] after_span, span_chunks, walk_chunks;

// Where the words of a pixel are.
function [7:0] word_of;
    input [19:0] position;
    word_of = (bank_of(position[19:16]) * WIDTH + position[3:0]) * CHUNKS;
endfunction

// Whether the last chunk that was chosen is its pixel's last.
wire ends_pixel = chosen ? chosen_last : fetched ? fetch_last : encoding ? encode_last : sent == 0;

// Whether a position is of a part that is whole, and not freed yet.
function is_inside;
    input [19:0] position;
    is_inside = parts_between(slot_out, position[19:16]) < parts_inside;
endfunction

// Whether the followed part is the last that came into its bank, as far as it has come.
wire [3:0] age = parts_between(followed_slot, slot_in);
wire has_bank = age == 0 ? !whole[filling] : age < BANKS || age == BANKS && whole[filling];

always @(*) begin
    fetch_left = encoding && encode_last ? firing : left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        encode_of[k] = encode_chunk == k;
        if (encoding && !encode_last && encode_of[k]) begin
            fetch_left[k*LANES +: LANES] = 0;
        end
    end
    choose_left = fetched && fetch_last ? firing : fetch_left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        fetch_of[k] = fetch_chunk == k;
        if (fetched && !fetch_last && fetch_of[k]) begin
            choose_left[k*LANES +: LANES] = 0;
        end
    end
    span_left = chosen && chosen_last ? firing : choose_left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        choose_of[k] = chosen_chunk == k;
        if (chosen && !chosen_last && choose_of[k]) begin
            span_left[k*LANES +: LANES] = 0;
        end
    end
    walk_left = spanning && span_last ? firing : span_left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        span_of[k] = span_first == k / SPAN * SPAN;
        after_span[k] = k / SPAN * SPAN > span_first;
        if (spanning && !span_last && span_of[k]) begin
            walk_left[k*LANES +: LANES] = 0;
        end
    end
    // Whether chunks, and spans, have channels left.
    for (k = 0; k < CHUNKS; k = k + 1) begin
        span_chunks[k] = |span_left[k*LANES +: LANES];
        walk_chunks[k] = |walk_left[k*LANES +: LANES];
    end
end

always @(*) begin
    if (known) begin
        // What has come, beside the row buffer.
        assert(slot_in < SLOTS && slot_out < SLOTS && parts_inside <= BANKS);
        assert(beats == \buffer_rows.beats && filling == bank_of(slot_in));
        for (b = 0; b < BANKS; b = b + 1) begin
            assert(whole[b] == (parts_inside >= (filling > b ? filling - b : filling + BANKS - b)));
        end
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (arrived[k] && has_bank) begin
                assert(buffered[k*BITS +: BITS] == spikes[k*BITS +: BITS]);
            end
        end

        // The positions.
        assert(fetch_at == (encoding && encode_last ? after(at) : at));
        assert(choose_at == (fetched && fetch_last ? after(fetch_at) : fetch_at));
        assert(span_at == (chosen && chosen_last ? after(choose_at) : choose_at));
        assert(walk_at == (spanning && span_last ? after(span_at) : span_at));
        assert(ahead_at == (walking ? after(walk_at) : walk_at));
        assert(look_at == (ahead ? after(ahead_at) : ahead_at));
        assert({4'd0 | flushing, 4'd0 | part, 4'd0 | scan, 4'd0 | column} == look_at[15:0]);
        assert(bank == bank_of(look_at[19:16]) && pixel_base == bank * WIDTH && word_base == pixel_base * CHUNKS);
        assert(pixel_addr == pixel_base + (column < WIDTH ? column : WIDTH - 1) && word_addr == pixel_addr * CHUNKS);
        assert(freed_bank == bank_of(slot_out));
        assert(parts_taken + \buffer_rows.came_whole <= parts_inside);
        for (b = 0; b < BANKS; b = b + 1) begin
            assert(taken[b] == (parts_taken > (freed_bank > b ? b + BANKS - freed_bank : b - freed_bank)));
        end
        assert(at[19:16] < SLOTS && at[15:12] <= FLUSH && at[11:8] < PARTS && at[7:4] < SCANS && at[3:0] < WIDTH + PADDING);
        assert(!is_flush(at) || at[11:0] == 0);
        assert(is_followed(at) || sent == 0);
        assert(sent == 0 || sent < (left & -left));
        assert(spanning || ends_pixel);
        assert(walking || (spanning ? span_last : ends_pixel));
        assert(!ahead || is_flush(ahead_at) || is_inside(ahead_at));
        assert(!walking || is_flush(walk_at) || is_inside(walk_at));
        assert(!spanning || is_flush(span_at) || is_inside(span_at));
        assert(!chosen || is_flush(choose_at) || is_inside(choose_at));
        assert(!fetched || is_flush(fetch_at) || fetch_at[19:16] != slot_in);
        assert(ahead || !was_due(look_at, completed_2));
        assert(walking || !was_due(ahead_at, completed_3));
        assert(spanning || !was_due(walk_at, completed_4));
        assert(chosen || !was_due(span_at, completed_5));
        assert(fetched || !was_due(choose_at, completed_6));

        // What each step holds.
        assert(!spanning || span_of != 0 && (8'd0 | chunks_todo) << span_first < 1 << CHUNKS);
        assert(!chosen || choose_of != 0);
        assert(!fetched || fetch_of != 0 && fetch_channel == fetch_chunk / SUMMED * LANES);
        assert(!encoding || encode_of != 0 && encode_channel == encode_chunk / SUMMED * LANES);
        assert(!ahead || ahead_ends_part == is_last_of_part(ahead_at));
        assert(!walking || walk_ends_part == is_last_of_part(walk_at));
        assert(!spanning || span_ends_part == is_last_of_part(span_at));
        assert(!chosen || chosen_ends_part == (chosen_last && is_last_of_part(choose_at)));
        if (ahead && is_empty(ahead_at)) begin
            assert(ahead_flags == 0);
        end
        if (ahead && !is_empty(ahead_at)) begin
            assert(ahead_base == word_of(ahead_at));
        end
        if (ahead && is_followed(ahead_at)) begin
            for (k = 0; k < CHUNKS; k = k + 1) begin
                assert(ahead_flags[k] == |firing[k*LANES +: LANES]);
            end
        end
        if (walking && is_empty(walk_at)) begin
            assert(walk_flags == 0 && spans_todo == 0);
        end
        if (walking && !is_empty(walk_at)) begin
            assert(base == word_of(walk_at));
        end
        if (walking && is_followed(walk_at)) begin
            for (k = 0; k < CHUNKS; k = k + 1) begin
                assert(walk_flags[k] == |firing[k*LANES +: LANES]);
                if (k % SPAN == 0) begin
                    assert(spans_todo[k / SPAN] == |(walk_chunks >> k & (1 << SPAN) - 1));
                end
            end
        end
        if (spanning && is_empty(span_at)) begin
            assert(chunks_todo == 0 && span_last);
        end
        if (spanning && !is_empty(span_at)) begin
            assert(span_base == word_of(span_at) + span_first);
        end
        if (spanning && is_followed(span_at)) begin
            assert(chunks_todo == (span_chunks & span_of) >> span_first);
            assert((chunks_todo == 0) == (span_left == 0) && (span_chunks & ~span_of & ~after_span) == 0);
            assert(span_last == ((span_chunks & after_span) == 0));
        end
        if (chosen && is_empty(choose_at)) begin
            assert(chosen_silent && chosen_last);
        end
        if (chosen && is_followed(choose_at)) begin
            assert(chosen_silent == (choose_left == 0));
            assert(!chosen_silent || chosen_last);
            for (k = 0; k < CHUNKS; k = k + 1) begin
                if (choose_of[k] && !chosen_silent) begin
                    assert(read_addr == word_of(choose_at) + k && choose_left[k*LANES +: LANES] != 0);
                    assert((choose_left & ((1 << k * LANES) - 1)) == 0);
                    assert(chosen_last == (choose_left >> (k * LANES + LANES) == 0));
                end
            end
        end
        if (fetched && is_empty(fetch_at)) begin
            assert(fetch_silent && fetch_last);
        end
        if (fetched && is_followed(fetch_at)) begin
            assert(fetch_silent == (fetch_left == 0));
            assert(!fetch_silent || fetch_last);
            for (k = 0; k < CHUNKS; k = k + 1) begin
                if (fetch_of[k] && !fetch_silent) begin
                    assert(word == spikes[k*BITS +: BITS] && fetch_left[k*LANES +: LANES] != 0);
                    assert((fetch_left & ((1 << k * LANES) - 1)) == 0);
                    assert(fetch_last == (fetch_left >> (k * LANES + LANES) == 0));
                end
            end
        end
        if (encoding && is_empty(at)) begin
            assert(pending == 0 && encode_last);
        end
        if (encoding && is_followed(at)) begin
            assert((pending == 0) == (left == 0));
            assert(pending != 0 || encode_last);
            for (k = 0; k < CHUNKS; k = k + 1) begin
                if (encode_of[k] && pending != 0) begin
                    assert(pending == left[k*LANES +: LANES]);
                    assert((left & ((1 << k * LANES) - 1)) == 0);
                    assert(encode_last == (left >> (k * LANES + LANES) == 0));
                    for (c = 0; c < LANES; c = c + 1) begin
                        assert(!pending[c] || masks_in_order[c*TIMESTEPS +: TIMESTEPS] == spikes[(k*LANES+c)*TIMESTEPS +: TIMESTEPS]);
                    end
                end
            end
        end
        cover(gives && is_followed(at) && at[19:16] == 1 && left == 1 << (CHANNELS - 1) && sent + 1 == 1 << (CHANNELS - 1));
        cover(gives && is_followed(at) && at[19:16] == 2 && left == 0);
        cover(gives && at[19:16] == BANKS && &whole && src_valid);
    end
end
