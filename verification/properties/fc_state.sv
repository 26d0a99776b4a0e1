// Between its passes the sums of a group wait in the memory.
always @(*) if (known && !priming) begin
    assert(group_index == at_group);
    if (at_group > chosen ? at_row != ROWS - 1 : at_group < chosen && at_row != 0) begin
        assert(state[chosen] == total);
    end
    // What is loaded is what was there when the group's pass over the row before ended.
    if (shift && load_group == chosen && load_part != 0) begin
        assert(stored_word == total);
    end
    cover(shift && load_group == chosen && load_part != 0 && total != chosen_bias);
end
