"""Words to beats of every width, against integers in plain Python."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.axi_stream import AxiStream
from duospike.rtl.word_beats import word_beats
from tests.benches.packet_bench import PacketSink
from tests.benches.stream_bench import tick

RESTART = "restart"


def run(place, script, bits, stall, seed=0):
    """The packets that came. script: (word, unused, ending), or RESTART."""
    rng = random.Random(seed)
    clk, rst, load, ending, restart = Signal(bool(0)), Signal(bool(1)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    word, unused, empty, dst = Signal(intbv(0)[32:]), Signal(intbv(0)[2:]), Signal(bool(0)), AxiStream(bits)
    dut = place(
        word_beats, clk=clk, rst=rst, load=load, word=word, unused=unused, ending=ending, restart=restart, empty=empty, dst=dst
    )
    sink, left, failures, quiet = PacketSink(dst, stall, seed), list(script), [], [0]

    def host():
        yield clk.posedge
        while True:
            yield clk.negedge
            load.next = restart.next = False
            ready = not rst and empty and rng.random() < 0.7
            quiet[0] = quiet[0] + 1 if empty and not left else 0
            word.next, unused.next, ending.next = rng.getrandbits(32), rng.getrandbits(2), rng.random() < 0.5
            if ready and left:
                if left[0] == RESTART:
                    restart.next = True
                    left.pop(0)
                else:
                    load.next = True
                    word.next, unused.next, ending.next = left.pop(0)

    simulate(dut.instance, host(), sink.drive(clk, rst), tick(clk, rst, lambda: quiet[0] > 3, failures, 4_000))
    assert not failures + sink.faults, (failures + sink.faults)[0]
    return sink.packets, sink.open


def beats_of(words, bits, unused):
    """The words as beats, those at the end left out."""
    value = sum(word << 32 * i for i, word in enumerate(words))
    count = 32 * len(words) // bits - unused
    return [value >> bits * i & (2**bits - 1) for i in range(count)]


@pytest.mark.parametrize(("bits", "stall"), [(8, 0), (8, 0.6), (16, 0.3), (32, 0.5), (64, 0.4), (256, 0)])
def test_packets_of_many_lengths(place, bits, stall):
    rng, script, expected = random.Random(bits), [], []
    for _ in range(6):
        words = [rng.getrandbits(32) for _ in range(rng.randint(1, 4) * max(1, bits // 32))]
        unused = rng.randrange(32 // bits) if bits < 32 else rng.randrange(4)
        script += [(word, 0 if bits < 32 else unused, False) for word in words[:-1]] + [(words[-1], unused, True)]
        expected.append(beats_of(words, bits, unused if bits < 32 else 0))
    assert run(place, script, bits, stall) == (expected, [])


def test_a_restart_forgets_the_words_of_no_beat(place):
    script = [(1, 0, False), RESTART, (2, 0, False), (3, 0, True)]
    assert run(place, script, 64, 0) == ([[3 << 32 | 2]], [])
