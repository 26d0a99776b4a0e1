"""The host's side of the packets against a board in plain Python."""

import struct

import pytest

from duospike.cosim.board.link import TRIES, Link, LinkError
from duospike.rtl.packets import BAD_ACCESS, HELLO, NOTHING, OTHER_VERSION, READ
from tests.benches.serial_bench import packet


class Board:
    """Answers each request with the words 1, 2, ... as many as the request has. damage(answer, n): what becomes of answer n."""

    def __init__(self, damage=lambda answer, n: answer, status=0, first=0xD1):
        self.damage, self.status, self.first = damage, status, first
        self.requests, self.line, self.settled = [], b"", 0

    def write(self, data):
        assert data == packet(data[1], data[2], struct.unpack(f"<{data[3]}I", data[4:-4]))
        self.requests.append(data)
        answer = packet(data[1], self.status, range(1, data[3] + 1), self.first)
        self.line += self.damage(answer, len(self.requests))

    def read(self, count):
        data, self.line = self.line[:count], self.line[count:]
        return data

    def settle(self):
        self.settled += 1
        self.line = b""

    def close(self):
        pass


def test_requests_and_answers():
    board = Board()
    link = Link(board, seed=1)
    link.hello()
    assert link.request(READ, (5, 6, 7)) == (0, [1, 2, 3]) and link.request(READ) == (0, [])
    assert [request[2] for request in board.requests] == [HELLO, READ, READ]
    numbers = [request[1] for request in board.requests]
    assert [(after - before) % 256 for before, after in zip(numbers, numbers[1:], strict=False)] == [1, 1]
    assert link.repeated == 0


def test_nothing_is_no_error():
    assert Link(Board(status=NOTHING)).request(READ, (5,)) == (NOTHING, [1])


DAMAGE = {
    "bit": lambda answer: bytes([*answer[:-7], answer[-7] ^ 16, *answer[-6:]]),
    "length": lambda answer: bytes([*answer[:3], answer[3] + 1, *answer[4:]]),
    "number": lambda answer: packet(answer[1] ^ 1, 0, (1, 2)),
    "lost byte": lambda answer: answer[:3] + answer[4:],
    "noise before": lambda answer: b"\x07" + answer,
    "cut": lambda answer: answer[:-1],
    "none": lambda answer: b"",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_answer_is_asked_for_again(name):
    board = Board(lambda answer, n: DAMAGE[name](answer) if n < TRIES else answer)
    link = Link(board)
    assert link.request(READ, (5, 6)) == (0, [1, 2])
    assert link.repeated == TRIES - 1 == board.settled
    assert len(set(board.requests)) == 1, "a repetition is another request"


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_that_stays_ends_in_one_line(name):
    board = Board(lambda answer, n: DAMAGE[name](answer) if n <= TRIES else answer)
    link = Link(board)
    with pytest.raises(LinkError, match=f"^the board gave .*, {TRIES} times; is it programmed"):
        link.request(READ, (5, 6))
    board.settle()
    assert link.request(READ, (5, 6)) == (0, [1, 2])


@pytest.mark.parametrize(
    "board, message",
    [
        (Board(status=OTHER_VERSION, first=0xD2), "packets are of version 2, the host's of 1"),
        (Board(status=BAD_ACCESS), "found no such register"),
        (Board(status=77), "answered with status 77"),
    ],
)
def test_what_repetition_does_not_help_is_said_at_once(board, message):
    with pytest.raises(LinkError, match=message):
        Link(board).request(READ, (5,))
    assert len(board.requests) == 1
