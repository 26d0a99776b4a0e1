// Between its passes the sums of a group come back: by the register, and before that by the delay line, of one place here.
always @(*) if (known && primed) begin
    if (at_group > chosen ? at_row != ROWS - 1 : at_group < chosen && at_row != 0) begin
        assert((chosen == next_group ? stored_word : kept_word) == total);
    end
    cover(shift && chosen == next_group && !next_is_first && total != chosen_bias);
end
