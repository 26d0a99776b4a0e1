// The masks of the current chunk, that of its first lane in the lowest bits, for the properties of the scanner around it.
wire [$bits(word)-1:0] masks_in_order;
genvar lane_shown;
generate
    for (lane_shown = 0; lane_shown < $size(masks); lane_shown = lane_shown + 1) begin: show
        assign masks_in_order[lane_shown*TIMESTEPS +: TIMESTEPS] = masks[lane_shown];
    end
endgenerate
