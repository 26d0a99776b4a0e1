// The events that are due, walked one by one: `at` is the pixel, `sent` its channels that have had their event.
// The spikes of one pixel of one part, any, are followed; at the others an event marked last is taken at its word, since
// it is checked when the followed pixel is that one. A part's slot is its number since reset, modulo SLOTS: a multiple of
// BANKS, so that a slot has one bank, and no less than the BANKS + 3 parts that there may be from `at` to the one that arrives.
localparam SLOTS = 3 * BANKS;
localparam CHANNELS = CHUNKS * LANES;
localparam BITS = LANES * TIMESTEPS;
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

function is_empty;
    input [19:0] position;
    is_empty = is_flush(position) || position[3:0] >= WIDTH;
endfunction

function is_followed;
    input [19:0] position;
    is_followed = !is_flush(position) && position[19:16] == followed_slot && position[3:0] == followed_column;
endfunction

// What has come: whole parts, beats of the next one, and the spikes of the pixel, channel by channel.
reg [3:0] slot_in;
reg [7:0] beats;
reg [CHANNELS*TIMESTEPS-1:0] spikes;
wire takes = src_valid && src_ready;
wire completes = takes && beats == WIDTH * CHUNKS - 1;

reg [19:0] at;
reg [CHANNELS-1:0] sent;
reg [CHANNELS-1:0] firing;
wire [CHANNELS-1:0] left = firing & ~sent;
wire is_due = is_flush(at) || at[19:16] != slot_in;
reg [1:0] waited;
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
        waited <= 0;
    end
    else begin
        if (completes) begin
            slot_in <= slot_after(slot_in);
        end
        beats <= completes ? 0 : beats + takes;
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (takes && slot_in == followed_slot && beats == k * WIDTH + followed_column) begin
                spikes[k*BITS +: BITS] <= src_data;
            end
        end
        if (gives && gives_last) begin
            at <= after(at);
            sent <= 0;
        end
        else if (gives && is_followed(at)) begin
            for (c = 0; c < CHANNELS; c = c + 1) begin
                if (gives_channel == c) begin
                    sent[c] <= 1;
                end
            end
        end
        waited <= is_due && !dst_valid ? waited + 1 : 0;
    end
end

// Every event is the one that is due, and one that is due comes within three cycles.
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
                // The lowest channel that is left.
                if (left[c] && (left & ((1 << c) - 1)) == 0) begin
                    assert(gives_channel == c && gives_mask == spikes[c*TIMESTEPS +: TIMESTEPS]);
                    assert(gives_last == (left >> (c + 1) == 0));
                end
            end
        end
        assert(waited != 3 || dst_valid);
        assert(src_ready || &\buffer_rows.whole );
        // The words that are read and used are those of whole parts, and a bank that is freed holds one.
        assert(!read || todo == 0 || full[bank]);
        assert(!free_bank || full[bank]);
    end
end

// How the stages stand to each other. The event stage is at `at`; the chunk after it, in the fetch stage if there is one,
// is of `fetch_at`, and the chunk after that, to be fetched by the walker, of `walk_at`; `fetch_left` and `walk_left` are
// the channels of those pixels then still to come, if the pixel is the one that is followed.
(* hierconn *) wire [BANKS-1:0] \buffer_rows.whole ;
(* hierconn *) wire [3:0] \buffer_rows.filling ;
(* hierconn *) wire [7:0] \buffer_rows.beats ;
(* hierconn *) wire [CHUNKS-1:0] \buffer_rows.arrived ;
(* hierconn *) wire [CHUNKS*BITS-1:0] \buffer_rows.spikes ;
wire [BANKS-1:0] whole = \buffer_rows.whole ;
wire [3:0] filling = \buffer_rows.filling ;
wire [CHUNKS-1:0] arrived = \buffer_rows.arrived ;
wire [CHUNKS*BITS-1:0] buffered = \buffer_rows.spikes ;

reg [3:0] slot_out;
wire [3:0] parts_inside = parts_between(slot_out, slot_in);
always @(posedge clk) slot_out <= rst ? 0 : free_bank ? slot_after(slot_out) : slot_out;

wire [19:0] fetch_at = encoding && encode_last ? after(at) : at;
wire [19:0] walk_at = fetched && fetch_last ? after(fetch_at) : fetch_at;
reg [CHANNELS-1:0] fetch_left, walk_left;
reg [CHUNKS-1:0] encode_of, fetch_of; // bit k: the stage holds chunk k

// Whether the followed part is the last that came into its bank, as far as it has come.
wire [3:0] age = parts_between(followed_slot, slot_in);
wire has_bank = age == 0 ? !whole[filling] : age < BANKS || age == BANKS && whole[filling];

always @(*) begin
    fetch_left = encoding && encode_last ? firing : left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        encode_of[k] = encode_channel == k * LANES;
        if (encoding && !encode_last && encode_of[k]) begin
            fetch_left[k*LANES +: LANES] = 0;
        end
    end
    walk_left = fetched && fetch_last ? firing : fetch_left;
    for (k = 0; k < CHUNKS; k = k + 1) begin
        fetch_of[k] = fetch_channel == k * LANES;
        if (fetched && !fetch_last && fetch_of[k]) begin
            walk_left[k*LANES +: LANES] = 0;
        end
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

        // The walk.
        assert(bank == bank_of(slot_out) && bank_base == bank * WIDTH);
        assert({slot_out, 4'd0 | flushing, 4'd0 | part, 4'd0 | scan, 4'd0 | column} == walk_at);
        assert(at[19:16] < SLOTS && at[15:12] <= FLUSH && at[11:8] < PARTS && at[7:4] < SCANS && at[3:0] < WIDTH + PADDING);
        assert(!is_flush(at) || at[11:0] == 0);
        assert(is_followed(at) || sent == 0);
        assert(sent == 0 || sent < (left & -left));
        assert(walking || (fetched ? fetch_last : encoding ? encode_last : sent == 0));
        assert(!walking || is_flush(walk_at) || slot_out != slot_in);
        assert(!fetched || is_flush(fetch_at) || fetch_at[19:16] != slot_in);
        assert(waited == 0 || walking || fetched || encoding);
        assert(waited != 2 || fetched || encoding);

        // What each stage holds.
        assert(!fetched || fetch_of != 0);
        assert(!encoding || encode_of != 0);
        if (walking && is_empty(walk_at)) begin
            assert(todo == 0);
        end
        if (walking && !is_empty(walk_at)) begin
            assert(base == (bank_base + column) * CHUNKS);
        end
        if (walking && is_followed(walk_at)) begin
            for (k = 0; k < CHUNKS; k = k + 1) begin
                assert(todo[k] == |walk_left[k*LANES +: LANES]);
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
                        assert(!pending[c] || masks[c] == spikes[(k*LANES+c)*TIMESTEPS +: TIMESTEPS]);
                    end
                end
            end
        end
        cover(gives && is_followed(at) && at[19:16] == 1 && left == 1 << (CHANNELS - 1) && sent + 1 == 1 << (CHANNELS - 1));
        cover(gives && is_followed(at) && at[19:16] == 2 && left == 0);
        cover(gives && at[19:16] == BANKS && &whole && src_valid);
    end
end
