"""Sizings as TOML: what is written is read back, an option overrides it, the rest is refused."""

import pytest

from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.design.sizing_file import read_sizing, sizing_from, write_sizing
from duospike.reference.errors import InputError
from tests.benches.small_networks import small_network


def test_what_is_written_is_read_back(tmp_path):
    network = small_network(timesteps=6)
    sizing = choose_sizing(network, {"conv1": 2, "fc1": 3}, {"conv2": 1, "fc1": 3}, 3, 5)
    write_sizing(sizing, tmp_path / "sizing.toml", "first line\nsecond line")
    assert (tmp_path / "sizing.toml").read_text().startswith("# first line\n# second line\n")
    assert sizing_from(network, tmp_path / "sizing.toml", {"lanes": None, "queue_depth": None}) == sizing


def test_multipliers_are_written_where_a_layer_has_some(tmp_path):
    network, path = small_network("FC7-FC6", (2, 3, 4)), tmp_path / "sizing.toml"
    write_sizing(choose_sizing(network, lane_multipliers=6), path, "")
    assert path.read_text().endswith("[lane_multipliers]\nfc1 = 6\n")
    assert sizing_from(network, path, {}).lane_multipliers == {"fc1": 6}
    assert sizing_from(network, path, {"lane_multipliers": 1}).lane_multipliers == {"fc1": 1}
    write_sizing(choose_sizing(small_network()), path, "")
    assert "multipliers" not in path.read_text()


def test_options_override_the_file_layer_by_layer(tmp_path):
    network, path = small_network(), tmp_path / "sizing.toml"
    path.write_text("queue_depth = 7\n[lanes]\nconv1 = 1\nconv2 = 2\n")
    sizing = sizing_from(network, path, {"lanes": {"conv2": 3}, "queue_depth": None})
    assert (sizing.lanes, sizing.queue_depth) == ({"conv1": 1, "conv2": 3, "fc1": 6}, 7)
    assert sizing_from(network, path, {"lanes": 2, "queue_depth": 9}) == choose_sizing(network, 2, queue_depth=9)
    assert sizing_from(network, None, {"lanes": 2}) == choose_sizing(network, 2)


@pytest.mark.parametrize(
    "text, message",
    [
        ("lanes = 3", "lanes = 3; allowed: numbers timesteps, queue_depth, tables lanes, row_parts"),
        ("[parts]\nfc1 = 2", r"key parts is called row_parts; write \[row_parts\]"),
        ("lane = 3", "lane = 3; allowed"),
        ("queue_depth = 1.5", "queue_depth = 1.5; allowed: whole numbers"),
        ("timesteps = true", "timesteps = True; allowed: whole numbers"),
        ("[lanes]\nconv1 = '2'", "lanes.conv1 = '2'; allowed: whole numbers"),
        ("[lanes", "not a TOML file"),
        ("queue_depth = " + "9" * 5000, "not a TOML file"),
        ("a = " + "[" * 9000, "not a TOML file"),
        (b"\xff", "not a TOML file"),
    ],
)
def test_other_content_is_refused(text, message, tmp_path):
    path = tmp_path / "sizing.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=f"sizing.toml: {message}"):
        read_sizing(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no.toml: not found"):
        read_sizing(tmp_path / "no.toml")
