"""Whether a mutant differs from its netlist for a user: a proof by abc that it does not, or a run in which it does.

Both always get the same inputs; what the ROMs and counters give is an input, too. From the second cycle on all must be
equal that a user sees: valid and ready, a payload while it is valid, reads of the ROMs, and what the counters count. Reset is
high in the first cycle, and may come back at any time. The inputs keep the rules of rtl/stream.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path

from duospike.cosim.errors import CosimError
from duospike.cosim.system import require, run_tool
from duospike.reference.files import write_file
from verification.system_yosys import run_yosys

from .mutants import KEPT, NETLIST, Mutation, Netlist

SECONDS = 60
"""Seconds that abc has for one proof."""

PROVEN = "proven to be equal"
OPEN = "not decided"

TWINS = ("gold", "gate")
"""The netlist without a fault, and the one with it."""

START = """\
reg known = 0;
always @(posedge clk) known <= 1;
wire now_rst = rst || !known;
"""

STREAM = """\
reg {stream}_waits = 0;
reg [{msb}:0] {stream}_waiting;
always @(posedge clk) {stream}_waits <= !now_rst && now_{stream}_valid && !gold_{stream}_ready;
always @(posedge clk) {stream}_waiting <= now_{stream}_data;
wire now_{stream}_valid = {stream}_waits || {stream}_valid;
wire [{msb}:0] now_{stream}_data = {stream}_waits ? {stream}_waiting : {stream}_data;
"""

TO_MITER = [
    "read_rtlil twins.il",
    "read_verilog -formal miter.v",
    "hierarchy -check -top miter",
    *("proc", "flatten", "async2sync", "dffunmap", "techmap", "opt_clean"),
    "write_json miter.json",
]
TO_MODEL = [
    "read_json shared.json",
    *("opt -fast -nodffe -nosdff", "abc -g AND -fast", "opt_clean"),
    "write_aiger -zinit -I -B model.aig",
]
PROVE = "read_aiger model.aig; strash; scorr; dc2; pdr -T {seconds}"


def equivalence(netlist: Netlist, mutation: Mutation | None, folder: Path, seconds: int = SECONDS) -> str:
    """PROVEN, "different in cycle N", or OPEN where neither is found in time.

    mutation: None compares the netlist with itself. folder: an empty folder, filled with the files of the proof.
    """
    if mutation and changes_a_clock(mutation):
        return OPEN
    design, pairs = build_miter(netlist, mutation, folder)
    verdict = prove(design, folder, seconds)
    if verdict != OPEN:
        return verdict
    # More to prove, but of one netlist's states alone.
    demand_equal(design["modules"]["miter"], pairs)
    return PROVEN if prove(design, folder, seconds) == PROVEN else OPEN


def changes_a_clock(mutation: Mutation) -> bool:
    """Whether a mutation is beyond build_miter(), in whose proof all registers have one clock."""
    return mutation.port.lower().endswith("clk")


def build_miter(netlist: Netlist, mutation: Mutation | None, folder: Path) -> tuple[dict, list[tuple[int, int]]]:
    """The miter of a netlist and its mutant as Yosys' JSON has it, and the pairs of registers of share_unknowns()."""
    write_file(folder / NETLIST, netlist.rtlil)
    run_yosys(to_twins(netlist.module.name, mutation), folder)
    twins = json.loads((folder / "twins.json").read_text())["modules"]
    write_file(folder / "miter.v", miter(twins["gold"]["ports"]))
    run_yosys(TO_MITER, folder)
    design = json.loads((folder / "miter.json").read_text())
    return design, share_unknowns(design["modules"]["miter"])


def prove(design: dict, folder: Path, seconds: int) -> str:
    """The verdict on a miter with all its assertions."""
    write_file(folder / "shared.json", json.dumps(design))
    run_yosys(TO_MODEL, folder)
    log = run_tool([require("yosys-abc", "yosys"), "-c", PROVE.format(seconds=seconds)], folder)
    write_file(folder / "abc.log", log)
    different = re.search(r"was asserted in frame ([0-9]+)", log)
    if different:
        return f"different in cycle {different[1]}"
    if "Property proved" not in log and "UNDECIDED" not in log:
        raise CosimError(f"abc gives no verdict: {log.strip().splitlines()[-1]}")
    return PROVEN if "Property proved" in log else OPEN


