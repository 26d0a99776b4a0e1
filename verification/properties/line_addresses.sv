// The addresses of the columns in the window, that of the one which leaves next in the lowest bits, for the properties of the
// accumulators around it.
wire [KERNEL*8-1:0] addresses;
genvar slot;
generate
    for (slot = 0; slot < KERNEL; slot = slot + 1) begin: show
        assign addresses[slot*8 +: 8] = addr[slot];
    end
endgenerate
