// The beat of its group that comes next, for the properties of the stage around it.
wire [7:0] next_beat = beat;
