"""The spacing of beats: a beat waits until what the one before left behind is there."""

from myhdl import always, always_comb, block, instances

from .checks import check_number
from .stream import counter


@block
def beat_spacing(clk, rst, take, is_due, *, cycles):
    """Lets a beat be taken `cycles` cycles after the one before at the earliest.

    Ports:
        take    in   1  a beat is taken at this edge; only while is_due
        is_due  out  1  a beat may be taken

    Parameters:
        cycles: 2 or more

    Timing: three cycles:

        take    __/~~~\\_______/~~~\\_
        is_due  ~~~~~~\\_______/~~~\\_
    """
    check_number("beat_spacing", 2, cycles=cycles)
    pause = counter(cycles)

    @always_comb
    def find_due():
        is_due.next = pause == 0

    @always(clk.posedge)
    def count_pause():
        if rst:
            pause.next = 0
        elif take:
            pause.next = cycles - 1
        elif pause != 0:
            pause.next = pause - 1

    return instances()
