"""The packets between a host and a board: the one table behind the hardware of the bridge and the host's program.

A packet is made of words of 32 bits, the lowest byte first:

    header    byte 0: MARK and VERSION; byte 1: sequence number; byte 2: kind (of a request) or status (of an answer);
              byte 3: words of the payload
    payload   0 to MAX_WORDS words
    checksum  CRC-32 (IEEE 802.3, zlib) of header and payload

The host sends a request and waits for the answer, which has the request's sequence number. A request with the number of the
one before is answered as that was and not carried out again, so that a host may repeat one whose answer was lost; only
HELLO is carried out always. A packet that is damaged gets no answer: the bridge then ignores the line until it has been silent
for a time-out.
"""

from dataclasses import dataclass

from .checks import check_number

WORD_BITS, BYTE_BITS = 32, 8
MARK, VERSION = 0xD, 1
"""The upper and the lower half of a packet's first byte. MARK is that of all versions, and so are header and checksum."""
MAX_WORDS = 255

HELLO, READ, WRITE, SEND, SEND_LAST, TAKE = range(6)
"""Kinds of requests, in the lowest four bits of their byte, and their payloads:

    HELLO                none; a host's first request
    READ                 an address, a number of words: as many registers from there up are the payload of the answer
    WRITE                an address, words: each is written there
    SEND, SEND_LAST      a part of an image packet, or its last one; bits UNUSED_LOW.. of the byte: beats of the last word to
                         leave out; the answer says how many words the core has taken
    TAKE                 none; the words of a result packet are the payload of the answer
"""
KIND_BITS = 4
UNUSED_LOW, UNUSED_BITS = 4, 2

OK, OTHER_VERSION, BAD_REQUEST, BAD_ACCESS, NOTHING = range(5)
"""Status of an answer: done; a request of a version that is not the bridge's; an unknown kind or a wrong number of words;
an access that the bus answered with an error; the core took no word, or gave no result, for a time-out."""

KIND_LOW, SEQUENCE_LOW, LENGTH_LOW = 16, 8, 24
"""Lowest bits of the fields of a header; that of MARK and VERSION is 0."""


def header(sequence: int, kind: int, length: int, version: int = VERSION) -> int:
    """The first word of a packet."""
    check_number("packet", 0, 2**BYTE_BITS - 1, sequence=sequence, kind=kind, length=length)
    return MARK << 4 | version | sequence << SEQUENCE_LOW | kind << KIND_LOW | length << LENGTH_LOW


MIN_DIVIDER = 4
"""Clock cycles of a bit, at least: a start bit is looked at in its middle."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """How fast the serial line is. divider: clock cycles of a bit. timeout: cycles of silence after which a packet that has
    begun is given up, and cycles without progress after which a request is."""

    divider: int
    timeout: int

    def __post_init__(self):
        check_number("line", MIN_DIVIDER, divider=self.divider)
        # More than a byte takes, else the silence would begin within one.
        check_number("line", 16 * self.divider, timeout=self.timeout)
