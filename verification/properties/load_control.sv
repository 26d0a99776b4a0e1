// Commands as the register page has them, and the cycles for which the core is in reset after the last piece.
localparam START = 1, RESET = 4, LOAD = 8, NOT_LOADED = 4, BAD_LOAD = 5, HELD = 4;
wire commands = write && write_index == 0;
wire clears = write && write_index == 1;
wire begins = commands && write_data == LOAD;
wire forgets = rst || begins || (commands && write_data == RESET);
wire comes = write && write_index == 2;
wire early = commands && write_data == START && came != PIECES;

// Pieces of the network that have come, and cycles since the last one, up to HELD.
reg [3:0] came;
reg [2:0] since;

// What is on the bus after the edge before, and the flags.
reg restarts, writes, early_seen, surplus_seen;
reg [3:0] position;
reg [31:0] piece;

always @(posedge clk) begin
    restarts <= rst || begins;
    writes <= !rst && comes && came != PIECES;
    position <= came;
    piece <= write_data;
    if (rst || begins) begin
        came <= 0;
        since <= 0;
    end
    else begin
        came <= came + (comes && came != PIECES);
        since <= came != PIECES ? 0 : since + (since != HELD);
    end
    early_seen <= !forgets && (early || (early_seen && !(clears && write_data[NOT_LOADED])));
    surplus_seen <= !forgets && ((comes && came == PIECES) || (surplus_seen && !(clears && write_data[BAD_LOAD])));
end

always @(*) if (known) begin
    assert(taken == came && complete == (came == PIECES));
    assert(unsettled == (since != HELD) && hold == (since > 2 ? 0 : 3 - since));
    assert(came == PIECES || since == 0);

    // The core is in reset until a whole network has come and its memories have it; no START passes before.
    assert(core_rst == (control_rst || since != HELD));
    assert(!(command && write_index == 0 && command_data == START) || came == PIECES);

    // All else passes as it is, but LOAD, which is a RESET to the control behind.
    assert(command == (write && !early));
    assert(command_data == (begins ? RESET : write_data));

    // The bus has each piece once, in its place.
    assert(load_restart == restarts && load_write == writes);
    if (writes) assert(load_position == position && load_data == piece);

    // What the host reads.
    assert(values[32*1+NOT_LOADED] == early_seen && values[32*1+BAD_LOAD] == surplus_seen);
    assert(values[32*3+2] == (came == PIECES) && values[32*7 +: 32] == came && values[32*2 +: 32] == 0);

    cover(!core_rst);
    cover(writes && position == PIECES - 1);
    cover(early_seen && since == HELD && !core_rst);
    cover(surplus_seen && restarts == 0 && came == PIECES);
    cover(begins && since == HELD);
end
