"""The tutorial as tests/benches/tutorial_page.py runs it: what its page shows, and what must hold."""

import re

import pytest

from tests.benches.page_reader import PageReader
from tests.benches.tutorial_page import PAGE, run_page

PINS = {
    "ps": "M_AXI_GP0 S_AXI_HP0 FCLK_CLK0 FCLK_RESET0_N M_AXI_GP0_ACLK S_AXI_HP0_ACLK",
    "reset": "slowest_sync_clk ext_reset_in peripheral_aresetn",
    "registers": "S00_AXI M00_AXI M01_AXI aclk aresetn",
    "memory": "S00_AXI S01_AXI M00_AXI aclk aresetn",
    "axi_dma_0": "S_AXI_LITE M_AXI_MM2S M_AXI_S2MM M_AXIS_MM2S S_AXIS_S2MM s_axi_lite_aclk m_axi_mm2s_aclk m_axi_s2mm_aclk "
    "axi_resetn",
    "axi_shell_0": "s_axi s_axis m_axis aclk aresetn",
}
"""What the block design must connect of each cell: AMD's PG021 (AXI DMA), PG247 (SmartConnect), PG164 (reset), PG082 (PS7)."""

# One process goes through the page, and runs all tests of it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000), pytest.mark.xdist_group("tutorial")]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The folder after all of the page, and its blocks of commands."""
    folder = tmp_path_factory.mktemp("tutorial")
    return folder, run_page(folder, tmp_path_factory.mktemp("tools"))


def words(line):
    return " ".join(line.split())


def printed(runs, command):
    """What the only block with that command printed."""
    [output] = [run.output for run in runs if command in run.text]
    return output


def test_outputs_are_those_that_the_page_shows(page):
    """Word for word if training has come to the page's weights; on a processor where it has not, but for the numbers."""
    _, runs = page
    [weights] = re.findall(r"weights ([0-9a-f]{8})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    is_same = printed(runs, "train.py").rstrip().endswith(weights)
    shape = words if is_same else lambda line: re.sub(r"\w*\d[\w.]*", "#", words(line))
    for run in runs:
        lines = iter([shape(line) for line in run.output.splitlines()])
        for line in run.lines:
            assert shape(line) in lines, f"{line!r} is not what this prints, or not in its place: {run.text}{run.output}"


def test_integers_simulation_and_driver_agree_with_snntorch(page):
    """What holds whatever the weights."""
    _, runs = page
    theirs = re.search(r"accuracy in snnTorch: (\S+) of 10000", printed(runs, "train.py"))[1]
    assert f"accuracy: {theirs}, 10000 images" in printed(runs, "duospike evaluate") and float(theirs.strip("%")) > 70
    assert re.findall(r"spikes in snnTorch, (\d+) differ", printed(runs, "compare.py")) == ["0"] * 3
    assert all(int(count) > 1000 for count in re.findall(r": (\d+) spikes in snnTorch", printed(runs, "compare.py")))
    assert "bit-exact in icarus" in printed(runs, "duospike cosim")
    simulated = printed(runs, "python simulate.py").splitlines()
    assert simulated[0].removeprefix("classes ") == simulated[-1].removeprefix("reference ")
    assert simulated[2].endswith("errors []")
    # The board's program prints what the simulation's did.
    assert printed(runs, "board.py").splitlines() == simulated[:3]


def test_the_block_design_connects_every_pin_once(page):
    folder, runs = page
    lines = printed(runs, "block_design.tcl").splitlines()
    cells = {line.split()[-1] for line in lines if line.startswith("create_bd_cell")}
    assert cells == PINS.keys()
    joined = [line.split()[1:] for line in lines if line.startswith(("connect_bd_net", "connect_bd_intf_net"))]
    assert all(len(ends) == 2 for ends in joined)
    ends = [end for _, end in joined] + [start for start in {start for start, _ in joined}]
    assert sorted(ends) == sorted(f"{cell}/{pin}" for cell, pins in PINS.items() for pin in pins.split())
    # The IP that is placed is the one that the other script packages, and its buses are those of the core.
    [placed] = re.findall(r"-vlnv (duospike:\S+)", "\n".join(lines))
    assert f"packaged {placed} in" in "\n".join(lines)
    core = (folder / "hdl" / "axi_shell.v").read_text()
    for bus in ("s_axi_awvalid", "s_axis_tvalid", "m_axis_tvalid", "aclk", "aresetn"):
        assert re.search(rf"\b{bus}\b", core), bus
    [bits] = re.findall(r"input \[(\d+):0\] s_axis_tdata", core)
    assert f"CONFIG.c_m_axis_mm2s_tdata_width {int(bits) + 1}" in " ".join(words(" ".join(lines)).split())
    assert (folder / "system.bit").exists() and (folder / "system.hwh").exists()


def test_the_report_has_all_of_it(page):
    folder, _ = page
    text = PageReader((folder / "report.html").read_text(encoding="utf-8")).text
    assert "Bit-exact in icarus" in text and "Pareto front" in text
    missing = re.findall(r"Not measured here: duospike (.+?) MODEL", text)
    assert missing == ["synth --family ecp5 --pnr", "energy"]
