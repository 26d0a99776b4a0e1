// Windows inside, and whether one is being multiplied, for the properties of the stage around it.
reg [7:0] windows_inside;
wire [7:0] multiplying = occupied[0];
integer occupied_stage;
always @(*) begin
    windows_inside = 0;
    for (occupied_stage = 0; occupied_stage < $bits(occupied); occupied_stage = occupied_stage + 1) begin
        windows_inside = windows_inside + occupied[occupied_stage];
    end
end
