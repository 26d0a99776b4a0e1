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

    A pixel goes through these steps: it is looked at (its flags come), it waits ahead, it is walked (its chunks are chosen),
    each chunk is read from the row buffer, and its channels are emitted.

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
    last_pixel = width - 1
    channel_bits = index_bits(channels)

    full = Signal(intbv(0)[banks:])
    freed = Signal(bool(0))
    freed_bank = counter(banks)
    read = Signal(bool(0))
    word = Signal(intbv(0)[lanes * timesteps :])
    flags = Signal(intbv(0)[chunks:])

    # Look: the pixel whose flags are asked for, by its position in frames, parts, scans and columns. A part that has been
    # looked through is taken, and its bank still full until it has been read.
    taken = Signal(intbv(0)[banks:])
    bank = counter(banks)
    pixel_base, word_base = counter(banks * width), counter(banks * width * chunks)
    pixel_addr, word_addr = counter(banks * width), counter(banks * width * chunks)
    part, scan, column, flushing = counter(parts), counter(scans), counter(positions), counter(flush + 1)
    available, look, ends_part = [Signal(bool(0)) for _ in range(3)]

    # Ahead: the next pixel to be walked; todo: its chunks that are not empty, base: where its words are.
    ahead, ahead_ends_part = Signal(bool(0)), Signal(bool(0))
    ahead_todo = Signal(intbv(0)[chunks:])
    ahead_base = counter(banks * width * chunks)

    # Walk: the pixel at hand and its chunks still to be chosen.
    walking, walk_ready, walk_ends_part = [Signal(bool(0)) for _ in range(3)]
    todo = Signal(intbv(0)[chunks:])
    base = counter(banks * width * chunks)
    chunk = counter(chunks)
    last_chunk = Signal(bool(0))

    # Choose: the chunk that is being read.
    chosen, choose_ready, chosen_last, chosen_silent, chosen_ends_part = [Signal(bool(0)) for _ in range(5)]
    read_addr = counter(banks * width * chunks)
    chosen_channel = counter(channels)

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
        clk, rst, src, full, freed, freed_bank, read, read_addr, word, pixel_addr, flags, width, chunks, banks
    )  # fmt: skip
    word_fields = unpack(word, fetched_masks)

    @always_comb
    def find_available():
        available.next = flushing != 0 or (full[bank] and not taken[bank])
        ends_part.next = flushing == 0 and column == last_column and scan == last_scan

    @always_comb
    def find_look():
        look.next = available and (walk_ready or not ahead)

    @always(clk.posedge)
    def walk_positions():
        if rst:
            bank.next = 0
            pixel_base.next = 0
            word_base.next = 0
            pixel_addr.next = 0
            word_addr.next = 0
            part.next = 0
            scan.next = 0
            column.next = 0
            flushing.next = 0
        elif look:
            if flushing != 0:
                flushing.next = flushing - 1
            elif column != last_column:
                column.next = column + 1
                # The padding has no flags.
                if column < last_pixel:
                    pixel_addr.next = pixel_addr + 1
                    word_addr.next = word_addr + chunks
            else:
                column.next = 0
                pixel_addr.next = pixel_base
                word_addr.next = word_base
                if scan != last_scan:
                    scan.next = scan + 1
                else:
                    scan.next = 0
                    if bank != last_bank:
                        bank.next = bank + 1
                        pixel_base.next = pixel_base + width
                        pixel_addr.next = pixel_base + width
                        word_base.next = word_base + width * chunks
                        word_addr.next = word_base + width * chunks
                    else:
                        bank.next = 0
                        pixel_base.next = 0
                        pixel_addr.next = 0
                        word_base.next = 0
                        word_addr.next = 0
                    if part != last_part:
                        part.next = part + 1
                    else:
                        part.next = 0
                        flushing.next = flush

    @always(clk.posedge)
    def take_parts():
        if rst:
            taken.next = 0
        else:
            if freed:
                taken.next[freed_bank] = 0
            if look and ends_part:
                taken.next[bank] = 1

    @always(clk.posedge)
    def look_ahead():
        if rst:
            ahead.next = False
        elif walk_ready or not ahead:
            ahead.next = available
            ahead_ends_part.next = ends_part
            ahead_base.next = word_addr
            ahead_todo.next = flags
            if flushing != 0 or column > last_pixel:
                ahead_todo.next = 0

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
    def walk_flow():
        walk_ready.next = not walking or (choose_ready and last_chunk)

    @always(clk.posedge)
    def walk():
        if rst:
            walking.next = False
        elif walk_ready:
            walking.next = ahead
            walk_ends_part.next = ahead_ends_part
            base.next = ahead_base
            todo.next = ahead_todo
        elif choose_ready:
            todo.next[chunk] = 0

    @always_comb
    def choose_flow():
        choose_ready.next = fetch_ready or not chosen
        read.next = chosen and fetch_ready
        freed.next = chosen and fetch_ready and chosen_ends_part

    # In VHDL a product with a constant has the width of the other factor, so that is widened first.
    @always(clk.posedge)
    def choose():
        scaled = intbv(0, min=0, max=channels + 1)
        scaled[:] = chunk
        scaled[:] = scaled * lanes
        if rst:
            chosen.next = False
        elif choose_ready:
            chosen.next = walking
            chosen_last.next = last_chunk
            chosen_ends_part.next = walk_ends_part and last_chunk
            chosen_silent.next = todo == 0
            read_addr.next = base + chunk
            chosen_channel.next = scaled

    @always(clk.posedge)
    def free_banks():
        if rst:
            freed_bank.next = 0
        elif freed:
            if freed_bank != last_bank:
                freed_bank.next = freed_bank + 1
            else:
                freed_bank.next = 0

    @always_comb
    def fetch_flow():
        fetch_ready.next = encode_ready or not fetched

    @always(clk.posedge)
    def fetch():
        if rst:
            fetched.next = False
        elif fetch_ready:
            fetched.next = chosen
            fetch_last.next = chosen_last
            fetch_silent.next = chosen_silent
            fetch_channel.next = chosen_channel

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
