// The pixel that comes next, and its place in its word, for the properties of the stage around it.
wire [7:0] next_pixel = pixel, next_place = place;
