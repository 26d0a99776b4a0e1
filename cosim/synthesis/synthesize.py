"""Synthesis with Yosys: the netlist of a design in the cells of an FPGA family, and the area of each of its modules.

The hierarchy is kept, so that each module is synthesised once, whatever the number of its instances, and its area is
known. The design is cut into parts, one for each child of the top with what lies below it, and Yosys runs for several parts
at once; where a module of another part is instantiated, only its ports are read.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.system import side_by_side
from duospike.reference.files import write_file

from .families import AREA, TECHMAP, TECHMAP_FILE, Family, check_multipliers, family_named
from .yosys import read_commands, run_yosys, yosys_version

LATCHES = "t:$dlatch t:$adlatch t:$dlatchsr t:$sr"


@dataclass(frozen=True)
class Area:
    """What a module takes, in the units of its family; see families.AREA. A small block RAM may be half a unit."""

    lut: float = 0
    ff: float = 0
    carry: float = 0
    mux: float = 0
    dsp: float = 0
    lut_ram: float = 0
    block_ram: float = 0

    def __add__(self, other: Area) -> Area:
        return Area(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Area)))

    def __mul__(self, times: int) -> Area:
        return Area(*(getattr(self, field.name) * times for field in fields(Area)))


def area_of(cells: Counter[str], family: Family, module: str) -> Area:
    """Area of a module's cells; CosimError for a cell that the family does not count, such as a latch."""
    area: dict[str, float] = dict.fromkeys(AREA, 0)
    for cell, count in cells.items():
        if cell not in family.cell_units:
            raise CosimError(f"module {module}: Yosys maps it to {cell}, which is not counted for family {family.name}")
        kind, units = family.cell_units[cell]
        area[kind] += units * count
    return Area(**area)


@dataclass(frozen=True)
class Synthesis:
    """A synthesised design. top: its name. cells, children: of each module, how many cells and other modules it holds itself.

    stages: for each instance in the top its module. netlists: Verilog of each module. log: Yosys' own. yosys: its version.
    """

    family: Family
    multipliers: str
    top: str
    cells: dict[str, Counter[str]]
    children: dict[str, Counter[str]]
    stages: dict[str, str]
    netlists: dict[str, str]
    log: str
    yosys: str

    @cached_property
    def own(self) -> dict[str, Area]:
        """The area of one instance of each module, without that of the modules in it."""
        return {name: area_of(cells, self.family, name) for name, cells in self.cells.items()}

    def whole(self, module: str) -> Area:
        """The area of one instance of a module with all that lies below it."""
        inside = (self.whole(child) * count for child, count in self.children[module].items())
        return sum(inside, start=self.own[module])

    @property
    def netlist(self) -> str:
        """Verilog of all modules, in the cells of the family."""
        return "\n".join(self.netlists.values())

    @property
    def total(self) -> Area:
        return self.whole(self.top)

    @property
    def stage_areas(self) -> dict[str, Area]:
        """The area of each stage, with all that lies below it; what the top itself holds is wires."""
        return {name: self.whole(module) for name, module in self.stages.items()}

    def instances(self, module: str) -> Counter[str]:
        """How many instances of each module there are in one instance of `module`, itself among them."""
        counts = Counter({module: 1})
        for child, count in self.children[module].items():
            counts += Counter({name: inside * count for name, inside in self.instances(child).items()})
        return counts


@dataclass(frozen=True)
class _Part:
    """What a run of Yosys gives: cells and Verilog of each of its modules, and the log."""

    cells: dict[str, Counter[str]]
    netlists: dict[str, str]
    log: str


