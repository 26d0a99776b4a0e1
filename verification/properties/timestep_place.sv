// The timestep that is given next, for the properties of the stage around it.
wire [7:0] next_timestep = timestep;
