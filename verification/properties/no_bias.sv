// No group has a bias.
localparam CURRENT = $bits(dst_data) / REPEAT;
localparam TERM = CURRENT;
wire [GROUPS*CURRENT-1:0] bias_words = 0;
wire [CURRENT-1:0] bias_now = 0;
