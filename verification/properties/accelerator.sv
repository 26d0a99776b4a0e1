// The first stage is seen to pass something on.
always @(*) if (known) begin
    cover(conv1_dst_valid && conv1_dst_ready);
end
