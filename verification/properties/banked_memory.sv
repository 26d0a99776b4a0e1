// Words of the three banks, word 0 in the lowest bits.
localparam WORD = $bits(word);
(* hierconn *) wire [BANK*WORD-1:0] \memories_0.contents ;
(* hierconn *) wire [BANK*WORD-1:0] \memories_1.contents ;
(* hierconn *) wire [(DEPTH-2*BANK)*WORD-1:0] \memories_2.contents ;
wire [DEPTH*WORD-1:0] words = {\memories_2.contents , \memories_1.contents , \memories_0.contents };

// The addresses of the last three steps, if their words are wanted.
reg [7:0] newest, first, second;
reg has_newest = 0, has_first = 0, has_second = 0;

always @(*) assume(address < DEPTH);

always @(posedge clk) if (step) begin
    newest <= address;
    has_newest <= wanted;
    first <= newest;
    has_first <= has_newest;
    second <= first;
    has_second <= has_first;
end

integer bank;
always @(*) if (known) begin
    if (has_newest) begin
        assert(newest < DEPTH);
        assert(number == newest / BANK && offset == newest % BANK);
        if (number == 2) assert(last_offset == newest - 2 * BANK);
        for (bank = 0; bank < 3; bank = bank + 1) assert(wants[bank] == (bank == number));
    end
    if (has_first) begin
        assert(first < DEPTH);
        assert(read_number == first / BANK);
        assert(outs[read_number] == words[first*WORD +: WORD]);
    end
    if (has_second) begin
        assert(second < DEPTH);
        assert(kept_number == second / BANK);
        assert(kept[kept_number] == words[second*WORD +: WORD]);
        assert(word == words[second*WORD +: WORD]);
    end
    // A bank after another, the same one again, the ends of each.
    cover(has_first && has_second && second == 0 && first == DEPTH - 1);
    cover(has_first && has_second && second == DEPTH - 1 && first == 2 * BANK - 1);
    cover(has_first && has_second && first / BANK == second / BANK && first != second);
    cover(has_second && !has_first);
end
