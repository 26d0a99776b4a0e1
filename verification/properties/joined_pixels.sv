always @(*) if (known) begin
    assert(pixel == at_pixel && place == at_place);
    for (i = 1; i < PER_WORD; i = i + 1) begin
        if (i <= at_place) assert(kept[WORD-PIXEL-1-(i-1)*PIXEL -: PIXEL] == history[(PER_WORD+2-i)*PIXEL-1 -: PIXEL]);
    end
end
