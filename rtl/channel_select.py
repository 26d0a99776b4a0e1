"""The choice of channels: the events of a chunk."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .chunk_select import chunk_width
from .lowest_one import lowest_one
from .stream import counter, index_bits, unpack


def event_width(channels: int, timesteps: int) -> int:
    """Width of an event: channel in the lowest bits, then the timestep mask, then the mark of a pixel's last event."""
    return index_bits(channels) + timesteps + 1


@block
def channel_select(clk, rst, src, word, dst, *, chunks, lanes, timesteps, columns=1):
    """Gives an event for each channel of a chunk that spikes, one a cycle; for a silent chunk one with an empty mask.

    Two steps: the word of a chunk is fetched, and a priority encoder chooses among the channels of the current one.

    Ports:
        src   sink                     chunks of chunk_select()
        word  in    lanes * timesteps  spikes of the chunk: they come in the cycle after it is taken, and stay until after the
                                       next one is
        dst   source                   events, event_width(chunks // columns * lanes, timesteps) bits

    Parameters: those of scanner()

    Timing: an event a cycle, latency 2. Chunk A has spikes in lanes 0 and 3, chunk B is silent:

        src        |A  |B  |   |   |   |
        word       ----|A  |B      |----
        current    --------|A      |B  |
        dst        --------|A0 |A3 |-  |
        mask == 0  ________________/~~~\\
    """
    check_number("channel_select", 1, chunks=chunks, lanes=lanes, timesteps=timesteps)
    check_number("channel_select", 1, chunks, columns=columns)
    check_width("channel_select", chunk_width(chunks), src=src.data)
    check_width("channel_select", lanes * timesteps, word=word)
    check_width("channel_select", event_width(chunks // columns * lanes, timesteps), dst=dst.data)
    channels = chunks // columns * lanes
    chunk_bits = index_bits(chunks)
    src_chunk = src.data(chunk_bits, 0)
    src_silent = src.data(chunk_bits)
    src_last = src.data(chunk_bits + 1)

    # The chunk whose word comes out of the row buffer.
    fetched, fetch_ready, fetch_last, fetch_silent = [Signal(bool(0)) for _ in range(4)]
    fetch_channel = counter(channels)
    first_channel = counter(channels) if columns > 1 else None
    fetched_masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]

    # The current chunk, and its lanes that are still to be chosen.
    encoding, encode_ready, encode_last, last_lane = [Signal(bool(0)) for _ in range(4)]
    encode_channel = counter(channels)
    masks = [Signal(intbv(0)[timesteps:]) for _ in range(lanes)]
    pending, lanes_left = [Signal(intbv(0)[lanes:]) for _ in range(2)]
    lane = counter(lanes)
    event_channel = Signal(intbv(0)[index_bits(channels) :])
    event_mask = Signal(intbv(0)[timesteps:])
    event_last = Signal(bool(0))
    event_word = ConcatSignal(event_last, event_mask, event_channel)

    word_fields = unpack(word, fetched_masks)
    choose_lane = lowest_one(pending, lane, lanes_left, last_lane)

    @always_comb
    def find_fetch_ready():
        fetch_ready.next = encode_ready or not fetched

    @always_comb
    def accept():
        src.ready.next = fetch_ready

    @always(clk.posedge)
    def fetch_word():
        if rst:
            fetched.next = False
        elif fetch_ready:
            fetched.next = src.valid
            fetch_last.next = src_last
            fetch_silent.next = src_silent

    if columns == 1:

        @always(clk.posedge)
        def fetch_first_channel():
            first = intbv(0, min=0, max=channels + 1)
            first[:] = src_chunk
            first[:] = first * lanes
            if fetch_ready:
                fetch_channel.next = first

    else:
        # Of the chunks of all columns of a pixel those of the same channels have the same number, by a table.
        first_channels = tuple(chunk // columns * lanes for chunk in range(chunks))

        @always_comb
        def find_first_channel():
            first_channel.next = first_channels[src_chunk]

        @always(clk.posedge)
        def fetch_first_channel():
            if fetch_ready:
                fetch_channel.next = first_channel

    @always_comb
    def find_encode_ready():
        encode_ready.next = not encoding or (dst.ready and last_lane)

    @always(clk.posedge)
    def choose_lanes():
        if rst:
            encoding.next = False
        elif encode_ready:
            encoding.next = fetched
            encode_last.next = fetch_last
            encode_channel.next = fetch_channel

    # First the reset of the register: the word comes late from a block RAM.
    @always(clk.posedge)
    def load_lanes():
        if encode_ready and fetch_silent:
            pending.next = 0
        elif encode_ready:
            for k in range(lanes):
                pending.next[k] = fetched_masks[k] != 0
        elif dst.ready:
            pending.next = lanes_left
        if encode_ready:
            for k in range(lanes):
                masks[k].next = fetched_masks[k]

    @always_comb
    def compose_event():
        event_channel.next = encode_channel + lane
        event_mask.next = 0
        if pending != 0:
            event_mask.next = masks[lane]
        event_last.next = encode_last and last_lane

    @always_comb
    def give_event():
        dst.valid.next = encoding
        dst.data.next = event_word

    return instances()
