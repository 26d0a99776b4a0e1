"""The flags of the row buffer: which chunks hold a spike."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .stream import counter, index_bits


@block
def chunk_flags(
    clk, rst, write, data, place, flag_addr, bank, completes, free_bank, freed_bank, full, peek_addr, peek, same_pixel=None, *,
    pixels, chunks, banks,
):  # fmt: skip
    """Keeps a flag for each chunk of each pixel of all banks, and which banks hold a whole part with its flags.

    Two steps: a beat comes, and the flags of its pixel so far are read; then they are written with its own.

    Ports:
        write       in   1           a beat comes at this edge
        data        in   beat width  its spikes
        place       in   chunks      its chunk, as one bit of all
        flag_addr   in   index       its pixel: bank * pixels + pixel
        bank        in   index       its bank
        completes   in   1           it is the last one of its part
        free_bank   in   1           bank `freed_bank` is free again
        freed_bank  in   index       0 .. banks - 1
        full        out  banks       bit b: bank b holds a whole part
        peek_addr   in   index       bank * pixels + pixel
        peek        out  chunks      flags of that pixel, in the same cycle
        same_pixel  in   1           its pixel is that of the beat before; None where that never is so, or always

    Parameters: those of row_buffer()

    Timing: a beat a cycle; its flag can be seen two cycles after it came. The last beats A and B of a part in bank 0:

        write      /~~~~~~~\\____________
        beat       |A  |B  |------------
        flagging   ____/~~~~~~~\\________
        peek       --------|A  |A,B|----
        full[0]    ____________/~~~~~~~~
    """
    check_number("chunk_flags", 1, pixels=pixels, chunks=chunks)
    check_number("chunk_flags", 2, banks=banks)
    check_width("chunk_flags", chunks, place=place, peek=peek)
    check_width("chunk_flags", index_bits(banks * pixels), flag_addr=flag_addr, peek_addr=peek_addr)
    check_width("chunk_flags", index_bits(banks), bank=bank, freed_bank=freed_bank)
    check_width("chunk_flags", banks, full=full)
    check_width("chunk_flags", len(data), data=data)
    flags = [Signal(intbv(0)[chunks:]) for _ in range(banks * pixels)]
    # The beat that is being flagged; it has gone into the memory.
    flagging, beginning, completing = [Signal(bool(0)) for _ in range(3)]
    flagged_addr, flagged_bank = counter(banks * pixels), counter(banks)
    # The beat's flag in its place, the flags of its pixel without it, and with it.
    own, earlier, updated = [Signal(intbv(0)[chunks:]) for _ in range(3)]
    scannable = Signal(intbv(0)[banks:])

    @always_comb
    def give_flags():
        peek.next = flags[peek_addr]

    @always_comb
    def give_full():
        full.next = scannable

    @always(clk.posedge)
    def load_beat():
        if rst:
            flagging.next = False
            completing.next = False
        else:
            flagging.next = write
            completing.next = completes
        own.next = 0
        if data != 0:
            own.next = place
        beginning.next = place[0]
        flagged_addr.next = flag_addr
        flagged_bank.next = bank

    if pixels == 1:

        @always(clk.posedge)
        def keep_flags():
            if flagging:
                earlier.next = updated

    elif same_pixel is not None:
        # The flags of the beat before are not in the memory yet.
        @always(clk.posedge)
        def fetch_flags():
            earlier.next = flags[flag_addr]
            if flagging and same_pixel:
                earlier.next = updated

    else:
        # The beat that is flagged meanwhile is another pixel's.
        @always(clk.posedge)
        def fetch_flags():
            earlier.next = flags[flag_addr]

    @always_comb
    def add_flag():
        if beginning:
            updated.next = own
        else:
            updated.next = own | earlier

    @always(clk.posedge)
    def write_flags():
        if flagging:
            flags[flagged_addr].next = updated

    @always(clk.posedge)
    def mark_full():
        if rst:
            scannable.next = 0
        else:
            if free_bank:
                scannable.next[freed_bank] = 0
            if completing:
                scannable.next[flagged_bank] = 1

    return instances()
