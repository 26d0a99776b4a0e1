"""A tag that moves along with a column of the image window."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width


@block
def tag_line(clk, rst, advance, tag, tags, *, columns):
    """Gives a column that is read a tag, which follows it through the window.

    Ports:
        advance  in   1        the window takes a column at this edge
        tag      in   1        of the column that is being read
        tags     out  columns  of the window's columns, the newest in the highest bit

    Parameters:
        columns: of the window

    Timing: a column comes out of the memory one cycle after it is read, and then into the window. Two columns, tag A:

        advance  ~~~~~~~~~~~~~~~~
        tag      |A  |-----------
        tags[1]  --------|A  |---
        tags[0]  ------------|A
    """
    check_number("tag_line", 1, columns=columns)
    check_width("tag_line", columns, tags=tags)
    # Bit `columns` is of the column that comes out of the memory.
    moving = Signal(intbv(0)[columns + 1 :])

    @always_comb
    def give_tags():
        tags.next = moving[columns:]

    @always(clk.posedge)
    def move_tags():
        if rst:
            moving.next = 0
        elif advance:
            for b in range(columns):
                moving.next[b] = moving[b + 1]
            moving.next[columns] = tag

    return instances()
