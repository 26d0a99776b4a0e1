"""The scanner: turns buffered rows of spikes into a stream of events, one a cycle."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .lowest_one import lowest_one
from .row_buffer import row_buffer
from .stream import counter, groups_of, index_bits, unpack


def event_width(channels: int, timesteps: int) -> int:
    """Width of an event: channel in the lowest bits, then the timestep mask, then the mark of a pixel's last event."""
    return index_bits(channels) + timesteps + 1


def chunk_span(chunks: int) -> int:
    """Chunks of a span: a power of two, close to the number of spans."""
    return 2 ** (((chunks - 1).bit_length() + 1) // 2)


@block
def scanner(clk, rst, src, dst, *, parts, width, padding, chunks, lanes, timesteps, scans, flush, banks):
    """Scans each part of a row of spikes `scans` times and emits its events: (channel, timestep mask, last of the pixel).

    The chunks of a pixel form spans of about as many chunks as there are spans, so that no step chooses among many bits.
    A priority encoder picks the non-empty spans of a pixel from the flags of its chunks, a second one the non-empty chunks
    of a span, a third one the spiking channels of a chunk. So an empty chunk costs nothing, and a pixel costs
    max(1, events) cycles: one without a spike gives a single event with an empty mask, marked last. The next part follows
    without a gap if it has arrived.

    A pixel goes through these steps: it is looked at (its flags come), it waits ahead, it is walked (its spans are chosen),
    the chunks of each span are chosen, each chunk is read from the row buffer, and its channels are emitted.

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
    check_number("scanner", 1, parts=parts, width=width, chunks=chunks, lanes=lanes, timesteps=timesteps, scans=scans)
    check_number("scanner", 0, padding=padding, flush=flush)
    check_number("scanner", 2, banks=banks)
    check_width("scanner", lanes * timesteps, src=src.data)
    check_width("scanner", event_width(chunks * lanes, timesteps), dst=dst.data)
    positions = width + padding
    channels = chunks * lanes
    last_part, last_scan, last_column, last_bank = parts - 1, scans - 1, positions - 1, banks - 1
    last_pixel = width - 1
    channel_bits = index_bits(channels)
    span = chunk_span(chunks)
    spans = groups_of(chunks, span)

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

    # Ahead: the next pixel to be walked, the flags of its chunks, and where its words are.
    ahead, ahead_ends_part = Signal(bool(0)), Signal(bool(0))
    ahead_flags = Signal(intbv(0)[chunks:])
    ahead_base = counter(banks * width * chunks)

    # Walk: the pixel at hand, the flags of its chunks, and its spans still to be chosen.
    walking, walk_ready, walk_ends_part = [Signal(bool(0)) for _ in range(3)]
    walk_flags = Signal(intbv(0)[chunks:])
    base = counter(banks * width * chunks)
    spans_todo, spans_left = [Signal(intbv(0)[spans:]) for _ in range(2)]
    span_number = counter(spans)
    last_span = Signal(bool(0))

    # Span: the span at hand, by its first chunk, and its chunks still to be chosen.
    spanning, span_ready, span_last, span_ends_part = [Signal(bool(0)) for _ in range(4)]
    span_base = counter(banks * width * chunks)
    span_first = counter(chunks)
    chunks_todo, chunks_left = [Signal(intbv(0)[span:]) for _ in range(2)]
    chunk = counter(span)
    last_chunk = Signal(bool(0))

    # Choose: the chunk that is being read.
    chosen, choose_ready, chosen_last, chosen_silent, chosen_ends_part = [Signal(bool(0)) for _ in range(5)]
    read_addr = counter(banks * width * chunks)
    chosen_chunk = counter(chunks)

    # Fetch: the chunk whose word comes out of the row buffer.
    fetched, fetch_ready, fetch_last, fetch_silent = [Signal(bool(0)) for _ in range(4)]
    fetch_channel = counter(channels)

    # Encode: the chunk whose channels are being emitted.
    encoding, encode_ready, encode_last = [Signal(bool(0)) for _ in range(3)]
    encode_channel = counter(channels)
    masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]
    fetched_masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]
    pending, lanes_left = [Signal(intbv(0)[lanes:]) for _ in range(2)]
    lane = counter(lanes)
    last_lane = Signal(bool(0))
    event_channel = Signal(intbv(0)[channel_bits:])
    event_mask = Signal(intbv(0)[timesteps:])
    event_last = Signal(bool(0))
    event_word = ConcatSignal(event_last, event_mask, event_channel)

    buffer_rows = row_buffer(
        clk, rst, src, full, freed, freed_bank, read, read_addr, word, pixel_addr, flags, pixels=width, chunks=chunks,
        banks=banks,
    )  # fmt: skip
    word_fields = unpack(word, fetched_masks)
    choose_span = lowest_one(spans_todo, span_number, spans_left)
    choose_chunk = lowest_one(chunks_todo, chunk, chunks_left)
    choose_lane = lowest_one(pending, lane, lanes_left)

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
            ahead_flags.next = flags
            if flushing != 0 or column > last_pixel:
                ahead_flags.next = 0

    @always_comb
    def find_last():
        last_span.next = spans_left == 0
        last_chunk.next = chunks_left == 0
        last_lane.next = lanes_left == 0

    @always_comb
    def walk_flow():
        walk_ready.next = not walking or (span_ready and last_span)

    @always(clk.posedge)
    def walk():
        filled = intbv(0)[spans:]
        if rst:
            walking.next = False
        elif walk_ready:
            walking.next = ahead
            walk_ends_part.next = ahead_ends_part
            base.next = ahead_base
            walk_flags.next = ahead_flags
            filled[:] = 0
            for k in range(chunks):
                if ahead_flags[k]:
                    filled[k // span] = 1
            spans_todo.next = filled
        elif span_ready:
            spans_todo.next = spans_left

    @always_comb
    def span_flow():
        span_ready.next = not spanning or (choose_ready and last_chunk)

    # In VHDL a product with a constant has the width of the other factor, so that is widened first.
    @always(clk.posedge)
    def take_span():
        first = intbv(0, min=0, max=chunks + span)
        flagged = intbv(0)[span:]
        first[:] = span_number
        first[:] = first * span
        flagged[:] = 0
        for k in range(chunks):
            if walk_flags[k] and span_number == k // span:
                flagged[k % span] = 1
        if rst:
            spanning.next = False
        elif span_ready:
            spanning.next = walking
            span_last.next = last_span
            span_ends_part.next = walk_ends_part
            span_base.next = base + first
            span_first.next = first
            chunks_todo.next = flagged
        elif choose_ready:
            chunks_todo.next = chunks_left

    @always_comb
    def choose_flow():
        choose_ready.next = fetch_ready or not chosen
        read.next = chosen and fetch_ready
        freed.next = chosen and fetch_ready and chosen_ends_part

    @always(clk.posedge)
    def choose():
        if rst:
            chosen.next = False
        elif choose_ready:
            chosen.next = spanning
            chosen_last.next = span_last and last_chunk
            chosen_ends_part.next = span_ends_part and span_last and last_chunk
            chosen_silent.next = chunks_todo == 0
            read_addr.next = span_base + chunk
            chosen_chunk.next = span_first + chunk

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
        first = intbv(0, min=0, max=channels + 1)
        first[:] = chosen_chunk
        first[:] = first * lanes
        if rst:
            fetched.next = False
        elif fetch_ready:
            fetched.next = chosen
            fetch_last.next = chosen_last
            fetch_silent.next = chosen_silent
            fetch_channel.next = first

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
            pending.next = lanes_left

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
