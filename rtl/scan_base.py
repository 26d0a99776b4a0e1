"""The position of a weight fetch: the first word of the scan that the next event belongs to."""

from myhdl import always, block, instances

from .checks import check_number, check_width
from .errors import DesignError
from .stream import counter, index_bits


@block
def scan_base(
    clk, rst, advance, base, position, row, flushing, *, frame_rows, scans, positions, flush, channels, repeats, repeated_scans
):  # fmt: skip
    """Counts pixels in the order row, scan, pixel, and after a frame those of its flush.

    Ports:
        advance   in   1      the last event of a pixel passes at this edge
        base      out  index  scan * channels, of the scan at hand
        position  out  index  pixel of the scan
        row       out  index  of the frame
        flushing  out  index  pixels of the flush that are still to come

    Parameters: those of weight_fetch()

    Timing: a pixel for each advance. Two pixels a scan, two scans of three words:

        advance   /~~~~~~~~~~~~~~~\\_
        position  |0  |1  |0  |1  |0
        base      |0      |3      |0
    """
    check_number("scan_base", 1, frame_rows=frame_rows, scans=scans, positions=positions, channels=channels)
    check_number("scan_base", 0, flush=flush)
    check_number("scan_base", 1, repeats=repeats, repeated_scans=repeated_scans)
    check_width("scan_base", index_bits(scans * channels), base=base)
    check_width("scan_base", index_bits(positions), position=position)
    check_width("scan_base", index_bits(frame_rows), row=row)
    check_width("scan_base", index_bits(flush + 1), flushing=flushing)
    if repeats > 1 and (scans % repeated_scans or frame_rows > 1 or flush):
        allowed = "as many each time, in a frame of one row without a flush"
        raise DesignError(f"scan_base: {repeated_scans} scans {repeats} times; allowed: {allowed}")
    last_row, last_position, last_base = frame_rows - 1, positions - 1, (scans - 1) * channels

    if repeats == 1:

        @always(clk.posedge)
        def advance_position():
            if rst:
                base.next = 0
                position.next = 0
                row.next = 0
                flushing.next = 0
            elif advance:
                if flushing != 0:
                    flushing.next = flushing - 1
                else:
                    position.next = 0 if position == last_position else position + 1
                    if position == last_position:
                        base.next = 0 if base == last_base else base + channels
                        if base == last_base:
                            row.next = 0 if row == last_row else row + 1
                            if row == last_row:
                                flushing.next = flush

    else:
        last_repeat, last_repeated = repeats - 1, repeated_scans - 1
        round_number, repeated, first_base = counter(repeats), counter(repeated_scans), counter(scans * channels)

        @always(clk.posedge)
        def advance_position():
            if rst:
                base.next = 0
                first_base.next = 0
                position.next = 0
                repeated.next = 0
                round_number.next = 0
            elif advance:
                position.next = 0 if position == last_position else position + 1
                if position == last_position:
                    repeated.next = 0 if repeated == last_repeated else repeated + 1
                    if repeated != last_repeated:
                        base.next = base + channels
                    elif round_number != last_repeat:
                        round_number.next = round_number + 1
                        base.next = first_base
                    else:
                        round_number.next = 0
                        base.next = 0 if base == last_base else base + channels
                        first_base.next = 0 if base == last_base else base + channels

    return instances()
