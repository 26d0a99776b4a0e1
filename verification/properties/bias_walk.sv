// The bias is that of the group whose beats come.
(* hierconn *) wire [7:0] \walk.in_group ;
(* hierconn *) wire [7:0] \walk.in_column ;
always @(*) if (known) begin
    assert(\walk.in_group == at_group && \walk.in_column == beat);
    assert($signed(bias_word) == begins);
end
