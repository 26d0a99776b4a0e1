"""The choice of spans: which groups of chunks of a pixel hold a spike."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .lowest_one import lowest_one
from .scan_position import position_width
from .stream import counter, groups_of, index_bits


def chunk_span(chunks: int) -> int:
    """Chunks of a span: a power of two, close to the number of spans."""
    return 2 ** (((chunks - 1).bit_length() + 1) // 2)


def span_width(chunks: int, words: int) -> int:
    """Width of a chosen span: the flags of its chunks in the lowest bits, then its number, the address of the pixel's first
    word, whether it is the pixel's last, and whether the pixel ends a part. words: of the row buffer."""
    span = chunk_span(chunks)
    return span + index_bits(groups_of(chunks, span)) + index_bits(words) + 2


@block
def span_select(clk, rst, src, flags, dst, *, chunks, words):
    """Gives the spans of each pixel that hold a spike, one a cycle; of a pixel without one its first.

    Two steps, so that the flags come a cycle before they are used: the pixel that is ahead waits with its flags, the current
    one has its spans chosen by a priority encoder.

    Ports:
        src    sink         positions of scan_position()
        flags  in   chunks  of the pixel at src, in the same cycle: bit k: chunk k holds a spike
        dst    source       spans, span_width(chunks, words) bits

    Parameters:
        chunks: of a pixel
        words: of the row buffer

    Timing: a span a cycle, latency 2. Pixel A has spikes in spans 0 and 2, pixel B in none:

        src        |A  |B  |   |   |   |
        ahead      ----|A  |B      |----
        current    --------|A      |B  |
        dst span   --------|0  |2  |0  |
        dst last   ____________/~~~~~~~\\
    """
    check_number("span_select", 1, chunks=chunks, words=words)
    check_width("span_select", position_width(words), src=src.data)
    check_width("span_select", chunks, flags=flags)
    check_width("span_select", span_width(chunks, words), dst=dst.data)
    span = chunk_span(chunks)
    spans = groups_of(chunks, span)
    address_bits = index_bits(words)
    src_base = src.data(address_bits, 0)
    src_empty = src.data(address_bits)
    src_ends_part = src.data(address_bits + 1)

    ahead, ahead_ready, ahead_ends_part = [Signal(bool(0)) for _ in range(3)]
    ahead_flags = Signal(intbv(0)[chunks:])
    ahead_base = counter(words)

    # The current pixel, the flags of its chunks, and its spans that are still to be chosen.
    walking, walk_ready, walk_ends_part, last_span = [Signal(bool(0)) for _ in range(4)]
    walk_flags = Signal(intbv(0)[chunks:])
    base = counter(words)
    spans_todo, spans_left = [Signal(intbv(0)[spans:]) for _ in range(2)]
    span_number = counter(spans)
    span_flags = Signal(intbv(0)[span:])
    chosen_span = ConcatSignal(walk_ends_part, last_span, base, span_number, span_flags)

    choose_span = lowest_one(spans_todo, span_number, spans_left, last_span)

    @always_comb
    def find_ready():
        ahead_ready.next = walk_ready or not ahead

    @always_comb
    def accept():
        src.ready.next = ahead_ready

    @always(clk.posedge)
    def load_ahead():
        if rst:
            ahead.next = False
        elif ahead_ready:
            ahead.next = src.valid
            ahead_ends_part.next = src_ends_part
            ahead_base.next = src_base
            ahead_flags.next = flags
            if src_empty:
                ahead_flags.next = 0

    @always_comb
    def find_walk_ready():
        walk_ready.next = not walking or (dst.ready and last_span)

    @always(clk.posedge)
    def choose_spans():
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
        elif dst.ready:
            spans_todo.next = spans_left

    @always_comb
    def choose_flags():
        flagged = intbv(0)[span:]
        flagged[:] = 0
        for k in range(chunks):
            if walk_flags[k] and span_number == k // span:
                flagged[k % span] = 1
        span_flags.next = flagged

    @always_comb
    def give_span():
        dst.valid.next = walking
        dst.data.next = chosen_span

    return instances()
