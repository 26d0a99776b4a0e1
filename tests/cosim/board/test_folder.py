"""The folder of a board, with what the tools would have made of it."""

from tests.benches.board_bench import write_built
from tests.benches.small_networks import small_network


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_two_builds_differ_in_their_logs_alone(tmp_path):
    """Logs hold times."""
    network = small_network("2C3-FC6", (1, 6, 5), classes=3)
    first, second = (
        contents(write_built(network, tmp_path / name, logs={"nextpnr.log": f"took {name}"})) for name in ("1 s", "2 s")
    )
    assert first.pop("nextpnr.log") == b"took 1 s" and second.pop("nextpnr.log") == b"took 2 s"
    assert first == second
