// Words of several pixels: where the block that joins them is.
(* hierconn *) wire [7:0] \form_words.next_pixel , \form_words.next_place ;
always @(*) if (known) assert(\form_words.next_pixel == pixels && \form_words.next_place == pixels % PER_WORD);
