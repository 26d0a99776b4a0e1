"""What lies beside the HDL of an AXI shell: the pages of its registers, the driver, and the scripts for Vivado."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duospike.cosim.conversion.convert import Module
from duospike.cosim.version import full_version, release_numbers
from duospike.reference.network import Network
from duospike.rtl.activity import COUNTERS
from duospike.rtl.axi_shell import AxiShell
from duospike.rtl.stage import Stage

from .loadable import load_file
from .register_pages import as_json, c_header, json_text, markdown_page
from .shell import TOP, shell_registers
from .vivado import CONSTRAINTS, SCRIPT, clock_constraints, package_script

DRIVER = Path(__file__).with_name("pynq_driver.py")
WEIGHTS = "weights.bin"
"""The network that a loadable core was made from, for the driver's load()."""
DEFAULT_MHZ = 100.0
WAIVERS = """\
// The shell's registers are words: the lowest address bits choose among the bytes of one.
lint_off -rule UNUSEDSIGNAL -file "*axi_lite_*" -match "*'bus_a?addr'*"
// TDATA is wider than a pixel whose width is no power of two.
lint_off -rule UNUSEDSIGNAL -file "*image_intake_*" -match "*'src_tdata'*"
// Nothing watches the streams between the stages here.
lint_off -rule UNUSEDSIGNAL -file "*axi_shell.v" -match "*'trace'*"
"""
"""Further lint waivers for Verilator."""
LOADABLE_WAIVERS = """\
// The last of the words that make an entry of a memory is filled with zeros.
lint_off -rule UNUSEDSIGNAL -file "*loaded_memory_*" -match "*'load_data'*"
"""
"""Further ones for a loadable core."""


def description(network: Network, stages: dict[str, Stage], shell: AxiShell, core: dict[str, Any] | None = None) -> dict:
    """What the driver must know of a core; it goes to registers.json. core: what makes it loadable, see core_description."""
    return {
        "core": TOP,
        "stages": list(stages),
        "counters": list(COUNTERS),
        "network": {
            "input_shape": list(network.input_shape),
            "coding": network.coding,
            "timesteps": network.timesteps,
            "passes": shell.readout.passes,
            "classes": network.classes,
            "scores_signed": shell.readout.reads_membranes,
            "image_bits": network.image_bits,
            "pixel_range": list(network.pixel_range),
            "beat_bits": shell.image_bits,
            "data_bits": shell.image_data_bits,
        },
        **({} if core is None else {"load": core}),
        "registers": as_json(shell_registers(network, stages, core)),
    }


def axi_files(
    network: Network,
    stages: dict[str, Stage],
    shell: AxiShell,
    modules: tuple[Module, ...],
    language: str,
    mhz: float,
    core: dict[str, Any] | None = None,
) -> dict[str, str | bytes]:
    """The files by name. mhz: of the clock that the constraints ask for. core: of a loadable one, its description."""
    registers = shell_registers(network, stages, core)
    major, minor, _ = release_numbers()
    sources = [module.file for module in modules]
    tables = sorted({table.path for module in modules for table in module.tables})
    return {
        "registers.md": markdown_page(registers, TOP),
        "registers.h": c_header(registers),
        "registers.json": json_text(description(network, stages, shell, core)),
        "driver.py": DRIVER.read_text(),
        SCRIPT: package_script(TOP, f"{major}.{minor}", full_version(), sources, tables, language),
        CONSTRAINTS: clock_constraints(mhz),
        **({} if core is None else {WEIGHTS: load_file(network, core)}),
    }
