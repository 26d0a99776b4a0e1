"""Yosys: runs of its scripts, and netlists that can take the place of a converted design."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.system import require, run_program, run_tool
from duospike.reference.files import write_file

WORD_LEVEL = ("proc", "flatten", "opt", "memory_collect", "opt_clean")
"""Commands to a flat netlist of words: adders, multiplexers, registers and memories."""
GATE_LEVEL = ("synth -flatten", "abc -g AND,OR,XOR,MUX", "opt_clean")
"""Commands to a flat netlist of single gates and flip-flops; memories become flip-flops as well."""


def run_yosys(commands: Sequence[str], folder: Path, name: str = "script") -> str:
    """Run Yosys' commands in `folder`, which must exist; returns the log, raises CosimError with its error if one fails.

    name: that of the script; runs that share a folder at the same time need different ones.
    """
    script = folder / f"{name}.ys"
    write_file(script, "".join(f"{command}\n" for command in commands))
    done = run_program([require("yosys", "yosys"), "-s", script.name], folder)
    if done.returncode != 0:
        errors = re.findall(r"^ERROR: (.*)", done.stdout + done.stderr, re.MULTILINE)
        raise CosimError(f"yosys failed: {errors[-1] if errors else f'exit status {done.returncode}'}")
    return done.stdout


def yosys_version() -> str:
    """Name and version of the installed Yosys, such as "Yosys 0.23"."""
    return " ".join(run_tool([require("yosys", "yosys"), "-V"], Path.cwd()).split()[:2])


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


def cell_models(file: str, folder: Path) -> Module:
    """Yosys' simulation models of a family's cells, to be put before a netlist. file: its name, such as xilinx/cells_sim.v."""
    # Yosys knows where its files are, and names them in its log.
    found = re.search(r"Parsing Verilog input from `(.*)'", run_yosys([f"read_verilog -lib +/{file}"], folder))
    if not found:
        raise CosimError(f"Yosys does not say where its file {file} is")
    path = Path(found[1])
    text = re.sub(
        r'^`include "(.+)"', lambda include: (path.parent / include[1]).read_text(), path.read_text(), flags=re.MULTILINE
    )
    return Module("cells", "cells.v", text, (), ())
