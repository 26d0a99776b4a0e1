"""Serial lines in benches: bytes as levels of a line, cycle by cycle, and back; packets as a host makes them, in plain Python."""

import struct
import zlib

MARK_AND_VERSION = 0xD1


def levels(data, divider, gap=0):
    """The line while bytes are sent, one level a cycle. divider: cycles of a bit, which need be no whole number."""
    line, sent = [], 0.0
    for octet in data:
        bits = [0, *(octet >> i & 1 for i in range(8)), 1]
        for bit in bits:
            sent += divider
            line += [bit] * (round(sent) - len(line))
        line += [1] * gap
        sent += gap
    return line


def octets(line, divider):
    """The bytes in a line's levels; AssertionError where a bit is not as long as it must be."""
    found, i = [], 0
    while i < len(line):
        if line[i]:
            i += 1
            continue
        bits = [line[i + k * divider : i + (k + 1) * divider] for k in range(10)]
        assert all(len(set(bit)) == 1 for bit in bits), "a level changed within a bit"
        bits = [bit[0] for bit in bits]
        assert len(bits) == 10 and bits[0] == 0 and bits[9] == 1
        found.append(sum(bit << k for k, bit in enumerate(bits[1:9])))
        i += 10 * divider
    return found


def packet(sequence, kind, words=(), first=MARK_AND_VERSION, damage=0):
    """A packet as docs/reference/serial-packets.md describes it. damage: exclusive-ored to the checksum."""
    body = bytes([first, sequence, kind, len(words)]) + struct.pack(f"<{len(words)}I", *words)
    return body + struct.pack("<I", zlib.crc32(body) ^ damage)
