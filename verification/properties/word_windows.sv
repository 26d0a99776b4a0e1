// A word has a window for each of several images: where the block that gives them is.
(* hierconn *) wire [7:0] \select_timestep.next_timestep ;
always @(*) if (known) assert(\select_timestep.next_timestep == taken % FRAMES);