def to_twins(top: str, mutation: Mutation | None) -> list[str]:
    """Commands from the netlist to TWINS, in which instances of the blocks KEPT have become inputs and outputs."""
    kept = [f"{twin}/t:{block}_*" for twin in TWINS for block in KEPT]
    return [
        f"read_rtlil {NETLIST}",
        *(f"copy {top} {twin}" for twin in TWINS),
        f"delete {top}",
        *([mutation.command.replace(f"-module {top} ", "-module gate ")] if mutation else []),
        # Bits without a driver may have any value, in each of the two.
        "setundef -undriven -anyseq",
        # A read beyond a memory's last word gives 0. It would give bits without a driver, which come in another order in each.
        *("memory_map", "setundef -zero"),
        f"select {' '.join(kept)}",
        "expose -evert",
        "select -clear",
        f"delete {' '.join(f'{block}_*' for block in KEPT)}",
        "write_json twins.json",
        "write_rtlil twins.il",
    ]


def miter(ports: Mapping[str, Mapping]) -> str:
    """Verilog of both with the same inputs, which keep the rules, and of what must be equal; ports: as Yosys' JSON has them."""
    widths = {name: len(port["bits"]) for name, port in ports.items()}
    inputs = [name for name in ports if ports[name]["direction"] == "input"]
    outputs = [name for name in ports if ports[name]["direction"] == "output" and not name.endswith("clk")]
    lines = ["module miter(", ",\n".join(f"input [{widths[name] - 1}:0] {plain(name)}" for name in inputs), ");"]
    lines += [f"wire [{widths[name] - 1}:0] {twin}_{plain(name)};" for twin in TWINS for name in outputs]
    streams = [name.removesuffix("_valid") for name in inputs if name.endswith("_valid")]
    lines += [START, *(STREAM.format(stream=stream, msb=widths[f"{stream}_data"] - 1) for stream in streams)]
    made = ["rst", *(f"{stream}_{member}" for stream in streams for member in ("valid", "data"))]
    for twin in TWINS:
        pins = [f".\\{name} ({'now_' if name in made else ''}{plain(name)})" for name in inputs]
        pins += [f".\\{name} ({twin}_{plain(name)})" for name in outputs]
        lines.append(f"{twin} {twin} ({', '.join(pins)});")
    return "\n".join([*lines, *equal(outputs), "endmodule"]) + "\n"


def equal(outputs: Sequence[str]) -> Iterator[str]:
    """The assertions: each output is the same on both sides, a payload where it is valid, an address where it is read."""
    for name in outputs:
        guard = name.replace("_data", "_valid").replace(".read_addr", ".read")
        condition = f"known && gold_{plain(guard)}" if guard != name else "known"
        yield f"always @(*) if ({condition}) assert(gold_{plain(name)} == gate_{plain(name)});"


def plain(name: str) -> str:
    """A port's name as a plain word."""
    return name.replace(".", "_")


def share_unknowns(module: dict) -> list[tuple[int, int]]:
    """Let registers that have the same name in both begin with the same value, whatever it is, and let bits without a driver
    be the same in both; returns the pairs of registers. module: the miter as Yosys' JSON has it.

    What a user sees of the netlist without a fault depends on neither, so this hides no difference.
    """
    names = register_names(module)
    shared: dict[str | int, int] = {}
    kept: dict[str, list[int]] = {}
    (known,) = module["netnames"]["known"]["bits"]
    free = count(1 + max(bit for net in module["netnames"].values() for bit in net["bits"] if isinstance(bit, int)))
    cells = module["cells"]
    for cell in [cell for cell in cells.values() if cell["type"] == "$_DFF_P_"]:
        (bit,) = cell["connections"]["Q"]
        if bit in names:
            register = next(free)
            kept.setdefault(names[bit], []).append(register)
            cell["connections"]["Q"] = [register]
            module["netnames"][f"kept{register}"] = {"bits": [register], "attributes": {"init": "0"}}
            cells[f"begin{register}"] = gate("$_MUX_", bit, A=shared.setdefault(names[bit], next(free)), B=register, S=known)
    for twin in TWINS:
        for i, bit in enumerate(bits_without_driver(cells, twin)):
            cells[f"any{bit}"] = gate("$_BUF_", bit, A=shared.setdefault(i, next(free)))
    module["ports"]["shared"] = {"direction": "input", "bits": list(shared.values())}
    module["netnames"]["shared"] = {"bits": list(shared.values()), "attributes": {}}
    return [(bits[0], bits[1]) for bits in kept.values() if len(bits) == 2]


