// The words of the memory, word 0 in the lowest bits, for the properties of the block around it.
wire [$size(mem)*$bits(q)-1:0] contents;
genvar place;
generate
    for (place = 0; place < $size(mem); place = place + 1) begin: show
        assign contents[place*$bits(q) +: $bits(q)] = mem[place];
    end
endgenerate
