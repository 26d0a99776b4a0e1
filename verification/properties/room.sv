// The neurons have no beat inside that the queue at their end may not hold.
(* hierconn *) wire [7:0] \queue_spikes.words_inside ;
(* hierconn *) wire [7:0] \credits.counted ;
(* hierconn *) wire [7:0] \pipeline.moving ;
(* hierconn *) wire [7:0] \pipeline.room ;
wire [7:0] level = \queue_spikes.words_inside ;
wire [7:0] beats_inside = \credits.counted ;

always @(*) begin
    if (known) begin
        assert(beats_inside == \pipeline.moving + level && beats_inside <= \pipeline.room );
        assert(has_room == (beats_inside != \pipeline.room ));
        if (fired_valid) assert(fired_ready);
    end
end
