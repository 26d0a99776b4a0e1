"""The position among channel groups: which group's parameters the next beat needs."""

from myhdl import always, always_comb, block, instances

from .checks import check_number, check_width
from .stream import counter, index_bits


@block
def group_walk(clk, rst, advance, next_group, *, columns, groups):
    """Counts beats in the order row, group, column, and gives a ROM with a registered read the group of the next one.

    A beat may also be a whole scan (columns = 1), as in a fully connected stage.

    Ports:
        advance     in   1      a beat is taken at this edge
        next_group  out  index  group of the beat that follows this edge: the ROM's address in every cycle

    Parameters:
        columns: beats of one group before the next group's begin
        groups: number of groups
    """
    check_number("group_walk", 1, columns=columns, groups=groups)
    check_width("group_walk", index_bits(groups), next_group=next_group)
    last_column, last_group = columns - 1, groups - 1
    column, group_index = counter(columns), counter(groups)

    @always_comb
    def find_next_group():
        next_group.next = group_index
        if rst:
            next_group.next = 0
        elif advance and column == last_column:
            next_group.next = 0 if group_index == last_group else group_index + 1

    @always(clk.posedge)
    def advance_position():
        group_index.next = next_group
        if rst:
            column.next = 0
        elif advance:
            column.next = 0 if column == last_column else column + 1

    return instances()
