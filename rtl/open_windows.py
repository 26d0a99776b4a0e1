"""The windows of an OR pool that are open at a position of an axis, and what each holds so far."""

from myhdl import ConcatSignal, Signal, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .window_axis import AxisPosition, Windows


def opening_of(windows: Windows) -> AxisPosition | None:
    """What open_windows() needs to know of a position; None if it is nothing."""
    wanted = {"begins": windows.open > 0, "first": windows.keeps_over_end, "cut": windows.gives_cut}
    names = [name for name, is_wanted in wanted.items() if is_wanted]
    return AxisPosition(*names) if names else None


@block
def open_windows(stored, beat, opening, kept, whole, *, windows, bits):
    """Adds a position's spikes to all windows that are open there: combinational, of window_axis()'s current position.

    Ports:
        stored  in   windows.open * bits  of the open windows, what the positions before gave: the window that began last lowest;
                                          None if no window is open from one position to the next
        beat    in   bits                 spikes of this position
        opening in                        what window_axis() says of it, see opening_of()
        kept    out  as stored            of the windows that stay open, for the next position; None as stored
        whole   out  bits                 of the window that ends here, if one does

    Parameters:
        windows: Windows
    """
    check_number("open_windows", 1, bits=bits)
    check_width("open_windows", bits, beat=beat, whole=whole)
    if not windows.open:

        @always_comb
        def give_beat():
            whole.next = beat

        return give_beat

    kept_bits = windows.open * bits
    check_width("open_windows", kept_bits, stored=stored, kept=kept)
    places = windows.end_place + 1
    # One place more than windows stay open, or as many: where the window that ends began at this position's phase.
    earlier, values = [Signal(intbv(0)[places * bits :]) for _ in range(2)]
    repeated = ConcatSignal(*[beat] * places) if places > 1 else beat
    moved = None
    if places > 1:
        older = stored
        if windows.open > windows.end_place:
            # A single bit is taken as one: in Verilog a part of a part would be asked for.
            older = stored(0) if windows.end_place * bits == 1 else stored(windows.end_place * bits, 0)
        moved = ConcatSignal(older, intbv(0)[bits:])
    padded = ConcatSignal(intbv(0)[bits:], stored) if windows.open < places else stored
    end_low, end_high = windows.end_place * bits, places * bits
    cut_low, cut_high = windows.cut_place * bits, (windows.cut_place + 1) * bits

    if not windows.keeps_over_end:

        @always_comb
        def find_earlier():
            earlier.next = 0
            if not opening.begins:
                earlier.next = padded

    elif moved is None:

        @always_comb
        def find_earlier():
            earlier.next = 0
            if not opening.first and not opening.begins:
                earlier.next = padded

    else:

        @always_comb
        def find_earlier():
            earlier.next = 0
            if not opening.first:
                if opening.begins:
                    earlier.next = moved
                else:
                    earlier.next = padded

    @always_comb
    def add_beat():
        values.next = earlier | repeated

    if windows.gives_cut:

        @always_comb
        def give_windows():
            kept.next = values[kept_bits:]
            whole.next = values[end_high:end_low]
            if opening.cut:
                whole.next = values[cut_high:cut_low]

    else:

        @always_comb
        def give_windows():
            kept.next = values[kept_bits:]
            whole.next = values[end_high:end_low]

    return instances()
