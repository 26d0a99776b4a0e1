"""The PLL's settings by ecppll, and the top level around it."""

import pytest

from duospike.cosim.board import tools
from duospike.cosim.board.boards import board_named
from duospike.cosim.board.top import clock_of, top_module
from duospike.cosim.errors import CosimError

BOARD = board_named("ulx3s-25f")


def says(monkeypatch, folder, frequency):
    """ecppll, if it made this clock."""

    def run(tool, where, *words):
        (folder / "pll.v").write_text("module pll(input clkin, output clkout, output locked);\nendmodule")
        return f"Pll parameters:\nclkout0 frequency: {frequency} MHz\n"

    monkeypatch.setattr(tools, "run", run)


def test_the_clock_is_that_of_the_pll(monkeypatch, tmp_path):
    says(monkeypatch, tmp_path, 66.6667)
    clock = clock_of(BOARD, 66.67, tmp_path)
    assert clock.mhz == 66.6667 and clock.pll.name == "pll" and clock.pll.text.endswith("endmodule\n")
    assert "pll clock (" in top_module(BOARD, has_pll=True).text


def test_a_clock_that_it_cannot_make_is_refused(monkeypatch, tmp_path):
    says(monkeypatch, tmp_path, 66.6667)
    with pytest.raises(CosimError, match="clock 66.5 MHz: the PLL makes 66.6667 of 25 MHz; allowed: that"):
        clock_of(BOARD, 66.5, tmp_path)


def test_the_clock_of_the_oscillator_needs_none(tmp_path):
    clock = clock_of(BOARD, 25, tmp_path)
    assert clock.pll is None and clock.mhz == 25
    assert "assign clk = clk_pin;" in top_module(BOARD, has_pll=False).text


@pytest.mark.slow
def test_ecppll(tmp_path):
    clock = clock_of(BOARD, 60, tmp_path)
    assert clock.mhz == 60 and "EHXPLLL" in clock.pll.text
