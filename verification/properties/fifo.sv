// One word, any one, is followed through the queue: it leaves after exactly the words that were inside when it came.
(* anyseq *) wire picked;
reg follows = 0;
reg [$bits(src_data)-1:0] word;
reg [7:0] ahead;
reg [7:0] inside;

always @(posedge clk) begin
    inside <= rst ? 0 : inside + (src_valid && src_ready) - (dst_valid && dst_ready);
    if (rst) begin
        follows <= 0;
    end
    else if (!follows && picked && src_valid && src_ready) begin
        follows <= 1;
        word <= src_data;
        ahead <= inside - (dst_valid && dst_ready);
    end
    else if (follows && dst_valid && dst_ready) begin
        follows <= ahead != 0;
        ahead <= ahead - 1;
    end
end

always @(*) begin
    if (known) begin
        assert(level == inside);
        assert(dst_valid == (inside != 0));
        assert(src_ready == (inside != DEPTH));
        if (follows) begin
            assert(ahead < inside);
            assert(in_order[ahead*$bits(word) +: $bits(word)] == word);
            if (ahead == 0) begin
                assert(dst_data == word);
            end
        end
        cover(level == DEPTH && dst_ready && follows && ahead == DEPTH - 1);
        cover(head == DEPTH - 1 && tail == 0 && dst_valid);
    end
end
