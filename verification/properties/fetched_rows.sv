// Where weight_fetch.sv finds the next pixel, where each row reads the words of all scans.
always @(*) if (known) begin
    assert(row < FRAME_ROWS && position < POSITIONS && flushing <= FLUSH);
    if (flushes) begin
        assert(flushing == FRAME + FLUSH - pixel && row == 0 && position == 0 && base == 0);
    end
    else begin
        assert(flushing == 0 && base == scan * CHANNELS && pixel == (row * SCANS + scan) * POSITIONS + position);
    end
end
