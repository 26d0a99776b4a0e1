// Where not all windows leave: the tags of the columns from the middle one on, and of the one that is fetched.
(* hierconn *) wire [WAIT-1:0] \move_tag.moving ;
wire [WAIT-1:0] moving = \move_tag.moving ;

always @(*) if (known) begin
    for (b = MIDDLE; b < COLUMNS + 1; b = b + 1) begin
        assert(moving[b-MIDDLE] == (holds[b] && is_leaving(places[b*16 +: 16])));
    end
    assert(leaves == (available && is_leaving(read_place)));
end
