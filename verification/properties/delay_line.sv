// Where the next word goes, for the properties of the block around it.
wire [7:0] at_place = place;
