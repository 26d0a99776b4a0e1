"""The table of boards, and what is refused of a user's own."""

import tomllib

import pytest

from duospike.cosim.board.boards import TABLE, board_named
from duospike.cosim.board.core import serial_line
from duospike.cosim.errors import CosimError
from duospike.reference.errors import InputError

OWN = """\
[mine]
device = "LFE5U-45F"
package = "CABGA256"
speed = 7
clock_pin = "P3"
clock_mhz = 25.0
rxd_pin = "A1"
txd_pin = "B2"
io = "LVCMOS33"
high = ["C4"]
default_mhz = 50.0
baud = 115200
"""


@pytest.mark.parametrize("name", tomllib.loads(TABLE.read_text()))
def test_each_board_can_have_its_clock_and_its_line(name):
    board = board_named(name)
    line = serial_line(board.default_mhz, board.baud)
    assert abs(board.default_mhz * 1e6 / line.divider / board.baud - 1) < 0.02


def test_a_table_of_ones_own(tmp_path):
    table = tmp_path / "own.toml"
    table.write_text(OWN)
    board = board_named("mine", table)
    assert board.pins == {"clk_pin": "P3", "rxd_pin": "A1", "txd_pin": "B2", "high_0": "C4"}
    assert board_named("ulx3s-85f", table) == board_named("ulx3s-85f")


def test_another_board_is_refused():
    with pytest.raises(CosimError, match="board 'ulx3s'; allowed: ulx3s-85f, .*did you mean"):
        board_named("ulx3s")


@pytest.mark.parametrize(
    "old, new, message",
    [
        ('"LFE5U-45F"', '"LFE5U-46F"', "mine: device 'LFE5U-46F'; allowed: LFE5U-12F"),
        ("speed = 7", "speed = 5", "speed 5; allowed: 6, 7, 8"),
        ("speed = 7", "speed = true", "speed True; allowed: a whole number"),
        ('"P3"', '"P3; X"', "clock_pin 'P3; X'"),
        ('"B2"', '"A1"', "pin A1 has two signals; allowed: one"),
        ("[\"C4\"]", "[4]", "high 4; allowed: a site"),
        ("baud", "rate", "entry rate; allowed: device"),
        ("speed", "sped", "entry sped; allowed: .*; did you mean speed\\?"),
        ("[mine]", "[mine]\n[mine.more]", "entry more; allowed: device"),
        ("[mine]", "top = 5\n[mine]", "entry top is in no table; allowed: a table for each board"),
        ("[mine]", '["two\\nlines"]\n[mine]', "board 'two.*lines'; allowed: a name of letters"),
        ('io = "LVCMOS33"', "", "io is missing"),
        ("25.0", "1.0", "clock_mhz 1.0; allowed: 8 to 400"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(tmp_path, old, new, message):
    table = tmp_path / "own.toml"
    table.write_text(OWN.replace(old, new))
    with pytest.raises(InputError, match=f"own.toml.*{message}"):
        board_named("mine", table)