def demand_equal(module: dict, pairs: Sequence[tuple[int, int]]):
    """Let the second of each pair of registers hold what the first does, and assert that both would take the same bit.

    That is so in all states which the netlist without a fault reaches if, and only if, the registers stay equal. Those that
    reset leaves unknown begin with the same value, any one, in the cycle after it: in the first they may take different ones.
    """
    free = count(1 + max(bit for net in module["netnames"].values() for bit in net["bits"] if isinstance(bit, int)))
    cells, (known,), settled = module["cells"], module["netnames"]["known"]["bits"], next(free)
    makers = {cell["connections"]["Q"][0]: name for name, cell in cells.items() if cell["type"] == "$_DFF_P_"}
    taken = {bit: cells[maker]["connections"]["D"][0] for bit, maker in makers.items()}
    after_reset = first_cycle(cells, known)
    cells["settle"] = {
        **cells[makers[known]],
        "connections": {**cells[makers[known]]["connections"], "D": [known], "Q": [settled]},
    }
    module["netnames"]["settled"] = {"bits": [settled], "attributes": {"init": "0"}}
    for first, second in pairs:
        is_reset = after_reset(taken[first]) is not None
        cells[makers[second]] = gate("$_BUF_", second, A=first)
        for bit in () if is_reset else (first, second):
            cells[f"begin{bit}"]["connections"]["S"] = [settled]
        same = next(free)
        module["netnames"][f"same{same}"] = {"bits": [same], "attributes": {}}
        cells[f"equal{same}"] = gate("$_XNOR_", same, A=taken[first], B=taken[second])
        cells[f"assert{same}"] = {
            "type": "$assert", "parameters": {}, "attributes": {}, "port_directions": {"A": "input", "EN": "input"},
            "connections": {"A": [same], "EN": ["1" if is_reset else known]},
        }  # fmt: skip


def first_cycle(cells: dict, known: int) -> Callable[[int | str], bool | None]:
    """The value that a bit has in the first cycle, in which reset is high, whatever inputs and registers hold; None if it
    depends on them. known: the bit that is low then."""
    drivers = {bit: cell for cell in cells.values() for bit in cell["connections"].get("Y", ())}

    @cache
    def value(bit: int | str) -> bool | None:
        if bit == known or bit == "0":
            return False
        if bit == "1":
            return True
        if bit not in drivers:
            return None
        kind, pins = drivers[bit]["type"], drivers[bit]["connections"]
        inputs = {pin: value(pins[pin][0]) for pin in pins if pin != "Y"}
        return ternary(kind, **inputs)

    return value


def ternary(kind: str, A: bool | None, B: bool | None = None, S: bool | None = None) -> bool | None:  # noqa: N803 (Yosys' pins)
    """What a gate gives if None is a bit that may be either."""
    match kind:
        case "$_BUF_":
            return A
        case "$_NOT_":
            return None if A is None else not A
        case "$_AND_":
            return False if A is False or B is False else A if B else B
        case "$_OR_":
            return True if A or B else None if None in (A, B) else False
        case "$_XOR_" | "$_XNOR_":
            return None if A is None or B is None else (A == B) is (kind == "$_XNOR_")
        case "$_MUX_":
            return B if S else A if S is False or A is B else None
    raise CosimError(f"no value of a {kind}")


def bits_without_driver(cells: dict, twin: str) -> list[int]:
    """Remove the cells that represent bits without a driver from a twin; returns the bits, in the order of their making."""
    names = [name for name, cell in cells.items() if cell["type"] == "$anyseq" and f"\\{twin}." in name]
    names.sort(key=lambda name: int(name.rpartition("$")[2]))
    return [bit for name in names for bit in cells.pop(name)["connections"]["Y"]]


def register_names(module: dict) -> dict[int, str]:
    """For bits inside the twins the names that they have there, and that the other twin has as well."""
    names = {}
    for name, net in module["netnames"].items():
        twin, _, inside = name.partition(".")
        if twin in TWINS and "$" not in inside:
            names.update({bit: f"{inside}[{i}]" for i, bit in enumerate(net["bits"])})
    return names


def gate(kind: str, y: int, **inputs: int) -> dict:
    """A cell of Yosys' JSON, with one bit at each pin."""
    pins = {name: [bit] for name, bit in inputs.items()} | {"Y": [y]}
    directions = {pin: "output" if pin == "Y" else "input" for pin in pins}
    return {"type": kind, "parameters": {}, "attributes": {}, "port_directions": directions, "connections": pins}
