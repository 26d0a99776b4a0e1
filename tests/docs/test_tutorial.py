"""docs/start/tutorial.md from its first line to its last: every program, command and script is run in one folder, in their order.

Two programs are missing here and are replaced: Vivado by a Tcl interpreter, in which its commands write down their arguments,
and PYNQ by the simulated overlay.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benches.page_reader import PageReader

PAGE = Path(__file__).parents[2] / "docs" / "start" / "tutorial.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

VIVADO = ["create_project", "add_files", "set_property", "update_compile_order", "update_ip_catalog", "create_bd_design",
          "create_bd_cell", "apply_bd_automation", "connect_bd_intf_net", "connect_bd_net", "assign_bd_address",
          "validate_bd_design", "save_bd_design", "wait_on_run", "ipx::package_project", "ipx::associate_bus_interfaces",
          "ipx::create_xgui_files", "ipx::update_checksums", "ipx::check_integrity", "ipx::save_core"]  # fmt: skip
NAMES = ["get_files", "get_bd_cells", "get_bd_pins", "get_bd_intf_pins", "current_fileset", "current_project",
         "ipx::current_core"]  # fmt: skip
STUBS = (
    "namespace eval ipx {}\n"
    + "".join(f'proc {name} {{args}} {{ puts "{name} $args" }}\n' for name in VIVADO)
    + "".join(f"proc {name} {{args}} {{ return $args }}\n" for name in NAMES)
    + """
proc make_wrapper {args} { return system_wrapper.v }
proc launch_runs {args} {
    puts "launch_runs $args"
    foreach name {runs/impl_1/system_wrapper.bit gen/sources_1/bd/system/hw_handoff/system.hwh} {
        file mkdir [file dirname vivado/system.$name]
        close [open vivado/system.$name w]
    }
}
"""
)
VIVADO_COMMAND = """#!/bin/sh
printf 'source stubs.tcl\\nsource %s\\n' "$4" > vivado.tcl
exec yosys -Q -T -c vivado.tcl
"""
PYNQ = """
from pathlib import Path

from duospike.cosim.axi.shell import convert_shell, shell_of
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.axi.simulated_overlay import SimulatedOverlay
from duospike.cosim.design.sizing_file import sizing_from
from duospike.reference.modelfile import load_model

class Overlay:
    def __init__(self, bitstream):
        open(bitstream).close()
        network = load_model("net.safetensors")
        stages = plan_stages(network, sizing_from(network, Path("best/sizing.toml"), {}))
        Path("board").mkdir()
        simulated = SimulatedOverlay(convert_shell(shell_of(network, stages)), Path("board"), stall=100)
        self.axi_shell_0, self.axi_dma_0 = simulated.ip, simulated.dma

allocate = SimulatedOverlay.allocate
"""

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
    """The folder after all of the page, and of each `sh` block in order what it printed, with the output that the page shows."""
    folder = tmp_path_factory.mktemp("tutorial")
    tools = tmp_path_factory.mktemp("tools")
    (tools / "vivado").write_text(VIVADO_COMMAND)
    (tools / "vivado").chmod(0o755)
    (tools / "pynq.py").write_text(PYNQ)
    (folder / "stubs.tcl").write_text(STUBS)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(tools), "COLUMNS": "130"}
    runs: list[tuple[str, str, list[str]]] = []
    for language, text in BLOCKS:
        if language in ("python", "tcl"):
            name = re.match(r"# (\w+\.(?:py|tcl))\n", text)
            assert name, text
            (folder / name[1]).write_text(text)
        elif language == "sh":
            done = subprocess.run(["bash", "-ec", text], cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, text + done.stdout + done.stderr
            runs.append((text, done.stdout, []))
        else:
            assert language == "text", language
            runs[-1][2].extend(line for line in text.splitlines() if line.strip("… "))
    return folder, runs


def words(line):
    return " ".join(line.split())


def printed(runs, command):
    """What the only block with that command printed."""
    [output] = [output for text, output, _ in runs if command in text]
    return output


def test_outputs_are_those_that_the_page_shows(page):
    """Word for word if training has come to the page's weights; on a processor where it has not, but for the numbers."""
    _, runs = page
    [weights] = re.findall(r"weights ([0-9a-f]{8})$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    is_same = printed(runs, "train.py").rstrip().endswith(weights)
    shape = words if is_same else lambda line: re.sub(r"\w*\d[\w.]*", "#", words(line))
    for text, output, shown in runs:
        lines = iter([shape(line) for line in output.splitlines()])
        for line in shown:
            assert shape(line) in lines, f"{line!r} is not what this prints, or not in its place: {text}{output}"


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
