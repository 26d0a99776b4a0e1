"""The fetch of weights: to each event the weight word that it adds."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .banked_memory import MIN_BANK, banked_memory, words_of_bank
from .checks import check_number, check_table, check_width
from .loaded_memory import parameter_memory
from .scan_base import scan_base
from .stream import counter, index_bits


def fetch_steps(depth: int, least_bank: int = MIN_BANK) -> int:
    """Steps of an event through weight_fetch() with a memory of `depth` words."""
    return 4 if depth > least_bank else 3


@block
def weight_fetch(
    clk, rst, src, dst, load=None, *, frame_rows, scans, positions, flush, channels, timesteps, weights, least_bank=MIN_BANK,
    repeats=1, repeated_scans=1,
):  # fmt: skip
    """Puts in place of an event's channel the weight word of that channel, in the scan that the event belongs to.

    Three steps: the address, the read, and a register for the word, since a block RAM takes most of a cycle to answer. One
    more, between the last two, for a memory in banks: the word of its bank is chosen.

    Ports:
        src  sink    events of scanner(), channels 0 .. channels - 1
        dst  source  weight word in the lowest bits, then the timestep mask, then the mark of a pixel's last event
        load in      of a loadable core, see loading.Load

    Parameters:
        frame_rows: of a frame, each with `scans` scans; they read the same words
        scans: of a row, one for each part and group
        positions: pixels of a scan
        flush: pixels after a frame's last row, without spikes
        channels: weight words of a scan
        weights: Table, word scan * channels + channel
        repeats, repeated_scans: each repeated_scans scans come `repeats` times, and read the same words, before the next ones do
        least_bank: words that a memory holds without banks, see words_of_bank()

    Timing: one event a cycle, latency fetch_steps(weights.depth, least_bank) cycles.
    """
    check_number("weight_fetch", 1, frame_rows=frame_rows, scans=scans, positions=positions, channels=channels)
    check_number("weight_fetch", 1, timesteps=timesteps)
    check_number("weight_fetch", 0, flush=flush)
    check_number("weight_fetch", 2, least_bank=least_bank)
    check_number("weight_fetch", 1, repeats=repeats, repeated_scans=repeated_scans)
    check_table("weight_fetch", weights.width, scans * channels, weights=weights)
    check_width("weight_fetch", index_bits(channels) + timesteps + 1, src=src.data)
    check_width("weight_fetch", weights.width + timesteps + 1, dst=dst.data)
    channel_bits = index_bits(channels)

    event_channel = src.data(channel_bits, 0)
    event_mask = src.data(channel_bits + timesteps, channel_bits)
    event_last = src.data(channel_bits + timesteps)

    step, take, advance = [Signal(bool(0)) for _ in range(3)]
    located, located_last = Signal(bool(0)), Signal(bool(0))
    located_mask = Signal(intbv(0)[timesteps:])
    next_address = counter(weights.depth)
    reading, reading_last = Signal(bool(0)), Signal(bool(0))
    reading_mask = Signal(intbv(0)[timesteps:])
    word = Signal(intbv(0)[weights.width :])
    fetched, fetched_last = Signal(bool(0)), Signal(bool(0))
    fetched_mask = Signal(intbv(0)[timesteps:])
    fetched_word = Signal(intbv(0)[weights.width :])
    weighted = ConcatSignal(fetched_last, fetched_mask, fetched_word)

    # The position: the scan's first word, its pixel, its row.
    base = counter(weights.depth)
    position, row, flushing = counter(positions), counter(frame_rows), counter(flush + 1)

    if weights.depth > least_bank:
        bank_words = words_of_bank(weights.depth, least_bank)
        weight_memory = banked_memory(clk, step, src.valid, next_address, word, load, table=weights, bank_words=bank_words)
        choosing, choosing_last = Signal(bool(0)), Signal(bool(0))
        choosing_mask = Signal(intbv(0)[timesteps:])

        @always(clk.posedge)
        def hold_choice():
            if rst:
                choosing.next = False
            elif step:
                choosing.next = reading
            if step:
                choosing_mask.next = reading_mask
                choosing_last.next = reading_last

    else:
        address, read = counter(weights.depth), Signal(bool(0))
        weight_rom = parameter_memory(load)(clk, read, address, word, table=weights)
        choosing, choosing_last, choosing_mask = reading, reading_last, reading_mask

        @always_comb
        def find_read():
            read.next = located and step

        @always(clk.posedge)
        def register_address():
            if step:
                address.next = next_address

    @always_comb
    def find_address():
        next_address.next = base + event_channel

    @always_comb
    def find_step():
        step.next = dst.ready or not fetched

    @always_comb
    def handshake():
        src.ready.next = step
        take.next = src.valid and step
        dst.valid.next = fetched
        dst.data.next = weighted

    @always(clk.posedge)
    def move_events():
        if rst:
            located.next = False
            reading.next = False
            fetched.next = False
        elif step:
            located.next = src.valid
            reading.next = located
            fetched.next = choosing

    @always(clk.posedge)
    def register_event():
        if step:
            located_mask.next = event_mask
            located_last.next = event_last
            reading_mask.next = located_mask
            reading_last.next = located_last
            fetched_mask.next = choosing_mask
            fetched_last.next = choosing_last
            fetched_word.next = word

    find_base = scan_base(
        clk, rst, advance, base, position, row, flushing, frame_rows=frame_rows, scans=scans, positions=positions, flush=flush,
        channels=channels, repeats=repeats, repeated_scans=repeated_scans,
    )  # fmt: skip

    @always_comb
    def end_pixel():
        advance.next = take and event_last

    return instances()
