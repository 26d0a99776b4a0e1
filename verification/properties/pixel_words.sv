// Joined: a word has the pixels since the one before in its highest bits; cut: word k of a pixel has its bits from k * WORD on.
localparam PIXEL = $bits(src_data);
localparam WORD = $bits(dst_data);
localparam PER_WORD = WORD / PIXEL;
localparam PARTS = (PIXEL + WORD - 1) / WORD;
reg [7:0] at_pixel, at_place, at_part;
reg inside;
reg [PIXEL-1:0] pixel_inside;
reg [(PER_WORD+1)*PIXEL-1:0] history;
wire taken = src_valid && src_ready;
wire given = dst_valid && dst_ready;
wire ends_here = at_place == PER_WORD - 1 || at_pixel == PIXELS - 1;
wire [PIXEL+WORD-1:0] padded = pixel_inside;
integer i;

always @(posedge clk) begin
    if (rst) begin
        at_pixel <= 0;
        at_place <= 0;
        at_part <= 0;
        inside <= 0;
    end
    else begin
        if (taken) begin
            at_pixel <= at_pixel == PIXELS - 1 ? 0 : at_pixel + 1;
            at_place <= ends_here ? 0 : at_place + 1;
            history <= {src_data, history} >> PIXEL;
            pixel_inside <= src_data;
        end
        if (PARTS > 1) begin
            inside <= taken || (inside && !(given && at_part == PARTS - 1));
            at_part <= taken ? 0 : at_part + (given && at_part != PARTS - 1);
        end
    end
end

always @(*) if (known) begin
    assert(at_pixel < PIXELS && at_part < PARTS);
    if (PARTS > 1) begin
        assert(dst_valid == inside);
        if (inside) assert(dst_data == padded[at_part*WORD +: WORD]);
        cover(given && dst_waits && at_part == PARTS - 1 && dst_data != 0);
        cover(taken && inside);
    end
    else begin
        assert(at_place < PER_WORD && at_place <= at_pixel);
        assert(dst_valid == (src_valid && ends_here));
        // The pixels that have come for this word, and the one that comes.
        if (dst_valid) begin
            assert(dst_data[WORD-1 -: PIXEL] == src_data);
            for (i = 1; i < PER_WORD; i = i + 1) begin
                if (i <= at_place) assert(dst_data[WORD-1-i*PIXEL -: PIXEL] == history[(PER_WORD+2-i)*PIXEL-1 -: PIXEL]);
            end
        end
        cover(given && dst_waits && at_pixel == PIXELS - 1);
        cover(given && at_place == PER_WORD - 1);
    end
end
