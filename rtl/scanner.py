"""The scanner: turns buffered rows of spikes into a stream of events, one a cycle."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .channel_select import channel_select, event_width
from .checks import check_number, check_width
from .chunk_select import chunk_select, chunk_width
from .crop import crop
from .errors import DesignError
from .row_buffer import row_buffer
from .scan_position import position_width, scan_position
from .span_select import span_select, span_width
from .stream import Stream, counter


@block
def scanner(
    clk, rst, src, dst, *, parts, width, padding, chunks, lanes, timesteps, scans, flush, banks, columns=1, cropping=None
):
    """Scans each part of a row of spikes `scans` times and emits its events: (channel, timestep mask, last of the pixel).

    The chunks of a pixel form spans of about as many chunks as there are spans, so that no step chooses among many bits:
    one priority encoder picks the spans of a pixel that hold a spike, a second one the chunks of a span, a third one the
    spiking channels of a chunk. So an empty chunk costs nothing, and a pixel costs max(1, events) cycles: one without a spike
    gives a single event with an empty mask, marked last. The next part follows without a gap if it has arrived.

    Ports:
        src  sink    spike stream, lanes * timesteps bits
        dst  source  events, event_width(chunks // columns * lanes, timesteps) bits

    Parameters:
        parts: of a frame: its rows, or more where the channels of a row are scanned in several parts, one after the other
        width: pixels of a row
        padding: empty pixels added to each scan
        chunks: beats for each pixel of a part, each of `lanes` channels; the channel of an event, counted within the part,
            is chunk // columns * lanes + lane
        scans: how often a part is scanned, once for each group of output channels
        flush: empty pixels after a frame's last part
        banks: parts that the row buffer holds, 2 or more
        columns: of the input, side by side, that are scanned as one pixel: those of a window whose spikes are summed, so that
            an event does not say which of them it is from
        cropping: a Crop, of a map of which only the first rows and columns are scanned; None: all of it is

    Timing: an event a cycle, the first one eight cycles after the last beat of its part. The streams between the steps, for a
    part of one pixel A with two events, A1 and A2:

        src         |A  |
        full        ________/~~~
        position    --------|A  |
        span        ----------------|A  |
        chunk       ------------------------|A  |
        dst         --------------------------------|A1 |A2 |
    """
    check_number("scanner", 1, parts=parts, width=width, chunks=chunks, lanes=lanes, timesteps=timesteps, scans=scans)
    check_number("scanner", 1, chunks, columns=columns)
    check_number("scanner", 0, padding=padding, flush=flush)
    check_number("scanner", 2, banks=banks)
    if cropping is not None and cropping.kept_beats != parts * width * chunks:
        beats = parts * width * chunks
        raise DesignError(f"scanner: {cropping.kept_beats} beats are kept of a map; allowed: {beats}, those of its parts")
    check_width("scanner", lanes * timesteps, src=src.data)
    check_width("scanner", event_width(chunks // columns * lanes, timesteps), dst=dst.data)
    words, last_bank = banks * width * chunks, banks - 1
    full = Signal(intbv(0)[banks:])
    pixel_addr, read_addr = counter(banks * width), counter(words)
    flags = Signal(intbv(0)[chunks:])
    word = Signal(intbv(0)[lanes * timesteps :])
    read, ends_part, freed = [Signal(bool(0)) for _ in range(3)]
    freed_bank = counter(banks)
    kept = src if cropping is None else Stream(lanes * timesteps)
    position, span, chunk = Stream(position_width(words)), Stream(span_width(chunks, words)), Stream(chunk_width(chunks))

    if cropping is not None:
        drop_beats = crop(clk, rst, src, kept, sizes=cropping)
    buffer_rows = row_buffer(
        clk, rst, kept, full, freed, freed_bank, read, read_addr, word, pixel_addr, flags, pixels=width, chunks=chunks,
        banks=banks, columns=columns,
    )  # fmt: skip
    find_positions = scan_position(
        clk, rst, full, freed, freed_bank, pixel_addr, position, parts=parts, width=width, padding=padding, chunks=chunks,
        scans=scans, flush=flush, banks=banks,
    )  # fmt: skip
    select_spans = span_select(clk, rst, position, flags, span, chunks=chunks, words=words)
    select_chunks = chunk_select(clk, rst, span, chunk, read_addr, ends_part, chunks=chunks, words=words)
    select_channels = channel_select(clk, rst, chunk, word, dst, chunks=chunks, lanes=lanes, timesteps=timesteps, columns=columns)

    @always_comb
    def read_chunk():
        read.next = chunk.valid and chunk.ready
        freed.next = chunk.valid and chunk.ready and ends_part

    @always(clk.posedge)
    def count_freed():
        if rst:
            freed_bank.next = 0
        elif freed:
            if freed_bank != last_bank:
                freed_bank.next = freed_bank + 1
            else:
                freed_bank.next = 0

    return instances()
