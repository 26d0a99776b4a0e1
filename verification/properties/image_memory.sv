// One word of an image, any one, is followed: what came last for it in each bank is what the bank's scans read there.
localparam WORD = $bits(dst_data);
localparam ALL = 2 * WORDS;
(* hierconn *) wire [ALL*WORD-1:0] \memory.contents ;
wire [ALL*WORD-1:0] contents = \memory.contents ;
(* anyconst *) wire [7:0] chosen;
// Where the next word goes, and which comes next; images that have come whole and are not read to their end.
reg [7:0] in_word, out_word, out_scan, images;
reg in_bank, out_bank;
reg [WORD-1:0] came_0, came_1, expected;
// The word at dst is the chosen one.
reg shows_chosen;
wire taken = src_valid && src_ready;
wire moves = dst_ready || !dst_valid;
wire fetches = moves && images != 0;
wire image_ends = taken && in_word == WORDS - 1;
wire image_leaves = fetches && out_word == WORDS - 1 && out_scan == SCANS - 1;

always @(*) assume(chosen < WORDS);

always @(posedge clk) begin
    if (rst) begin
        in_word <= 0;
        in_bank <= 0;
        out_word <= 0;
        out_scan <= 0;
        out_bank <= 0;
        images <= 0;
        shows_chosen <= 0;
    end
    else begin
        if (taken) begin
            in_word <= image_ends ? 0 : in_word + 1;
            in_bank <= in_bank ^ image_ends;
            if (in_word == chosen) begin
                if (in_bank) came_1 <= src_data;
                else came_0 <= src_data;
            end
        end
        if (moves) shows_chosen <= fetches && out_word == chosen;
        if (fetches) begin
            out_word <= out_word == WORDS - 1 ? 0 : out_word + 1;
            if (out_word == WORDS - 1) out_scan <= out_scan == SCANS - 1 ? 0 : out_scan + 1;
            out_bank <= out_bank ^ image_leaves;
            expected <= out_bank ? came_1 : came_0;
        end
        images <= images + image_ends - image_leaves;
    end
end

always @(*) if (known) begin
    assert(in_word < WORDS && out_word < WORDS && out_scan < SCANS && images <= 2);
    assert(in_bank == (out_bank ^ images[0]));
    assert(level == images && write_word == in_word && word == out_word && scan == out_scan);
    assert(write_addr == in_bank * WORDS + in_word);
    assert(base == out_bank * WORDS && addr == out_bank * WORDS + out_word);
    assert(src_ready == (images != 2));
    // A bank has the chosen word from when it came until the image is read to its end.
    if (images == 2 || (images == 1 && !out_bank) || (!in_bank && in_word > chosen && images != 2)) begin
        assert(contents[chosen*WORD +: WORD] == came_0);
    end
    if (images == 2 || (images == 1 && out_bank) || (in_bank && in_word > chosen && images != 2)) begin
        assert(contents[(WORDS + chosen)*WORD +: WORD] == came_1);
    end
    if (shows_chosen) assert(dst_valid && dst_data == expected);
    cover(dst_waits && dst_valid && shows_chosen && images == 2 && expected != 0);
    cover(image_ends && image_leaves);
end
