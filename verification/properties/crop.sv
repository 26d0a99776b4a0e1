// Each beat has its place in the map: those of the first rows and columns pass on within their cycle, the others are taken and
// dropped.
localparam TOTAL = ROWS * GROUPS * COLUMNS;
reg [7:0] at; // the beat that comes next
reg again; // a map has ended
wire [7:0] at_row = at / (GROUPS * COLUMNS), at_group = at / COLUMNS % GROUPS, at_column = at % COLUMNS;
wire is_kept = at_row < KEPT_ROWS && at_column < KEPT_COLUMNS;
wire takes = src_valid && src_ready;

always @(posedge clk) begin
    if (rst) begin
        at <= 0;
        again <= 0;
    end
    else if (takes) begin
        at <= at == TOTAL - 1 ? 0 : at + 1;
        again <= again || at == TOTAL - 1;
    end
end

always @(*) if (known) begin
    assert(at < TOTAL && row == at_row && group_index == at_group && column == at_column);
    assert(dst_valid == (src_valid && is_kept));
    if (dst_valid) assert(dst_data == src_data);
    assert(takes == (src_valid && (dst_ready || !is_kept)));
    cover(again && dst_waits && dst_valid && dst_ready);
    cover(again && takes && !is_kept && !dst_ready);
end
