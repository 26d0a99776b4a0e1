"""The host's program against a simulated board: equal, and equal again after whatever happens to the line."""

import re
from dataclasses import replace

import numpy as np
import pytest

from duospike.cosim.board.host import Host, run_images
from duospike.cosim.board.link import LinkError
from duospike.reference import golden
from tests.benches.board_bench import PATIENCE, DisturbedPort, board_running, small_board
from tests.benches.small_networks import small_network

pytestmark = pytest.mark.slow

COUNT = 4


def flipped(port, data):
    return bytes([*data[:-6], data[-6] ^ 4, *data[-5:]])


def one_byte_lost(port, data):
    return data[:5] + data[6:]


def one_byte_more(port, data):
    return b"\xd1" + data


def cut(port, data):
    return data[: len(data) // 2]


def noise(port, data):
    port.hold_low(1)
    port.write(b"\x00\xff\x55")
    return data


def broken_line(port, data):
    port.hold_low(100)
    return data


def reset(port, data):
    port.reset()
    return data


def unplugged(port, data):
    raise LinkError("port failed")


def run(board, open_port, count, **options):
    with Host(open_port, board.description, board.words, PATIENCE) as host:
        return run_images(host, board.network, board.stages, board.images(count), **options)


# Icarus shows unknown bits, Verilator is fast.
@pytest.mark.parametrize("simulator, count", [("icarus", 5), ("verilator", 20)])
def test_images_are_equal(tmp_path, simulator, count):
    board = small_board()
    with board_running(tmp_path, simulator=simulator) as port:
        found = run(board, lambda: port, count)
    trace = golden.run(board.network, board.images(count))
    assert found.differences == [] and found.repeated == found.restarts == 0
    assert np.array_equal(found.classes, trace.predicted) and np.array_equal(found.scores, trace.scores)
    assert len(np.unique(found.scores, axis=0)) > 1 and all(counts["busy"] for counts in found.counters.values())


@pytest.mark.parametrize(
    "shape, settings",
    [((2, 5, 3), {}), ((5, 3, 3), {}), ((1, 1, 1), {}), ((1, 5, 3), {"coding": "frames", "timesteps": 2})],
    ids=["16 bits", "64 bits", "one beat", "frames"],
)
def test_images_whose_beats_are_of_any_width_are_equal(tmp_path, shape, settings):
    """With words that pixels do not fill, and beats of several words."""
    board = small_board(shape=shape, **settings)
    with board_running(tmp_path, board) as port:
        found = run(board, lambda: port, 4)
    assert found.differences == [] and found.repeated == found.restarts == 0
    assert np.array_equal(found.scores, golden.run(board.network, board.images(4)).scores)


def test_a_loadable_core_is_loaded_over_the_line(tmp_path):
    board = small_board(loadable=True)
    with board_running(tmp_path, board) as port:
        assert run(board, lambda: port, 2).differences == []
        sent = len(port.log)
        # It holds the network already.
        assert run(board, lambda: port, 2).differences == []
        assert len(port.log) - sent < sent


@pytest.mark.parametrize(
    "disturb", [flipped, one_byte_lost, one_byte_more, cut, noise, broken_line, reset, unplugged], ids=lambda what: what.__name__
)
def test_whatever_happens_to_the_line_the_run_is_equal(tmp_path, disturb):
    board = small_board()
    with board_running(tmp_path) as port:
        clean = DisturbedPort(port, 0, disturb)
        assert run(board, clean.open, COUNT, batch=2).differences == []
        # In the second half of the requests, which send images and fetch results and counters.
        at = -clean.left * 2 // 3
        line = DisturbedPort(port, at, disturb)
        found = run(board, line.open, COUNT, batch=2)
        assert found.differences == []
        assert found.repeated + found.restarts > 0, "nothing was noticed"
        assert line.left < 0


def test_damage_on_the_way_to_the_host_is_caught(tmp_path):
    board = small_board()
    with board_running(tmp_path) as port:
        read, answers = port.read, []

        def damaged(count):
            data = read(count)
            if count:
                answers.append(data)
            return bytes([data[0] ^ 1, *data[1:]]) if len(answers) in (20, 45) and count else data

        port.read = damaged
        found = run(board, lambda: port, COUNT)
    assert found.differences == [] and found.repeated == 2


def test_a_line_that_stays_broken_ends_in_one_line(tmp_path):
    board = small_board()
    with board_running(tmp_path) as port:
        line = DisturbedPort(port, 0, None)
        line.write = lambda data: port.write(flipped(port, data))
        with pytest.raises(LinkError, match="no answer, 4 times; is it programmed"):
            run(board, lambda: line, COUNT)
        # And it can be tried again.
        assert run(board, lambda: port, 1).differences == []


def test_another_network_in_the_core_is_seen(tmp_path):
    board = small_board()
    other = replace(board, network=small_network("2C3-FC6", (1, 9, 7), rate=0.4, classes=6, seed=5))
    with board_running(tmp_path) as port:
        assert re.match("image 0: (scores|class)", run(other, lambda: port, 2).differences[0])
