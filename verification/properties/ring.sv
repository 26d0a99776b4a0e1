// The words inside an event queue lie from its head on.
localparam PLACES = $size(mem);
wire [7:0] words_inside = level;

// Place `steps` after `place` in the ring.
function [7:0] after;
    input [7:0] place, steps;
    after = place + steps < PLACES ? place + steps : place + steps - PLACES;
endfunction

// The places from the head on, so that the oldest word is in the lowest bits.
wire [PLACES*$bits(dst_data)-1:0] in_order;
genvar age;
generate
    for (age = 0; age < PLACES; age = age + 1) begin: show
        assign in_order[age*$bits(dst_data) +: $bits(dst_data)] = mem[after(head, age)];
    end
endgenerate

always @(*) begin
    if (known) begin
        assert(level <= PLACES);
        assert(head < PLACES && tail < PLACES);
        assert(tail == after(head, level));
        assert(has_room == (level != PLACES) && has_words == (level != 0));
    end
end
