import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.banked_memory import banked_memory, words_of_bank
from duospike.rtl.loading import Load, LoadedTable
from duospike.rtl.memory import Table
from duospike.rtl.stream import counter
from tests.rtl.test_loading import pieces
from tests.rtl.test_memory import clocked


@pytest.mark.parametrize("is_loaded", [False, True])
@pytest.mark.parametrize(("depth", "bank_words", "width"), [(3, 2, 1), (11, 4, 5), (16, 8, 40), (13, 4, 33)])
def test_words_of_all_banks_three_steps_after_their_address(place, depth, bank_words, width, is_loaded):
    """Steps and wanted words at random; other memories' pieces pass before and after its own."""
    rng = random.Random(str((depth, width)))
    words = [rng.getrandbits(width) for _ in range(depth)]
    clk, step, wanted = [Signal(bool(0)) for _ in range(3)]
    address, word = counter(depth), Signal(intbv(0)[width:])
    ports = {"clk": clk, "step": step, "wanted": wanted, "address": address, "word": word, "bank_words": bank_words}
    before = [rng.getrandbits(32) for _ in range(2)]
    stream = [*before, *pieces(words, width), rng.getrandbits(32)] if is_loaded else []
    if is_loaded:
        load = Load(len(stream))
        table = LoadedTable("weights", width, [0] * depth, len(before))
        dut = place(banked_memory, table=table, load=load, **ports)
    else:
        dut = place(banked_memory, table=Table("words.hex", width, words), **ports)
    begin = len(stream) + 1
    on_the_way, seen, expected = [None, None, None], [], []

    def drive(cycle):
        if on_the_way[2] is not None:
            seen.append(int(word))
            expected.append(words[on_the_way[2]])
        if is_loaded:
            load.restart.next = cycle == 0
            load.write.next = 1 <= cycle < begin
            if 1 <= cycle < begin:
                load.position.next, load.data.next = cycle - 1, stream[cycle - 1]
        moves = cycle > begin and rng.random() < 0.7
        wants = rng.random() < 0.8
        at = rng.randrange(depth)
        step.next, wanted.next, address.next = moves, wants, at
        if moves:
            on_the_way[:] = [at if wants else None, *on_the_way[:2]]

    simulate(dut.instance, clocked(clk, drive, begin + 12 * depth))
    assert seen == expected
    assert set(expected) == set(words)


@pytest.mark.parametrize(("depth", "words"), [(2049, 2048), (6400, 2048), (32768, 2048), (32769, 4096), (100352, 8192)])
def test_banks_are_powers_of_two_and_sixteen_at_most(depth, words):
    assert words_of_bank(depth) == words and -(-depth // words) <= 16
