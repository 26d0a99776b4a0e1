"""What is made of the reports of nextpnr and of the configurations of Project Trellis."""

import pytest

from duospike.cosim.board import bitstream
from duospike.cosim.board.bitstream import BoardDesign, check_clock, core_clock, logic_settings
from duospike.cosim.board.boards import board_named
from duospike.cosim.board.top import constraints, top_module
from duospike.cosim.errors import CosimError

CONFIG = """\
.device LFE5U-25F

.tile R2C3:PLC2
arc: A0 V01N0001
arc: F1 F1_SLICE
word: SLICEA.K0.INIT 1010101010101010
word: SLICEA.K1.INIT 1111111111111111
enum: SLICEA.MODE LOGIC

.tile CIB_R4C5:CIB_EBR
arc: A0 V01N0001

.bram_init 3
000 1ff
"""


def report(**clocks):
    return {"fmax": {name: {"achieved": mhz} for name, mhz in clocks.items()}}


def test_a_clock_that_is_not_reached_is_refused():
    design = BoardDesign(board_named("ulx3s-85f"), (), 60.0)
    check_clock(design, report(clk=60.0), 1)
    with pytest.raises(CosimError, match="reaches 59.9 MHz on ulx3s-85f with seed 3; 60 were asked for; allowed: --clock 59"):
        check_clock(design, report(clk=59.93), 3)
    with pytest.raises(CosimError, match=r"times 2 clocks \(a, b\)"):
        core_clock(report(a=1, b=2))


def test_the_settings_of_logic_and_memories():
    assert logic_settings(CONFIG) == {
        (".tile R2C3:PLC2", "arc: A0 V01N0001"),
        (".tile R2C3:PLC2", "word: SLICEA.K0.INIT 1010101010101010"),
        (".bram_init 3", "000 1ff"),
    }


@pytest.mark.parametrize(
    "unpacked, again, message",
    [
        (CONFIG.replace("1010", "1011"), b"bits", "the first difference: .tile R2C3:PLC2: word: SLICEA.K0.INIT 101"),
        (CONFIG.replace("1ff", "1fe"), b"bits", "the first difference: .bram_init 3: 000 1f"),
        (CONFIG, b"bits!", "packed again it has other bits"),
        (CONFIG.replace("arc: F1 F1_SLICE\n", ""), b"bits", None),
    ],
)
def test_a_bitstream_that_says_something_else_is_refused(tmp_path, monkeypatch, unpacked, again, message):
    def run(tool, folder, *words):
        options = dict(zip(words, words[1:], strict=False))
        if tool == "ecpunpack":
            (folder / options["--textcfg"]).write_text(unpacked)
        else:
            (folder / options["--bit"]).write_bytes(b"bits" if options["--input"] == bitstream.CONFIG else again)

    monkeypatch.setattr(bitstream.tools, "run", run)
    (tmp_path / bitstream.CONFIG).write_text(CONFIG)
    if message is None:
        bitstream.pack(tmp_path)
    else:
        with pytest.raises(CosimError, match=message):
            bitstream.pack(tmp_path)


def test_constraints_and_top_have_the_same_ports():
    board = board_named("icepi-zero")
    text = constraints(board)
    assert 'LOCATE COMP "clk_pin" SITE "M1";' in text and 'FREQUENCY PORT "clk_pin" 50 MHZ;' in text
    assert 'IOBUF PORT "rxd_pin" IO_TYPE=LVCMOS33 PULLMODE=UP;' in text
    for port in board.pins:
        assert f"put {port};" in top_module(board, has_pll=True).text
