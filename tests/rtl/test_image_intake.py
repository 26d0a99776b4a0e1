"""The intake against packets of random lengths."""

import random

import pytest
from myhdl import Signal

from duospike.rtl.axi_stream import AxiStream
from duospike.rtl.image_intake import image_intake
from duospike.rtl.stream import Stream
from tests.benches.packet_bench import PacketSource
from tests.benches.stream_bench import Sink, monitor, simulate, tick, watch_unknown


def run(place, packets, beats, bits=5, stalls=(0, 0), seed=0):
    """Images that came out, marks, and how often ended, ended_early and ended_late were up."""
    clk, rst, enable = Signal(bool(0)), Signal(bool(1)), Signal(bool(1))
    src, dst, mark = AxiStream(8), Stream(bits), Stream(1)
    ended, early, late, active = [Signal(bool(0)) for _ in range(4)]
    dut = place(
        image_intake, clk=clk, rst=rst, enable=enable, src=src, dst=dst, mark=mark, ended=ended, ended_early=early,
        ended_late=late, active=active, beats=beats,
    )  # fmt: skip
    source, sink = PacketSource(src, packets, stalls[0], seed), Sink(dst, stalls[1], seed + 1)
    marks, pulses, failures = [], [0, 0, 0], []
    gate = random.Random(seed + 2)

    def watch():
        while True:
            yield clk.posedge
            if rst:
                continue
            if mark.valid:
                marks.append(int(mark.data))
                if not mark.ready:
                    failures.append("a mark was offered to a sink that is not ready")
                mark.ready.next = True
            # The sink of marks gets full only through a mark; here by itself it only gets ready.
            elif not mark.ready:
                mark.ready.next = gate.random() < 0.3
            for i, pulse in enumerate((ended, early, late)):
                pulses[i] += bool(pulse)
            enable.next = gate.random() < 0.5

    def finished():
        return source.sent == len(source.beats) and len(sink.received) == beats * len(packets)

    simulate(
        dut.instance, source.drive(clk, rst), sink.drive(clk, rst), watch(), monitor("dst", dst, clk, rst, failures),
        watch_unknown(dut, clk, rst, failures), tick(clk, rst, finished, failures, 30_000),
    )  # fmt: skip
    assert not failures, failures[0]
    images = [sink.received[i : i + beats] for i in range(0, len(sink.received), beats)]
    return images, marks, pulses


@pytest.mark.parametrize("stalls", [(0, 0), (0.6, 0), (0, 0.7), (0.4, 0.4)])
@pytest.mark.parametrize("beats", [1, 2, 7])
def test_every_packet_gives_one_whole_image(place, beats, stalls):
    rng = random.Random(str((beats, stalls)))
    lengths = [beats, *(rng.choice([beats, beats, rng.randint(1, 2 * beats + 1)]) for _ in range(20)), 1, beats + 1, beats]
    packets = [[rng.getrandbits(8) for _ in range(length)] for length in lengths]
    images, marks, pulses = run(place, packets, beats, stalls=stalls)
    assert images == [[beat % 32 for beat in packet[:beats]] + [0] * (beats - len(packet)) for packet in packets]
    assert marks == [length != beats for length in lengths]
    assert pulses == [len(lengths), sum(n < beats for n in lengths), sum(n > beats for n in lengths)]
