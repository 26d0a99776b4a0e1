// The beats that are counted, for the properties of the block around it.
wire [7:0] counted = beats_inside;
