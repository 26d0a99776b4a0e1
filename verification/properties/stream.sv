// An output is seen to wait and to be taken, and another follows it.
reg dst_taken = 0;
always @(posedge clk) dst_taken <= known && !rst && (dst_taken || (dst_waits && dst_valid && dst_ready));

always @(*) begin
    if (known) begin
        cover(dst_waits && dst_valid && dst_ready);
        cover(dst_taken && dst_valid);
    end
end
