// Where weight_fetch.sv finds the next pixel, where scans come several times.
wire [7:0] first_scan = at_scan / (REPEATED * REPEATS) * REPEATED;
always @(*) if (known) begin
    assert(position < POSITIONS && find_base_repeated < REPEATED && find_base_round_number < REPEATS);
    assert(position == pixel % POSITIONS && find_base_repeated == at_scan % REPEATED);
    assert(find_base_round_number == at_scan / REPEATED % REPEATS);
    assert(find_base_first_base == first_scan * CHANNELS && base == scan * CHANNELS);
    cover(again && find_base_round_number == REPEATS - 1 && base == (SCANS - 1) * CHANNELS);
end
