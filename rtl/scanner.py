"""The scanner: turns buffered rows of spikes into a stream of events, one a cycle."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .row_buffer import row_buffer
from .stream import counter, index_bits, unpack


def event_width(channels: int, timesteps: int) -> int:
    """Width of an event: channel in the lowest bits, then the timestep mask, then the mark of a pixel's last event."""
    return index_bits(channels) + timesteps + 1


@block
def scanner(clk, rst, src, dst, parts, width, padding, chunks, lanes, timesteps, scans, flush, banks):
    """Scans each part of a row of spikes `scans` times and emits its events: (channel, timestep mask, last of the pixel).

    A priority encoder picks the non-empty chunks of a pixel from their flags, a second one the spiking channels of a
    chunk. So an empty chunk costs nothing, and a pixel costs max(1, events) cycles: one without a spike gives a single
    event with an empty mask, marked last. The next part follows without a gap if it has arrived.

    Ports:
        src  sink    spike stream, lanes * timesteps bits
        dst  source  events, event_width(chunks * lanes, timesteps) bits

    Parameters:
        parts: of a frame: its rows, or more where the channels of a row are scanned in several parts, one after the other
        width: pixels of a row
        padding: empty pixels added to each scan
        chunks: beats for each pixel of a part, each of `lanes` channels; the channel of an event, counted within the part,
            is chunk * lanes + lane
        scans: how often a part is scanned, once for each group of output channels
        flush: empty pixels after a frame's last part
        banks: parts that the row buffer holds, 2 or more
    """
    positions = width + padding
    channels = chunks * lanes
    last_part, last_scan, last_column, last_bank = parts - 1, scans - 1, positions - 1, banks - 1
    channel_bits = index_bits(channels)

    full = Signal(intbv(0)[banks:])
    free_bank = Signal(bool(0))
    read = Signal(bool(0))
    read_addr = counter(banks * width * chunks)
    word = Signal(intbv(0)[lanes * timesteps :])
    peek_addr = counter(banks * width)
    peek = Signal(intbv(0)[chunks:])

    # Position of the walk over frames, parts, scans and pixels; `next_` is where the pixel after this one is.
    bank, next_bank = counter(banks), counter(banks)
    bank_base, next_bank_base = counter(banks * width), counter(banks * width)
    part, next_part = counter(parts), counter(parts)
    scan, next_scan = counter(scans), counter(scans)
    column, next_column = counter(positions), counter(positions)
    flushing, next_flushing = counter(flush + 1), counter(flush + 1)
    part_done = Signal(bool(0))

    # Walker: the pixel at hand and its chunks still to be fetched.
    walking = Signal(bool(0))
    todo = Signal(intbv(0)[chunks:])
    base = counter(banks * width * chunks)
    chunk = counter(chunks)
    last_chunk = Signal(bool(0))
    step = Signal(bool(0))

    # Fetch: the chunk whose word comes out of the row buffer.
    fetched, fetch_ready, fetch_last, fetch_silent = [Signal(bool(0)) for _ in range(4)]
    fetch_channel = counter(channels)

    # Encode: the chunk whose channels are being emitted.
    encoding, encode_ready, encode_last = [Signal(bool(0)) for _ in range(3)]
    encode_channel = counter(channels)
    masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]
    fetched_masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]
    pending = Signal(intbv(0)[lanes:])
    lane = counter(lanes)
    last_lane = Signal(bool(0))
    event_channel = Signal(intbv(0)[channel_bits:])
    event_mask = Signal(intbv(0)[timesteps:])
    event_last = Signal(bool(0))
    event_word = ConcatSignal(event_last, event_mask, event_channel)

    buffer_rows = row_buffer(
        clk, rst, src, full, free_bank, bank, read, read_addr, word, peek_addr, peek, width, chunks, banks
    )  # fmt: skip
    word_fields = unpack(word, fetched_masks)

    @always_comb
    def choose_chunk():
        found = False
        several = False
        chunk.next = 0
        for k in range(chunks):
            if todo[k]:
                if found:
                    several = True
                else:
                    found = True
                    chunk.next = k
        last_chunk.next = not several

    @always_comb
    def fetch_chunk():
        step.next = walking and fetch_ready and last_chunk
        read.next = walking and fetch_ready
        read_addr.next = base + chunk

    @always_comb
    def find_next_position():
        next_bank.next = bank
        next_bank_base.next = bank_base
        next_part.next = part
        next_scan.next = scan
        next_column.next = column
        next_flushing.next = flushing
        part_done.next = False
        if step:
            if flushing != 0:
                next_flushing.next = flushing - 1
            elif column != last_column:
                next_column.next = column + 1
            else:
                next_column.next = 0
                if scan != last_scan:
                    next_scan.next = scan + 1
                else:
                    next_scan.next = 0
                    part_done.next = True
                    if bank != last_bank:
                        next_bank.next = bank + 1
                        next_bank_base.next = bank_base + width
                    else:
                        next_bank.next = 0
                        next_bank_base.next = 0
                    if part != last_part:
                        next_part.next = part + 1
                    else:
                        next_part.next = 0
                        next_flushing.next = flush

    @always_comb
    def peek_at_next():
        free_bank.next = part_done
        peek_addr.next = 0
        if next_column < width:
            peek_addr.next = next_bank_base + next_column

    @always(clk.posedge)
    def walk():
        if rst:
            bank.next = 0
            bank_base.next = 0
            part.next = 0
            scan.next = 0
            column.next = 0
            flushing.next = 0
            walking.next = False
        else:
            bank.next = next_bank
            bank_base.next = next_bank_base
            part.next = next_part
            scan.next = next_scan
            column.next = next_column
            flushing.next = next_flushing
            if step or not walking:
                walking.next = next_flushing != 0 or full[next_bank]

    # In VHDL a product with a constant has the width of the other factor, so that is widened first.
    @always(clk.posedge)
    def take_chunks():
        scaled = intbv(0, min=0, max=banks * width * chunks + 1)
        if step or not walking:
            scaled[:] = peek_addr
            scaled[:] = scaled * chunks
            base.next = scaled
            todo.next = peek
            if next_flushing != 0 or next_column >= width:
                todo.next = 0
        elif fetch_ready:
            todo.next[chunk] = 0

    @always_comb
    def fetch_flow():
        fetch_ready.next = encode_ready or not fetched

    @always(clk.posedge)
    def fetch():
        scaled = intbv(0, min=0, max=channels + 1)
        scaled[:] = chunk
        scaled[:] = scaled * lanes
        if rst:
            fetched.next = False
        elif fetch_ready:
            fetched.next = walking
            fetch_last.next = last_chunk
            fetch_silent.next = todo == 0
            fetch_channel.next = scaled

    @always_comb
    def choose_lane():
        found = False
        several = False
        lane.next = 0
        for k in range(lanes):
            if pending[k]:
                if found:
                    several = True
                else:
                    found = True
                    lane.next = k
        last_lane.next = not several

    @always_comb
    def encode_flow():
        encode_ready.next = not encoding or (dst.ready and last_lane)

    @always(clk.posedge)
    def encode():
        if rst:
            encoding.next = False
        elif encode_ready:
            encoding.next = fetched
            encode_last.next = fetch_last
            encode_channel.next = fetch_channel
            for k in range(lanes):
                pending.next[k] = fetched_masks[k] != 0 and not fetch_silent
                masks[k].next = fetched_masks[k]
        elif dst.ready:
            pending.next[lane] = 0

    @always_comb
    def compose_event():
        event_channel.next = encode_channel + lane
        event_mask.next = 0
        if pending != 0:
            event_mask.next = masks[lane]
        event_last.next = encode_last and last_lane

    @always_comb
    def emit():
        dst.valid.next = encoding
        dst.data.next = event_word

    return instances()
