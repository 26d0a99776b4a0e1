// The words of an image meet their weights, and their sums the bias of their group: all count the same words. A group reads
// WORDS words, each with a window for each of FRAMES images; that all of an image, ALL, divide 256 lets counters wrap.
localparam ALL = GROUPS * WORDS * FRAMES;
(* hierconn *) wire [7:0] \keep_image.written_word , \keep_image.read_word , \keep_image.read_scan ;
(* hierconn *) wire [7:0] \multiply.windows_inside , \multiply.multiplying , \multiply.walk.in_group , \multiply.walk.in_column ;
(* hierconn *) wire [7:0] \add_words.next_beat , \add_words.walk.in_group , \add_words.walk.in_column ;
// Pixels of the image that have come; windows that the array has taken, and sums that it has given.
reg [7:0] pixels, taken, summed;
always @(posedge clk) begin
    if (rst) begin
        pixels <= 0;
        taken <= 0;
        summed <= 0;
    end
    else begin
        if (src_valid && src_ready) pixels <= pixels == PIXELS - 1 ? 0 : pixels + 1;
        taken <= taken + (words_valid && words_ready);
        summed <= summed + (sums_valid && sums_ready);
    end
end

wire [7:0] at = taken % ALL;
wire shown = FRAMES == 1 ? words_valid : kept_valid; // a word of the memory
wire [7:0] next_read = (taken / FRAMES + shown) % (ALL / FRAMES);
wire [7:0] weighted = (taken - \multiply.multiplying ) % ALL;
wire [7:0] sums_at = summed % ALL;
always @(*) if (known) begin
    assert(pixels < PIXELS);
    // A word goes into the memory when its last pixel has come.
    assert(\keep_image.written_word == pixels / PER_WORD);
    // The memory shows the word of the next window, or reads it next.
    assert(shown || taken % FRAMES == 0);
    assert(\keep_image.read_scan * WORDS + \keep_image.read_word == next_read && \keep_image.read_word < WORDS);
    // The weights are those of the window that is multiplied, or else of the next.
    assert(\multiply.walk.in_group == weighted / FRAMES && \multiply.walk.in_column == weighted % FRAMES);
    // The sum that comes next is added to its group.
    assert(taken - summed == \multiply.windows_inside );
    assert(\add_words.next_beat == sums_at % (WORDS * FRAMES) && \add_words.walk.in_column == \add_words.next_beat );
    assert(\add_words.walk.in_group == sums_at / (WORDS * FRAMES));
    cover(summed == ALL + 1 && sums_valid);
    cover(at == 1 && taken > ALL && pixels == 1);
end
