always @(*) if (known && inside) begin
    assert(part == at_part);
    assert(held == padded >> (at_part * WORD));
end
