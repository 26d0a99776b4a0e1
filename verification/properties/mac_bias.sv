// Each group has a bias, and a sum of some of the terms needs one bit more than the current.
localparam CURRENT = $bits(bias_word);
localparam TERM = CURRENT + 1;
(* hierconn *) wire [GROUPS*CURRENT-1:0] \bias_rom.contents ;
wire [GROUPS*CURRENT-1:0] bias_words = \bias_rom.contents ;
wire [CURRENT-1:0] bias_now = bias_word;
