"""The folder that `duospike convert` writes: HDL, hex files, file lists, lint waivers and the manifest."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from reference.network import Network
from rtl.activity import COUNTER_BITS, COUNTERS

from .convert import Module, write
from .plan import Stage
from .sizing import Sizing

TOP = "accelerator"
WAIVERS = """\
`verilator_config
// MyHDL writes plain integers, whose bounds it checks in simulation; Verilog widens and narrows them by itself.
lint_off -rule WIDTH
// A 1x1 kernel has a radius of 0, and comparing an index with it is constant.
lint_off -rule UNSIGNED
// A 1x1 convolution keeps no partial rows, so its columns need no mark of the first row.
lint_off -rule UNUSEDSIGNAL -file "*accumulator_*" -match "*'first'"
// A row that is scanned whole needs no mark of its later parts.
lint_off -rule UNUSEDSIGNAL -file "*accumulator_*" -match "*'same_row'"
"""
VERILATOR_OPTIONS = """\
// verilator -f verilator.f: every loop of the design has a fixed length and is unrolled.
--unroll-count 4096
--unroll-stmts 1000000
--top-module {top}
waivers.vlt
-f {top}.f
"""


def write_hdl(
    network: Network,
    sizing: Sizing,
    stages: dict[str, Stage],
    modules: tuple[Module, ...],
    folder: Path,
    language: str = "verilog",
):
    """Write the converted accelerator to an existing, empty folder. The same network and sizing give the same bytes.

    accelerator.f lists the HDL files, children first; beside Verilog, verilator.f adds Verilator's options and
    waivers.vlt; manifest.json names versions, the network, the sizing and the SHA-256 of every file.
    """
    sources = write(list(modules), folder)
    (folder / f"{TOP}.f").write_text("".join(f"{source.name}\n" for source in sources))
    if language == "verilog":
        (folder / "verilator.f").write_text(VERILATOR_OPTIONS.format(top=TOP))
        (folder / "waivers.vlt").write_text(WAIVERS)
    manifest = {"language": language, **_manifest(network, sizing, stages, modules[-1], folder)}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _manifest(network: Network, sizing: Sizing, stages: dict[str, Stage], top: Module, folder: Path) -> dict:
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}
    return {
        "generator": {"duospike": version("duospike"), "myhdl": version("myhdl"), "python": platform.python_version()},
        "top": top.name,
        "ports": [{"name": port.name, "direction": port.direction, "width": port.width} for port in top.ports],
        "counters": {"stages": list(stages), "of_each_stage": list(COUNTERS), "bits": COUNTER_BITS},
        "network": {
            "input_shape": list(network.input_shape),
            "image_bits": network.image_bits,
            "image_signed": network.image_signed,
            "timesteps": network.timesteps,
            "coding": network.coding,
            "coding_seed": network.coding_seed,
            "classes": network.classes,
            "metadata": dict(sorted(network.metadata.items())),
        },
        "sizing": asdict(sizing),
        "files": files,
    }
