"""A delay line: words that come back in their order, a fixed number of words later."""

from myhdl import always, always_comb, block, instances

from .checks import check_number, check_width
from .memory import ram
from .stream import counter


@block
def delay_line(clk, rst, keep, word, delayed, *, places):
    """Gives each word again when as many have followed as the line has places: a row of results, seen again in the row below.

    Ports:
        rst      in   1      None with one place
        keep     in   1      `word` goes into the line at this edge
        word     in   width
        delayed  out  width  the word that was kept `places` words before the next one; unknown before so many have been kept

    Parameters:
        places: words in the line, 1 or more

    Timing: a word a cycle. Two places:

        keep     __/~~~\\____/~~~~~~~\\___
        word     --|A  |----|B  |C  |---
        delayed  -----------|---|A  |B
    """
    check_number("delay_line", 1, places=places)
    check_width("delay_line", len(word), word=word, delayed=delayed)

    if places == 1:

        @always(clk.posedge)
        def hold_word():
            if keep:
                delayed.next = word

        return hold_word

    last_place = places - 1
    place, next_place = counter(places), counter(places)
    memory = ram(clk, keep, place, word, keep, next_place, delayed, depth=places)

    @always_comb
    def find_next_place():
        next_place.next = 0 if place == last_place else place + 1

    @always(clk.posedge)
    def advance_place():
        if rst:
            place.next = 0
        elif keep:
            place.next = next_place

    return instances()
