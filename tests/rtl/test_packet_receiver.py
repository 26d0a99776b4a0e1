"""Packets in: whole ones come out, damaged ones do not, and after a silence the next one does."""

import random

import pytest
from myhdl import Signal, intbv

from duospike.cosim.conversion.simulation import simulate
from duospike.rtl.packet_receiver import packet_receiver
from tests.benches.serial_bench import packet
from tests.rtl.test_memory import clocked

PACE = 10
"""Cycles from one byte to the next, at least."""
TIMEOUT = 30
SILENCE = [None] * (TIMEOUT + 2)
BROKEN, BUSY, FREE = "broken", "busy", "free"


def run(place, events):
    """What came out, as (header, payload) of each packet. events: a byte, None for a cycle without one, BROKEN, BUSY or FREE."""
    clk, rst, arrived, broken, busy = Signal(bool(0)), Signal(bool(1)), Signal(bool(0)), Signal(bool(0)), Signal(bool(0))
    data, write_addr = Signal(intbv(0)[8:]), Signal(intbv(0)[8:])
    write_data, head = Signal(intbv(0)[32:]), Signal(intbv(0)[32:])
    write, complete = Signal(bool(0)), Signal(bool(0))
    dut = place(
        packet_receiver, clk=clk, rst=rst, data=data, arrived=arrived, broken=broken, busy=busy, write=write,
        write_addr=write_addr, write_data=write_data, head=head, complete=complete, timeout=TIMEOUT,
    )  # fmt: skip
    rng, memory, packets = random.Random(len(events)), {}, []
    paced = [step for event in events for step in ([event, *[None] * (PACE - 1)] if isinstance(event, int) else [event])]
    script = [*[None] * 2, *SILENCE, *paced, None, None]

    def step(cycle):
        if cycle > 2 and complete:
            length = int(head) >> 24
            packets.append((int(head), [memory[i] for i in range(length)]))
        rst.next = cycle < 2
        event = script[cycle] if cycle < len(script) else None
        arrived.next, broken.next = isinstance(event, int), event == BROKEN
        data.next = event if isinstance(event, int) else rng.randrange(256)
        if event in (BUSY, FREE):
            busy.next = event == BUSY

    def store():
        while True:
            yield clk.posedge
            if write:
                memory[int(write_addr)] = int(write_data)

    simulate(dut.instance, store(), clocked(clk, step, len(script)))
    return packets


def expected(data):
    """The packet in its bytes, as run() gives it."""
    words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data) - 4, 4)]
    return words[0], words[1:]


def spread(data, rng):
    """Bytes with pauses within the time-out."""
    return [event for octet in data for event in (octet, *[None] * rng.choice([0, 1, 2, TIMEOUT - PACE - 2]))]


def test_whole_packets_with_pauses(place):
    rng = random.Random(1)
    packets = [packet(7, 0), packet(255, 2, [1, 2**32 - 1]), packet(0, 1, [rng.getrandbits(32) for _ in range(9)])]
    events = [event for data in packets for event in spread(data, rng)]
    assert run(place, events) == [expected(data) for data in packets]


@pytest.mark.slow
def test_the_longest_packet(place):
    rng = random.Random(2)
    data = packet(3, 4, [rng.getrandbits(32) for _ in range(255)])
    assert run(place, list(data) + list(packet(4, 0))) == [expected(data), expected(packet(4, 0))]


DAMAGES = {
    "wrong checksum": list(packet(1, 2, [5], damage=1 << 9)),
    "a bit of the payload": [octet ^ (16 * (i == 5)) for i, octet in enumerate(packet(1, 2, [5]))],
    "a length that is too long": [octet ^ (8 * (i == 3)) for i, octet in enumerate(packet(1, 2, [5]))],
    "a lost byte": [octet for i, octet in enumerate(packet(1, 2, [5])) if i != 6],
    "no mark": list(packet(1, 2, [5], first=0xC1)),
    "a break in the middle": [*packet(1, 2, [5])[:6], BROKEN, *packet(1, 2, [5])[6:]],
    "it stops": list(packet(1, 2, [5])[:7]),
    "while one is worked on": [BUSY, *packet(1, 2, [5]), FREE],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_after_damage_and_silence_the_next_packet_comes(place, name):
    good = packet(9, 3, [8, 9])
    assert run(place, [*DAMAGES[name], *SILENCE, *good]) == [expected(good)]


@pytest.mark.parametrize("name", [name for name in DAMAGES if name != "it stops"])
def test_what_follows_damage_without_silence_is_ignored(place, name):
    """Else a part of an image could be taken for a request. Where bytes are missing, the next packet's complete a wrong one."""
    good = packet(9, 3, [8, 9])
    assert run(place, [*DAMAGES[name], *good, *SILENCE]) == []


def test_no_random_bytes_are_a_packet(place):
    rng = random.Random(4)
    events = [rng.choice([0xD1, 0xD0, None, 0, rng.randrange(256)]) for _ in range(100)]
    good = packet(1, 0)
    assert run(place, [*events, *SILENCE, *good]) == [expected(good)]
