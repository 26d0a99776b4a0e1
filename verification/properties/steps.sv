// The stages of the pipeline that hold a beat, timestep 0 in the lowest bit, for the properties of the block around it; the
// beats in them, and those that the whole may hold with its queue.
localparam STEPS = $size(firing);
wire [STEPS-1:0] in_charging, in_firing;
wire [7:0] room = 2 * STEPS + 2;
reg [7:0] moving;
genvar shown;
integer stage;

generate
    for (shown = 0; shown < STEPS; shown = shown + 1) begin: show
        assign in_charging[shown] = charging[shown];
        assign in_firing[shown] = firing[shown];
    end
endgenerate

always @(*) begin
    moving = 0;
    for (stage = 0; stage < STEPS; stage = stage + 1) moving = moving + in_charging[stage] + in_firing[stage];
end
