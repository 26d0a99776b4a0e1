// The position, for the properties of the block around it.
wire [7:0] in_group = group_index;
wire [7:0] in_column = column;
