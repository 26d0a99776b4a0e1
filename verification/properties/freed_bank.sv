// Whoever frees a bank frees a whole one; the scanner's proof shows that it does.
always @(*) begin
    if (known && !rst) begin
        assume(!free_bank || freed_bank < BANKS && full[freed_bank]);
    end
    if (known) begin
        cover(&whole && src_valid);
        cover(whole[BANKS-1] && filling == 0 && beats == BEATS - 1 && reads != 0 && spikes != 0);
    end
end
