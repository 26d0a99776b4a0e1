// The position and the phase, for the properties of the block around it.
wire [7:0] at_position = position;
wire [7:0] at_phase = phase;