def synthesize(
    modules: Sequence[Module],
    folder: Path,
    family: str = "xcup",
    multipliers: str = "dsp",
    progress: Callable[[str], None] = lambda step: None,
) -> Synthesis:
    """Synthesise converted Verilog, children first and the top last, in an existing folder, which is filled with work files.

    family: xcup or ecp5. multipliers: dsp, or lut for none of the family's multiplier blocks. progress: gets the name
    of each step.
    CosimError if Yosys is missing or fails, and if it finds a latch, a loop of logic, a net with several drivers or none.
    """
    target = family_named(family)
    check_multipliers(multipliers)
    write_modules(list(modules), folder)
    write_file(folder / TECHMAP_FILE, TECHMAP)
    progress("latches, loops and drivers")
    check_design(modules, folder)
    tree = {module.name: instances_in(module, modules) for module in modules}
    finished: Counter[str] = Counter()

    def run(part: list[Module]) -> _Part:
        result = _synthesize_part(part, modules, tree, folder, target, multipliers)
        finished["modules"] += len(part)
        progress(f"modules: {finished['modules']} of {len(modules)} mapped to {family}")
        return result

    progress(f"modules: 0 of {len(modules)} mapped to {family}")
    results = list(side_by_side(run, _parts(modules, tree)))
    cells = {name: counts for part in results for name, counts in part.cells.items()}
    netlists = {name: text for part in results for name, text in part.netlists.items()}
    return Synthesis(
        family=target,
        multipliers=multipliers,
        top=modules[-1].name,
        cells={module.name: cells[module.name] for module in modules},
        children={name: Counter(instances.values()) for name, instances in tree.items()},
        stages=tree[modules[-1].name],
        netlists={module.name: netlists[module.name] for module in modules},
        log="\n".join(part.log for part in results),
        yosys=yosys_version(),
    )


def check_design(modules: Sequence[Module], folder: Path) -> None:
    """CosimError if the design, its modules joined, has a latch, a loop of logic, or a net with several drivers or none.

    The modules are in `folder`. Before mapping, since Yosys sees no loop that goes through LUTs or from module to module.
    """
    no_latch = f"select -assert-none {LATCHES}"
    run_yosys([*read_commands(modules), "proc", no_latch, "flatten", "opt_clean", "check -assert"], folder, "check")


def instances_in(module: Module, modules: Sequence[Module]) -> dict[str, str]:
    """The instances of other modules in a converted module: for each instance name its module."""
    names = {other.name for other in modules}
    found = re.findall(r"^(\w+) (\w+) \($", module.text, re.MULTILINE)
    return {instance: name for name, instance in found if name in names}


def _parts(modules: Sequence[Module], tree: dict[str, dict[str, str]]) -> list[list[Module]]:
    """Cut the design into what Yosys runs take: each child of the top with all below it that no other part has; the top.

    Large parts come first, so that they do not run alone at the end.
    """
    by_name = {module.name: module for module in modules}

    def below(name: str) -> dict[str, None]:
        """Names of a module and all below it, children first."""
        return {n: None for child in tree[name].values() for n in below(child)} | {name: None}

    def size(part: list[Module]) -> int:
        return sum(len(module.text) + sum(table.depth * table.width for table in module.tables) for module in part)

    top, taken, parts = modules[-1].name, set[str](), []
    for child in dict.fromkeys(tree[top].values()):
        parts.append([by_name[name] for name in below(child) if name not in taken])
        taken.update(below(child))
    return sorted([part for part in parts if part] + [[by_name[top]]], key=size, reverse=True)


def _synthesize_part(
    part: list[Module],
    modules: Sequence[Module],
    tree: dict[str, dict[str, str]],
    folder: Path,
    family: Family,
    multipliers: str,
) -> _Part:
    """Run Yosys for some modules, their top last."""
    top = part[-1].name
    own = {module.name for module in part}
    needed = {child for name in own for child in tree[name].values()} - own
    # Of modules of other parts only the ports are read.
    others = [f"read_verilog -lib {module.file}" for module in modules if module.name in needed]
    commands = [
        *others,
        *read_commands(part),
        *family.commands(top, multipliers),
        f"tee -q -o {top}.json stat -json",
        f"write_verilog -noattr {top}_netlist.v",
    ]
    log = run_yosys(commands, folder, top)
    cells = read_cells((folder / f"{top}.json").read_text())
    for name in own:
        cells[name] -= Counter(tree[name].values())
    return _Part(cells, split_netlist((folder / f"{top}_netlist.v").read_text()), log)


def split_netlist(text: str) -> dict[str, str]:
    """The modules of a netlist that Yosys wrote, by name."""
    return {found[2]: found[1] for found in re.finditer(r"^(module (\w+)\(.*?^endmodule\n)", text, re.MULTILINE | re.DOTALL)}


def read_cells(text: str) -> dict[str, Counter[str]]:
    """The cells of each module, other modules among them, from what `stat -json` wrote."""
    found = json.loads(text)["modules"]
    return {name.removeprefix("\\"): Counter(counts["num_cells_by_type"]) for name, counts in found.items()}
