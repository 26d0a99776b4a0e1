// A bank is taken from the last position of its part on until the last word of the part is read. The parts in between are known
// by their mark, and their banks follow each other from the one that is freed next, up to the one that is scanned.
localparam PARTS_BANKS = $bits(full);
(* hierconn *) wire [PARTS_BANKS-1:0] \find_positions.taken ;
(* hierconn *) wire [$bits(freed_bank)-1:0] \find_positions.bank ;
(* hierconn *) wire \select_spans.ahead , \select_spans.ahead_ends_part , \select_spans.walking , \select_spans.walk_ends_part ;
(* hierconn *) wire \select_chunks.spanning , \select_chunks.span_ends_part , \select_chunks.span_last ;
(* hierconn *) wire \select_chunks.chosen , \select_chunks.chosen_ends_part ;
wire [PARTS_BANKS-1:0] taken = \find_positions.taken ;
wire [$bits(freed_bank)-1:0] bank = \find_positions.bank ;
wire [7:0] in_flight = (\select_spans.ahead && \select_spans.ahead_ends_part )
    + (\select_spans.walking && \select_spans.walk_ends_part )
    + (\select_chunks.spanning && \select_chunks.span_ends_part && \select_chunks.span_last )
    + (\select_chunks.chosen && \select_chunks.chosen_ends_part );

// The bank `steps` after the one that is freed next.
function [7:0] bank_after;
    input [7:0] first, steps;
    bank_after = first + steps < PARTS_BANKS ? first + steps : first + steps - PARTS_BANKS;
endfunction

integer part;
always @(*) begin
    if (known) begin
        assert(freed_bank < PARTS_BANKS && in_flight <= PARTS_BANKS);
        assert(bank == bank_after(freed_bank, in_flight));
        for (part = 0; part < PARTS_BANKS; part = part + 1) begin
            assert(taken[bank_after(freed_bank, part)] == (part < in_flight));
        end
        assert((taken & ~full) == 0);
    end
end
