"""The credits of a pipeline that never stands still: places in the queue at its end."""

from myhdl import always, block, instances

from .checks import check_number
from .stream import counter


@block
def credit_counter(clk, rst, take, leave, has_room, *, places):
    """Counts the beats inside, so that one is taken only if there is a place for it.

    Ports:
        take      in   1  a beat is taken at this edge; only while has_room
        leave     in   1  a beat leaves at this edge
        has_room  out  1  a register: a beat may be taken

    Parameters:
        places: beats that may be inside at once, 1 or more

    Timing: a place is free in the cycle after its beat has left. Two places:

        take      __/~~~~~~~\\___________
        leave     ______________/~~~\\___
        inside    --|0  |1  |2      |1
        has_room  ~~~~~~~~~~\\_______/~~~
    """
    check_number("credit_counter", 1, places=places)
    last_place = places - 1
    beats_inside = counter(places + 1)

    @always(clk.posedge)
    def count_inside():
        if rst:
            beats_inside.next = 0
            has_room.next = True
        elif take and not leave:
            beats_inside.next = beats_inside + 1
            has_room.next = beats_inside != last_place
        elif leave and not take:
            beats_inside.next = beats_inside - 1
            has_room.next = True

    return instances()
