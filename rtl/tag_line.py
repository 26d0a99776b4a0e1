"""A tag that moves along with a column of the image window."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number


@block
def tag_line(clk, rst, advance, tag, arrived, *, steps):
    """Gives a column that is read a tag, and the tag back when the column has come to its place in the window.

    Ports:
        advance  in   1  the window takes a column at this edge
        tag      in   1  of the column that is being read
        arrived  out  1  of the column at the place

    Parameters:
        steps: of a column, from the memory to the place

    Timing: two steps, tag A of a column:

        advance  ~~~~~~~~~~~~
        tag      |A  |-------
        arrived  --------|A
    """
    check_number("tag_line", 1, steps=steps)
    last = steps - 1
    moving = Signal(intbv(0)[steps:])

    @always_comb
    def give_tag():
        arrived.next = moving[0]

    @always(clk.posedge)
    def move_tags():
        if rst:
            moving.next = 0
        elif advance:
            for b in range(last):
                moving.next[b] = moving[b + 1]
            moving.next[last] = tag

    return instances()
