// Every cycle since reset is counted once: as busy, as waiting for input or as waiting for the successor.
reg [31:0] cycles;
always @(posedge clk) cycles <= rst ? 0 : cycles + 1;

always @(*) if (known) begin
    if (!rst) begin
        assert(busy + stall_in + stall_out == 2'd1);
        assert(has_event + is_silent == (EVENTS ? busy : 0));
    end
    assert(n_busy + n_stall_in + n_stall_out == cycles);
    assert(n_events + n_silent == (EVENTS ? n_busy : 0));
    cover(n_busy != 0 && n_stall_in != 0 && n_stall_out != 0);
end
