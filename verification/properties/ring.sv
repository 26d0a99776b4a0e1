// The words inside an event queue lie from its head on.

// Place `steps` after `place` in the ring.
function [7:0] after;
    input [7:0] place, steps;
    after = place + steps < DEPTH ? place + steps : place + steps - DEPTH;
endfunction

always @(*) begin
    if (known) begin
        assert(level <= DEPTH);
        assert(head < DEPTH && tail < DEPTH);
        assert(tail == after(head, level));
    end
end
