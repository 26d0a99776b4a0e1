// Timestep after timestep of the same beat, and the next beat only after the last.
localparam BITS = $bits(src_data) / (INPUTS * TIMESTEPS);
reg [7:0] at_timestep;
integer i;

always @(posedge clk) begin
    if (rst) at_timestep <= 0;
    else if (dst_valid && dst_ready) at_timestep <= at_timestep == TIMESTEPS - 1 ? 0 : at_timestep + 1;
end

always @(*) if (known) begin
    assert(at_timestep < TIMESTEPS && timestep == at_timestep);
    assert(dst_valid == src_valid);
    if (src_valid) begin
        assert(src_ready == (dst_ready && at_timestep == TIMESTEPS - 1));
        for (i = 0; i < INPUTS; i = i + 1) begin
            assert(dst_data[i*BITS +: BITS] == src_data[(i*TIMESTEPS + at_timestep)*BITS +: BITS]);
        end
    end
    cover(dst_waits && dst_valid && dst_ready && at_timestep == TIMESTEPS - 1 && dst_data != 0);
end
