// The flags of all pixels, those of pixel 0 in the lowest bits, for the properties of the row buffer around them.
wire [$size(flags)*$bits(peek)-1:0] all_flags;
genvar flagged_pixel;
generate
    for (flagged_pixel = 0; flagged_pixel < $size(flags); flagged_pixel = flagged_pixel + 1) begin: show
        assign all_flags[flagged_pixel*$bits(peek) +: $bits(peek)] = flags[flagged_pixel];
    end
endgenerate
