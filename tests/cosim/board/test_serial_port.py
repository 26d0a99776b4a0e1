"""The serial port of the host, with a pseudo-terminal in place of a cable."""

import contextlib
import os

import pytest

from duospike.cosim.board.link import LinkError
from duospike.cosim.board.serial_port import SerialPort

pytest.importorskip("serial")


@pytest.fixture
def ends():
    """The board's end, and the name of the host's."""
    board, host = os.openpty()
    yield board, os.ttyname(host)
    for end in (board, host):
        with contextlib.suppress(OSError):
            os.close(end)


def test_bytes_both_ways(ends):
    board, name = ends
    port = SerialPort(name, 3_000_000)
    port.write(bytes(range(256)))
    assert os.read(board, 256) == bytes(range(256))
    os.write(board, b"\x00\xff\n\r\x11\x13")
    assert port.read(6) == b"\x00\xff\n\r\x11\x13"
    os.write(board, b"noise")
    port.settle()
    os.write(board, b"an answer")
    assert port.read(9) == b"an answer"
    port.close()
    with pytest.raises(LinkError, match=f"port {name} failed"):
        port.write(b"x")


def test_fewer_bytes_come_after_the_time_for_an_answer(ends, monkeypatch):
    monkeypatch.setattr("duospike.cosim.board.serial_port.ANSWER_SECONDS", 0.01)
    board, name = ends
    port = SerialPort(name, 3_000_000)
    os.write(board, b"ab")
    assert port.read(3) == b"ab" and port.read(1) == b""
    port.close()


def test_a_cable_that_is_pulled_out_is_one_line(ends):
    board, name = ends
    port = SerialPort(name, 3_000_000)
    os.close(board)
    with pytest.raises(LinkError, match=f"port {name} failed: .*is the cable plugged in"):
        port.read(1)
    port.close()


def test_a_port_that_is_not_there_is_one_line():
    with pytest.raises(LinkError, match="port /dev/ttyNONE cannot be opened: .*No such file"):
        SerialPort("/dev/ttyNONE", 115_200)


def test_a_port_is_taken_by_one_program(ends):
    _, name = ends
    port = SerialPort(name, 115_200)
    with pytest.raises(LinkError, match="cannot be opened"):
        SerialPort(name, 115_200)
    port.close()
