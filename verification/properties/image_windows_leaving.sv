// Where not all windows leave: the tags of the columns from the middle one on, and of the one that is fetched.
(* hierconn *) wire [COLUMNS:0] \move_tags.moving ;
wire [COLUMNS:0] moving = \move_tags.moving ;

always @(*) if (known) begin
    for (b = MIDDLE; b < COLUMNS + 1; b = b + 1) begin
        assert(moving[b] == (holds[b] && is_leaving(places[b*16 +: 16])));
    end
    assert(leaves == (available && is_leaving(read_place)));
end
