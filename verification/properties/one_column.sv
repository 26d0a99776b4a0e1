// Each beat is another pixel's than the one before, or all are of one pixel.
wire [7:0] own_column = 0;
