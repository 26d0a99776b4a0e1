// The master keeps to the bus' rules: what it offers stays until it is taken.
reg aw_waits = 0, w_waits = 0, ar_waits = 0;
always @(posedge clk) begin
    aw_waits <= !rst && bus_awvalid && !bus_awready;
    w_waits <= !rst && bus_wvalid && !bus_wready;
    ar_waits <= !rst && bus_arvalid && !bus_arready;
end
always @(posedge clk) if (known) begin
    if (aw_waits) assume(bus_awvalid && bus_awaddr == $past(bus_awaddr));
    if (w_waits) assume(bus_wvalid && bus_wdata == $past(bus_wdata) && bus_wstrb == $past(bus_wstrb));
    if (ar_waits) assume(bus_arvalid && bus_araddr == $past(bus_araddr));
end

// A write: its address and its word come at any distance, then it is done, then its answer waits.
localparam OKAY = 0, SLVERR = 2, DECERR = 3, ALL = 15;
reg has_place, has_word, answer_due;
reg [2:0] place;
reg [31:0] word;
reg [3:0] strobes;
reg [1:0] answer_is;
wire done = has_place && has_word && !answer_due;
wire is_command = place >= CONSTANTS && place < CONSTANTS + COMMANDS;
wire [1:0] answers = place >= TOTAL ? DECERR : strobes == 0 || (is_command && strobes == ALL) ? OKAY : SLVERR;

always @(posedge clk) begin
    if (bus_awvalid && bus_awready) place <= bus_awaddr >> 2;
    if (bus_wvalid && bus_wready) begin
        word <= bus_wdata;
        strobes <= bus_wstrb;
    end
    if (done) answer_is <= answers;
    has_place <= !rst && !done && (has_place || bus_awvalid);
    has_word <= !rst && !done && (has_word || bus_wvalid);
    answer_due <= !rst && (done || (answer_due && !bus_bready));
end

// A read: the value of the moment at which its address is taken, until the master takes it.
reg read_due;
reg [2:0] read_place;
reg [31:0] read_is;
wire reads = bus_arvalid && !read_due;
wire read_outside = (bus_araddr >> 2) >= TOTAL;

always @(posedge clk) begin
    if (reads) begin
        read_place <= bus_araddr >> 2;
        read_is <= read_outside ? 0 : values[32*((bus_araddr >> 2) - CONSTANTS) +: 32];
    end
    read_due <= !rst && (reads || (read_due && !bus_rready));
end

always @(*) if (known) begin
    assert(bus_awready == !has_place && bus_wready == !has_word && bus_bvalid == answer_due);
    assert(has_address == has_place && has_data == has_word);
    if (has_place) assert(address == place);
    if (has_word) assert(data == word && is_whole == (strobes == ALL) && is_empty == (strobes == 0));

    // A command register is written once for each write of a whole word to it, and for no other.
    assert(write == (done && is_command && strobes == ALL));
    if (write) assert(write_index == place - CONSTANTS && write_data == word);
    if (answer_due) assert(bus_bresp == answer_is);

    assert(bus_arready == !read_due && bus_rvalid == read_due);
    if (read_due) begin
        assert(bus_rresp == (read_place >= TOTAL ? DECERR : OKAY));
        // The words of the table of proof.py.
        assert(bus_rdata == (read_place < CONSTANTS ? 3 * read_place + 1 : read_is));
    end
    assert(bad_access == ((done && answers != OKAY) || (reads && read_outside)));

    cover(write && bad_access);
    cover(answer_due && has_place && has_word);
    cover(done && is_command && strobes == 0);
    cover(done && is_command && strobes == 5);
    cover(done && !is_command && strobes == 0 && place < TOTAL);
    cover(read_due && read_place == TOTAL - 1 && read_is == 7);
end
