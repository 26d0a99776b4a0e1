// The value of a beat is the larger one of its potential, now, and the value of the timestep before, at its charge.
reg is_kept, is_given;
reg signed [3:0] came, larger;
wire signed [3:0] kept_now = came;

initial begin
    is_kept = 0;
    is_given = 0;
end

always @(posedge clk) begin
    if (charges) begin
        came <= earlier;
        is_kept <= 1;
    end
    if (fires) begin
        larger <= kept_now > charged ? kept_now : charged;
        is_given <= is_kept;
    end
end

always @(*) begin
    if (is_kept) assert(kept == came);
    if (is_given) assert(value == larger);
    cover(is_given && value == came && came > charged && came < 0);
    cover(is_given && value == charged && came < charged);
end
