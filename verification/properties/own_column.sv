wire [7:0] own_column = column;
