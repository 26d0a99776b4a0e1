"""Agents for AXI4-Streams in MyHDL benches, as stream_bench.py has them for the project's own streams."""

import random


class PacketSource:
    """Sends packets, TLAST on the last beat of each; it stalls at random and shows other payloads then."""

    def __init__(self, stream, packets, stall, seed):
        self.stream, self.stall, self.random = stream, stall, random.Random(seed)
        self.beats = [(beat, i == len(packet) - 1) for packet in packets for i, beat in enumerate(packet)]
        self.sent = 0

    def drive(self, clk, rst):
        stream, offered = self.stream, 0
        while True:
            yield clk.posedge
            if stream.tvalid and stream.tready:
                self.sent += 1
            if rst or (stream.tvalid and not stream.tready):
                continue
            offers = offered < len(self.beats) and self.random.random() >= self.stall
            stream.tvalid.next = offers
            beat, last = (
                self.beats[offered] if offers else (self.random.getrandbits(len(stream.tdata)), self.random.random() < 0.5)
            )
            stream.tdata.next, stream.tlast.next = beat, last
            offered += offers


class PacketSink:
    """Takes packets; it stalls at random, and notes where a beat is dropped or changed before it is taken."""

    def __init__(self, stream, stall, seed):
        self.stream, self.stall, self.random = stream, stall, random.Random(seed)
        self.packets, self.open, self.faults = [], [], []

    def drive(self, clk, rst):
        stream, waiting = self.stream, None
        while True:
            yield clk.posedge
            if rst:
                continue
            beat = (int(stream.tdata), bool(stream.tlast))
            if waiting is not None and (not stream.tvalid or beat != waiting):
                self.faults.append(f"beat {waiting} was dropped or changed")
            waiting = beat if stream.tvalid and not stream.tready else None
            if stream.tvalid and stream.tready:
                self.open.append(beat[0])
                if beat[1]:
                    self.packets.append(self.open)
                    self.open = []
            stream.tready.next = self.random.random() >= self.stall
