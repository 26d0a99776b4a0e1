// The events that are due, walked one by one: `at` is the pixel, `sent` its channels that have had their event.
// The spikes of one pixel of one row, any, are followed; at the others an event marked last is taken at its word, since
// it is checked when the followed pixel is that one. A row's slot is its number since reset, modulo 8.
localparam CHANNELS = CHUNKS * LANES;
localparam BITS = LANES * TIMESTEPS;
(* anyconst *) reg [2:0] followed_slot;
(* hierconn *) wire \buffer_rows.at_bank ;
(* hierconn *) wire [3:0] \buffer_rows.at_pixel ;
wire [3:0] followed_column = \buffer_rows.at_pixel ;

// A position: slot, empty pixels left to flush the frame, row, scan, column.
function [18:0] after;
    input [18:0] position;
    reg [2:0] slot;
    reg [3:0] flushes, y, pass, x;
    begin
        {slot, flushes, y, pass, x} = position;
        if (flushes != 0) begin
            flushes = flushes - 1;
        end
        else if (x != WIDTH + PADDING - 1) begin
            x = x + 1;
        end
        else begin
            x = 0;
            if (pass != PASSES - 1) begin
                pass = pass + 1;
            end
            else begin
                pass = 0;
                slot = slot + 1;
                if (y != HEIGHT - 1) begin
                    y = y + 1;
                end
                else begin
                    y = 0;
                    flushes = FLUSH;
                end
            end
        end
        after = {slot, flushes, y, pass, x};
    end
endfunction

function is_flush;
    input [18:0] position;
    is_flush = position[15:12] != 0;
endfunction

function is_empty;
    input [18:0] position;
    is_empty = is_flush(position) || position[3:0] >= WIDTH;
endfunction

function is_followed;
    input [18:0] position;
    is_followed = !is_flush(position) && position[18:16] == followed_slot && position[3:0] == followed_column;
endfunction

// What has come: whole rows, beats of the next one, and the spikes of the pixel, channel by channel.
reg [2:0] slot_in;
reg [7:0] beats;
reg [CHANNELS*TIMESTEPS-1:0] spikes;
wire takes = src_valid && src_ready;
wire completes = takes && beats == WIDTH * CHUNKS - 1;

reg [18:0] at;
reg [CHANNELS-1:0] sent;
reg [CHANNELS-1:0] firing;
wire [CHANNELS-1:0] left = firing & ~sent;
wire is_due = is_flush(at) || at[18:16] != slot_in;
reg [1:0] waited;
wire gives = dst_valid && dst_ready;
wire gives_last;
wire [TIMESTEPS-1:0] gives_mask;
wire [$bits(dst_data)-TIMESTEPS-2:0] gives_channel;
assign {gives_last, gives_mask, gives_channel} = dst_data;

integer c, k;

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
        slot_in <= slot_in + completes;
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
    assume(followed_slot[0] == \buffer_rows.at_bank );
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
        assert(src_ready || \buffer_rows.whole == 3);
        // The words that are read and used are those of whole rows.
        assert(!read || todo == 0 || full[bank]);
    end
end

// How the stages stand to each other. The event stage is at `at`; the chunk after it, in the fetch stage if there is one,
// is of `fetch_at`, and the chunk after that, to be fetched by the walker, of `walk_at`; `fetch_left` and `walk_left` are
// the channels of those pixels then still to come, if the pixel is the one that is followed.
(* hierconn *) wire [1:0] \buffer_rows.whole ;
(* hierconn *) wire \buffer_rows.filling ;
(* hierconn *) wire [7:0] \buffer_rows.beats ;
(* hierconn *) wire [CHUNKS-1:0] \buffer_rows.arrived ;
(* hierconn *) wire [CHUNKS*BITS-1:0] \buffer_rows.spikes ;
wire [1:0] whole = \buffer_rows.whole ;
wire filling = \buffer_rows.filling ;
wire [CHUNKS-1:0] arrived = \buffer_rows.arrived ;
wire [CHUNKS*BITS-1:0] buffered = \buffer_rows.spikes ;

reg [2:0] slot_out;
wire [2:0] rows_inside = slot_in - slot_out;
always @(posedge clk) slot_out <= rst ? 0 : slot_out + free_row;

wire [18:0] fetch_at = encoding && encode_last ? after(at) : at;
wire [18:0] walk_at = fetched && fetch_last ? after(fetch_at) : fetch_at;
reg [CHANNELS-1:0] fetch_left, walk_left;
reg [CHUNKS-1:0] encode_of, fetch_of; // bit k: the stage holds chunk k
wire [2:0] buffered_slot = filling != followed_slot[0] ? slot_in - 1 : whole[filling] ? slot_in - 2 : slot_in;

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
        assert(beats == \buffer_rows.beats && filling == slot_in[0]);
        for (k = 0; k < CHUNKS; k = k + 1) begin
            if (arrived[k] && buffered_slot == followed_slot) begin
                assert(buffered[k*BITS +: BITS] == spikes[k*BITS +: BITS]);
            end
        end
        assert(rows_inside <= 2);
        assert(whole == (rows_inside == 0 ? 0 : rows_inside == 2 ? 3 : filling ? 1 : 2));

        // The walk.
        assert(bank == slot_out[0]);
        assert({slot_out, 4'd0 | flushing, 4'd0 | row, 4'd0 | scan, 4'd0 | column} == walk_at);
        assert(flushing <= FLUSH && row < HEIGHT && scan < PASSES && column < WIDTH + PADDING);
        assert(flushing == 0 || row == 0 && scan == 0 && column == 0);
        assert(is_followed(at) || sent == 0);
        assert(sent == 0 || sent < (left & -left));
        assert(walking || (fetched ? fetch_last : encoding ? encode_last : sent == 0));
        assert(!walking || is_flush(walk_at) || slot_out != slot_in);
        assert(!fetched || is_flush(fetch_at) || fetch_at[18:16] != slot_in);
        assert(waited == 0 || walking || fetched || encoding);
        assert(waited != 2 || fetched || encoding);

        // What each stage holds.
        assert(!fetched || fetch_of != 0);
        assert(!encoding || encode_of != 0);
        if (walking && is_empty(walk_at)) begin
            assert(todo == 0);
        end
        if (walking && is_followed(walk_at)) begin
            for (k = 0; k < CHUNKS; k = k + 1) begin
                assert(todo[k] == |walk_left[k*LANES +: LANES]);
            end
            assert(base == (bank * WIDTH + column) * CHUNKS);
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
        cover(gives && is_followed(at) && at[18:16] == 1 && left == 1 << (CHANNELS - 1) && sent + 1 == 1 << (CHANNELS - 1));
        cover(gives && is_followed(at) && at[18:16] == 2 && left == 0);
        cover(gives && at[18:16] == 2 && whole == 3 && src_valid);
    end
end
