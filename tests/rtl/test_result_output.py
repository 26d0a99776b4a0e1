"""The result output against results of random values, marks that come early or late, and a sink that stalls."""

import random

import pytest
from myhdl import Signal

from duospike.rtl.axi_stream import AxiStream
from duospike.rtl.result_output import INVALID_BIT, result_output
from duospike.rtl.stream import Stream, index_bits
from tests.benches.packet_bench import PacketSink
from tests.benches.stream_bench import Source, simulate, tick, watch_unknown


@pytest.mark.parametrize("stalls", [(0, 0, 0), (0.7, 0, 0), (0, 0.7, 0), (0, 0, 0.7), (0.4, 0.4, 0.4)])
@pytest.mark.parametrize(
    "classes, score_bits, is_signed", [(2, 1, False), (10, 5, False), (1, 3, False), (3, 32, False), (3, 6, True), (1, 32, True)]
)
def test_every_result_is_a_packet_with_its_mark(place, classes, score_bits, is_signed, stalls):
    rng, class_bits = random.Random(str((classes, stalls))), index_bits(classes)
    low = -(2 ** (score_bits - 1)) if is_signed else 0
    results = [
        (rng.randrange(classes), [low + rng.getrandbits(score_bits) for _ in range(classes)], rng.getrandbits(1))
        for _ in range(12)
    ]
    clk, rst, core_rst, sent, active = Signal(bool(0)), Signal(bool(1)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    src, mark, dst = Stream(class_bits + classes * score_bits), Stream(1), AxiStream(32)
    dut = place(
        result_output, clk=clk, rst=rst, core_rst=core_rst, src=src, mark=mark, dst=dst, sent=sent, active=active,
        classes=classes, score_bits=score_bits, is_signed=is_signed,
    )  # fmt: skip
    words = [
        head | sum(n % 2**score_bits << class_bits + score_bits * i for i, n in enumerate(scores)) for head, scores, _ in results
    ]
    source, marks = Source(src, words, stalls[0], 1), Source(mark, [bad for _, _, bad in results], stalls[1], 2)
    sink, failures, count = PacketSink(dst, stalls[2], 3), [], []

    def watch():
        while True:
            yield clk.posedge
            if not rst and sent:
                count.append(1)

    simulate(
        dut.instance, source.drive(clk, rst), marks.drive(clk, rst), sink.drive(clk, rst), watch(),
        watch_unknown(dut, clk, rst, failures),
        tick(clk, rst, lambda: len(sink.packets) == len(results), failures, 10_000),
    )  # fmt: skip
    assert not failures + sink.faults, (failures + sink.faults)[0]
    assert sink.packets == [[head | bad << INVALID_BIT, *(n % 2**32 for n in scores)] for head, scores, bad in results]
    assert not sink.open and len(count) == len(results)
