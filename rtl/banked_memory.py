"""A deep memory in banks: what would be one cascade of block RAMs, with registers half-way."""

from myhdl import Signal, always, always_comb, block, instances, intbv

from .checks import check_choice, check_number, check_width
from .loaded_memory import parameter_memory
from .stream import counter, index_bits

MIN_BANK = 2048
"""Words of the smallest bank: those of one block RAM at its usual width."""

MAX_BANKS = 16


def words_of_bank(depth: int, least: int = MIN_BANK) -> int:
    """Words of each bank of a memory of `depth` words, `least` or as many as keep it to MAX_BANKS.

    A power of two, if `least` is one, so that the low bits of an address are those within the bank.
    """
    check_number("memory in banks", 1, depth=depth)
    check_number("memory in banks", 2, least=least)
    return max(least, 2 ** index_bits(-(-depth // MAX_BANKS)))


@block
def banked_memory(clk, step, wanted, address, word, load=None, *, table, bank_words):
    """A parameter memory of several banks, of which only the one that holds the word is read.

    Ports:
        step     in   1      all moves on by a step at this edge
        wanted   in   1      the word at `address` is wanted
        address  in   index  0 .. table.depth - 1
        word     out  width  three steps later, that of the address among them
        load     in          of a loadable core, see loading.Load

    Parameters:
        table: more than bank_words words
        bank_words: words of a bank, a power of two, 2 or more
    """
    check_number("banked_memory", 3, words=table.depth)
    check_choice("banked_memory", [2**bits for bits in range(1, index_bits(table.depth))], bank_words=bank_words)
    check_width("banked_memory", index_bits(table.depth), address=address)
    check_width("banked_memory", table.width, word=word)
    tables = [table.part(first, min(first + bank_words, table.depth)) for first in range(0, table.depth, bank_words)]
    banks = len(tables)
    low_bits, last_bits = index_bits(bank_words), index_bits(tables[-1].depth)

    number, next_number, read_number, kept_number = [counter(banks) for _ in range(4)]
    # The last bank may be smaller; its offset has any value while another bank is read.
    offset, last_offset = counter(bank_words), counter(2**last_bits)
    offsets = [*[offset] * (banks - 1), last_offset]
    # Which bank is read at the next step: known before, so that a step is enabled by little logic.
    wants, reads = [[Signal(bool(0)) for _ in range(banks)] for _ in range(2)]
    outs = [Signal(intbv(0)[table.width :]) for _ in range(banks)]
    kept = [Signal(intbv(0)[table.width :]) for _ in range(banks)]

    memories = [parameter_memory(load)(clk, reads[i], offsets[i], outs[i], table=tables[i]) for i in range(banks)]

    @always_comb
    def find_bank():
        next_number.next = address[:low_bits]

    @always(clk.posedge)
    def register_address():
        if step:
            number.next = next_number
            offset.next = address[low_bits:]
            last_offset.next = address[last_bits:]
            for i in range(banks):
                wants[i].next = wanted and next_number == i

    @always_comb
    def read_bank():
        for i in range(banks):
            reads[i].next = wants[i] and step

    @always(clk.posedge)
    def register_words():
        if step:
            read_number.next = number
            kept_number.next = read_number
            for i in range(banks):
                kept[i].next = outs[i]

    @always_comb
    def select_word():
        found = intbv(0)[table.width :]
        found[:] = 0
        for i in range(banks):
            if kept_number == i:
                found[:] = found | kept[i]
        word.next = found

    return instances()
