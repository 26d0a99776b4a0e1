// The neurons have no beat inside that the queue at their end may not hold.
localparam ROOM = 2 * $bits(firing) + 2;
(* hierconn *) wire [$clog2(ROOM+1)-1:0] \queue_spikes.events.level ;
wire [7:0] level = \queue_spikes.events.level ;
reg [7:0] moving;
integer stage;

always @(*) begin
    moving = 0;
    for (stage = 0; stage < $bits(firing); stage = stage + 1) moving = moving + charging[stage] + firing[stage];
    if (known) begin
        assert(beats_inside == moving + level && beats_inside <= ROOM);
        assert(has_room == (beats_inside != ROOM));
        if (fired_valid) assert(fired_ready);
    end
end
