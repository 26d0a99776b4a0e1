"""Netlists of blocks with random faults, planted by Yosys' `mutate`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.yosys import read_commands
from verification.system_yosys import run_yosys

KEPT = ("rom", "activity")
"""Blocks that stay instances: what a ROM holds is not the netlist's, and the counters have tests of their own."""

LEFT_ALONE = ("counts", "RD_EN", "RD_ARST", "RD_SRST")
"""Ports that get no fault: most bits of a counter of 32 bits only move after hours; and Yosys takes no memory that is read
without a clock if its enable and its resets are not constant."""

NETLIST = "netlist.il"

PLANTED = "planted.txt"

SPARE = 10
"""Faults planted beyond twice those asked for, since some change nothing."""


@dataclass(frozen=True)
class Mutation:
    """A fault: `command` is Yosys' own and the rest what it says, to be read; bits count within the port.

    wire: name and bit of the net, if it has one. sources: places in the Verilog of the converted modules.
    """

    command: str
    mode: str
    cell: str
    port: str
    bit: int
    wire: str
    sources: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> Mutation:
        """A line of `mutate -list`."""
        pairs = re.findall(r" -(\w+) (\S+)", line)
        options = dict(pairs)
        wire = f"{options['wire']}[{options['wirebit']}]" if "wire" in options else ""
        sources = tuple(value for key, value in pairs if key == "src")
        # A port of an instance is named in full, one of Yosys' cells by a letter or two.
        return cls(line, options["mode"], options["cell"], options["port"], int(options["portbit"]), wire, sources)

    @property
    def key(self) -> str:
        """The command without what only a reader needs: the same as long as the block's Verilog is."""
        return re.sub(r" -(?:wire|wirebit|src) \S+", "", self.command)


@dataclass(frozen=True)
class Mutant:
    """The netlist with one fault in it, as Verilog-2005."""

    mutation: Mutation
    text: str


@dataclass(frozen=True)
class Netlist:
    """A block's own module as a netlist of words: adders, multiplexers, registers, memories.

    module: its Verilog has the name and ports of the converted module, and instances of the blocks KEPT. rtlil: the same,
    as Yosys keeps it. mutants: some hundred copies of the text with one fault each.
    """

    module: Module
    rtlil: str
    mutants: tuple[Mutant, ...]


def plant(modules: Sequence[Module], count: int, seed: int, folder: Path) -> Netlist:
    """The netlist of the last of `modules`, and `count` mutants of it, all different.

    modules: as convert() gives them. folder: exists, and is filled with Yosys' files. CosimError if there are not so many faults.
    """
    top = modules[-1]
    write_modules(list(modules), folder)
    run_yosys([*read_commands(modules), *to_words(modules), f"write_rtlil {NETLIST}", *write_verilog(top, "original.v")], folder)
    module = replace(top, text=(folder / "original.v").read_text())
    planted = 2 * count + SPARE
    run_yosys([f"read_rtlil {NETLIST}", f"mutate -list {planted} -seed {seed} -module {top.name} -o {PLANTED}"], folder)
    parsed = [Mutation.parse(line) for line in (folder / PLANTED).read_text().splitlines()]
    mutations = [mutation for mutation in parsed if mutation.port not in LEFT_ALONE]
    write_mutants(top, mutations, folder)
    mutants = {(folder / f"mutant{i}.v").read_text(): mutation for i, mutation in reversed(list(enumerate(mutations)))}
    # A constant where that constant is already changes nothing, and some faults are the same by two names.
    mutants.pop(module.text, None)
    if len(mutants) < count:
        raise CosimError(f"{top.name}: {count} faults asked for, {len(mutants)} found")
    chosen = sorted(mutants.items(), key=lambda item: mutations.index(item[1]))[:count]
    return Netlist(module, (folder / NETLIST).read_text(), tuple(Mutant(mutation, text) for text, mutation in chosen))


def to_words(modules: Sequence[Module]) -> list[str]:
    """Commands that make the top one netlist of words, without bits that are never used and multiplexers' unknown inputs,
    whose faults would change nothing."""
    kept = [module.name for module in modules if module.name.rpartition("_")[0] in KEPT]
    keep = [f"setattr -mod -set keep_hierarchy 1 {' '.join(kept)}"] if kept else []
    opt = "opt -mux_undef"
    return ["proc", *keep, "flatten", opt, "wreduce", opt, "memory_collect", "opt_clean", "check -assert"]


def write_verilog(top: Module, file: str) -> list[str]:
    """Commands that write the top alone."""
    return [f"select {top.name}", f"write_verilog -noattr -selected {file}", "select -clear"]


def write_mutants(top: Module, mutations: Sequence[Mutation], folder: Path):
    """Write mutant0.v, mutant1.v and so on, one for each mutation."""
    commands = [f"read_rtlil {NETLIST}", "design -save original"]
    for i, mutation in enumerate(mutations):
        commands += ["design -load original", mutation.command, *write_verilog(top, f"mutant{i}.v")]
    run_yosys(commands, folder)
