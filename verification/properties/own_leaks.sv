// Each channel has its own multiplier, up to MULTIPLIER: the words of the table, and what a beat took along.
localparam FACTOR = $clog2(MULTIPLIER + 1);
(* hierconn *) wire [GROUPS*FACTOR-1:0] \leak_rom.contents ;
(* hierconn *) wire [FACTOR-1:0] \pipeline.neurons_0.kept_factor ;
wire [GROUPS*FACTOR-1:0] leak_words = \leak_rom.contents ;
assign multiplier_now = leak_words[at_group*FACTOR +: FACTOR];
assign charged_multiplier = \pipeline.neurons_0.kept_factor ;

always @(*) if (known) assert(factors == multiplier_now);
