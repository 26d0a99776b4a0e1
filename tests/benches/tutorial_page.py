"""docs/start/tutorial.md from its first line to its last: every program, command and script is run in one folder, in their order.

Two programs are missing here and are replaced: Vivado by a Tcl interpreter, in which its commands write down their arguments,
and PYNQ by the simulated overlay.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "start" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

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


@dataclass
class Run:
    """A block of commands: its text, what it printed, and the blocks of output that the page shows below it."""

    text: str
    output: str
    shown: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The lines that the page shows, those that stand for others left out."""
        return [line for block in self.shown for line in block.splitlines() if line.strip("… ")]


def run_page(folder: Path, tools: Path) -> list[Run]:
    """Run all blocks of the page in `folder`, in which the files are that it has made then. AssertionError if one fails.

    tools: an empty folder for the programs that stand in for others.
    """
    (tools / "vivado").write_text(VIVADO_COMMAND)
    (tools / "vivado").chmod(0o755)
    (tools / "pynq.py").write_text(PYNQ)
    (folder / "stubs.tcl").write_text(STUBS)
    path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(tools), "COLUMNS": "130"}
    runs: list[Run] = []
    for language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language in ("python", "tcl"):
            name = re.match(r"# (\w+\.(?:py|tcl))\n", text)
            assert name, text
            (folder / name[1]).write_text(text)
        elif language == "sh":
            done = subprocess.run(["bash", "-ec", text], cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, text + done.stdout + done.stderr
            runs.append(Run(text, done.stdout))
        else:
            assert language == "text", language
            runs[-1].shown.append(text)
    return runs
