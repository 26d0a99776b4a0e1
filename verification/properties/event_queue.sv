// A list of the words inside, oldest first, beside the queue's ring.
reg [3:0] listed [0:2];
reg [1:0] length;
integer i;

always @(posedge clk) begin
    if (rst) begin
        length <= 0;
    end
    else begin
        if (pop) begin
            for (i = 0; i < 2; i = i + 1) begin
                listed[i] <= listed[i + 1];
            end
        end
        if (push) begin
            listed[length - pop] <= src_data;
        end
        length <= length + push - pop;
    end
end

always @(*) begin
    if (known) begin
        assert(length == level);
        assert(level <= 3);
        assert(head < 3 && tail < 3);
        assert(tail == (head + level) % 3);
        for (i = 0; i < 3; i = i + 1) begin
            if (i < level) begin
                assert(mem[(head + i) % 3] == listed[i]);
            end
        end
        if (dst_valid) begin
            assert(dst_data == listed[0]);
        end
        cover(level == 3 && push == 0 && dst_ready);
        cover(head == 2 && tail == 1);
    end
end
