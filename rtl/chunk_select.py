"""The choice of chunks: which words of a span are read."""

from myhdl import ConcatSignal, Signal, always, always_comb, block, instances, intbv

from .checks import check_number, check_width
from .lowest_one import lowest_one
from .span_select import chunk_span, span_width
from .stream import counter, groups_of, index_bits


def chunk_width(chunks: int) -> int:
    """Width of a chosen chunk: its number in the lowest bits, then whether its pixel has no spike, and whether it is the
    pixel's last."""
    return index_bits(chunks) + 2


@block
def chunk_select(clk, rst, src, dst, read_addr, ends_part, *, chunks, words):
    """Gives the chunks of each span that hold a spike, one a cycle; of a span without one its first, marked silent.

    Two steps: a priority encoder chooses among the chunks of the current span, and the address of the chosen one is formed.

    Ports:
        src        sink        spans of span_select()
        dst        source      chunks, chunk_width(chunks) bits
        read_addr  out  index  word of the chunk at dst in the row buffer
        ends_part  out  1      the chunk at dst is the last one of a part

    Parameters:
        chunks: of a pixel
        words: of the row buffer

    Timing: a chunk a cycle, latency 2. Spans of two chunks: span 0 of a pixel holds both, span 2 its second one:

        src        |0  |2      |   |   |
        current    ----|0      |2  |----
        dst chunk  --------|0  |1  |5  |
        dst last   ________________/~~~\\
    """
    check_number("chunk_select", 1, chunks=chunks, words=words)
    check_width("chunk_select", span_width(chunks, words), src=src.data)
    check_width("chunk_select", chunk_width(chunks), dst=dst.data)
    check_width("chunk_select", index_bits(words), read_addr=read_addr)
    span = chunk_span(chunks)
    number_bits, address_bits = index_bits(groups_of(chunks, span)), index_bits(words)
    src_flags = src.data(span, 0)
    src_number = src.data(span + number_bits, span)
    src_base = src.data(span + number_bits + address_bits, span + number_bits)
    src_last = src.data(span + number_bits + address_bits)
    src_ends_part = src.data(span + number_bits + address_bits + 1)

    # The current span: its first chunk, where that one's word is, and its chunks that are still to be chosen.
    spanning, span_ready, span_last, span_ends_part, last_chunk = [Signal(bool(0)) for _ in range(5)]
    span_base = counter(words)
    span_first = counter(chunks)
    chunks_todo, chunks_left = [Signal(intbv(0)[span:]) for _ in range(2)]
    chunk = counter(span)

    # The chosen chunk.
    chosen, choose_ready, chosen_last, chosen_silent, chosen_ends_part = [Signal(bool(0)) for _ in range(5)]
    chosen_addr = counter(words)
    chosen_chunk = counter(chunks)
    chosen_word = ConcatSignal(chosen_last, chosen_silent, chosen_chunk)

    choose_chunk = lowest_one(chunks_todo, chunk, chunks_left, last_chunk)

    @always_comb
    def find_span_ready():
        span_ready.next = not spanning or (choose_ready and last_chunk)

    @always_comb
    def accept():
        src.ready.next = span_ready

    # In VHDL a product with a constant has the width of the other factor, so that is widened first.
    @always(clk.posedge)
    def load_span():
        first = intbv(0, min=0, max=chunks + span)
        first[:] = src_number
        first[:] = first * span
        if rst:
            spanning.next = False
        elif span_ready:
            spanning.next = src.valid
            span_last.next = src_last
            span_ends_part.next = src_ends_part
            span_base.next = src_base + first
            span_first.next = first
            chunks_todo.next = src_flags
        elif choose_ready:
            chunks_todo.next = chunks_left

    @always_comb
    def find_choose_ready():
        choose_ready.next = dst.ready or not chosen

    @always(clk.posedge)
    def choose_chunks():
        if rst:
            chosen.next = False
        elif choose_ready:
            chosen.next = spanning
            chosen_last.next = span_last and last_chunk
            chosen_ends_part.next = span_ends_part and span_last and last_chunk
            chosen_silent.next = chunks_todo == 0
            chosen_addr.next = span_base + chunk
            chosen_chunk.next = span_first + chunk

    @always_comb
    def give_chunk():
        dst.valid.next = chosen
        dst.data.next = chosen_word
        read_addr.next = chosen_addr
        ends_part.next = chosen_ends_part

    return instances()
