"""From a board's core to a bitstream: Yosys, nextpnr with the board's pads and clock, ecppack."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duospike.cosim.conversion.convert import Module, write_modules
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.families import ECP5, TECHMAP, TECHMAP_FILE
from duospike.cosim.synthesis.yosys import read_commands, run_yosys
from duospike.cosim.timing.place_route import nextpnr_version, run_nextpnr
from duospike.reference.files import write_file

from . import tools
from .boards import DEVICES, Board
from .top import Clock, constraints, top_module

NETLIST, ROUTED, CONFIG, REPORT = "netlist.json", "routed.json", "board.config", "nextpnr.json"
BITSTREAM, CONSTRAINTS = "board.bit", "board.lpf"
UNPACKED, AGAIN = "unpacked.config", "again.bit"
CELLS = "read_verilog -lib +/ecp5/cells_sim.v +/ecp5/cells_bb.v"
"""Reads the ports of the device's cells: the PLL is one."""


@dataclass(frozen=True, eq=False)
class BoardDesign:
    """A board's design, ready for Yosys. modules: core, PLL if there is one, and the top last. clock_mhz: that of the core."""

    board: Board
    modules: tuple[Module, ...]
    clock_mhz: float


@dataclass(frozen=True, eq=False)
class Routed:
    """A design that is placed and routed and reaches its clock. folder: holds NETLIST, ROUTED, CONFIG and BITSTREAM.

    report: nextpnr's own, read from JSON. seed: of the placement. logs: of Yosys and nextpnr.
    """

    design: BoardDesign
    folder: Path
    report: dict[str, Any]
    seed: int
    nextpnr: str
    logs: dict[str, str]


def with_top(board: Board, core: tuple[Module, ...], clock: Clock) -> BoardDesign:
    """The design of a core on a board."""
    plls = () if clock.pll is None else (clock.pll,)
    return BoardDesign(board, (*core, *plls, top_module(board, has_pll=clock.pll is not None)), clock.mhz)


def map_design(design: BoardDesign, folder: Path, multipliers: str = "dsp", block_ram: bool = True) -> str:
    """Write NETLIST to an existing folder; returns Yosys' log."""
    write_modules(list(design.modules), folder)
    write_file(folder / TECHMAP_FILE, TECHMAP)
    mapping = ECP5.commands(design.modules[-1].name, multipliers, flat=True, block_ram=block_ram)
    commands = [CELLS, *read_commands(design.modules), *mapping, f"write_json {NETLIST}"]
    return run_yosys(commands, folder, "flat")


def route(design: BoardDesign, folder: Path, seed: int, progress: Callable[[str], None]) -> tuple[dict[str, Any], str]:
    """Place and route the NETLIST of a folder; returns nextpnr's report and its log."""
    board = design.board
    write_file(folder / CONSTRAINTS, constraints(board))
    options = {
        "--package": board.package, "--speed": board.speed, "--seed": seed, "--json": NETLIST, "--lpf": CONSTRAINTS,
        "--textcfg": CONFIG, "--write": ROUTED, "--report": REPORT,
    }  # fmt: skip
    words = [word for option in options.items() for word in option]
    flags = [DEVICES[board.device], "--timing-allow-fail", "--detailed-timing-report"]
    log = run_nextpnr(folder, board.device, [*flags, *words], progress)
    return json.loads((folder / REPORT).read_text()), log


def core_clock(report: dict[str, Any]) -> tuple[str, float]:
    """The name of the core's clock in nextpnr's report, and the MHz that it reaches."""
    clocks = {name: clock["achieved"] for name, clock in report["fmax"].items()}
    if len(clocks) != 1:
        raise CosimError(f"nextpnr times {len(clocks)} clocks ({', '.join(clocks)}); expected: one, the core's")
    return next(iter(clocks.items()))


def check_clock(design: BoardDesign, report: dict[str, Any], seed: int) -> None:
    """CosimError if the design does not reach its clock."""
    _, reached = core_clock(report)
    if reached < design.clock_mhz:
        raise CosimError(
            f"the design reaches {reached:.1f} MHz on {design.board.name} with seed {seed}; {design.clock_mhz:g} were asked for; "
            f"allowed: --clock {int(reached)} or less, another --seed, or another sizing"
        )


def pack(folder: Path) -> None:
    """Write BITSTREAM from the CONFIG of a folder; CosimError if it does not say the same when it is unpacked."""
    _pack(folder, CONFIG, BITSTREAM)
    tools.run("ecpunpack", folder, "--input", BITSTREAM, "--textcfg", UNPACKED)
    _pack(folder, UNPACKED, AGAIN)
    packed, unpacked = (logic_settings((folder / name).read_text()) for name in (CONFIG, UNPACKED))
    if packed != unpacked:
        tile, setting = min(packed ^ unpacked)
        raise CosimError(f"{BITSTREAM} is not what was packed; the first difference: {tile}: {setting}")
    if (folder / BITSTREAM).read_bytes() != (folder / AGAIN).read_bytes():
        raise CosimError(f"{BITSTREAM} is not what was packed: packed again it has other bits")


def _pack(folder: Path, config: str, bits: str) -> None:
    tools.run("ecppack", folder, "--compress", "--input", config, "--bit", bits)


def logic_settings(config: str) -> set[tuple[str, str]]:
    """What a textual configuration says of logic and memories: tiles with the LUTs and the wires of logic, and the contents of
    block RAMs.

    Left out is what has no bits of its own, so that ecpunpack cannot say it as nextpnr did: LUTs of ones alone, and where a
    slice's own outputs come from.
    """
    tile, found = "", set()
    for line in config.splitlines():
        words = line.split()
        if line.startswith("."):
            tile = line
        elif words and (tile.startswith(".bram_init") or (tile.endswith(":PLC2") and _has_bits(words))):
            found.add((tile, line))
    return found


def _has_bits(words: list[str]) -> bool:
    return words[0] in ("arc:", "word:") and not words[-1].endswith("_SLICE") and set(words[-1]) != {"1"}


def build_bitstream(
    board: Board,
    core: tuple[Module, ...],
    clock: Clock,
    folder: Path,
    *,
    seed: int = 1,
    multipliers: str = "dsp",
    block_ram: bool = True,
    progress: Callable[[str], None] = lambda step: None,
) -> Routed:
    """Map, place, route and pack a core for a board in an existing folder, which is filled with work files.

    core: of core.convert_core(). clock: of top.clock_of(). CosimError if the core does not fit or does not reach its clock.
    """
    design = with_top(board, core, clock)
    progress("mapping by Yosys")
    mapped = map_design(design, folder, multipliers, block_ram)
    report, placed = route(design, folder, seed, progress)
    check_clock(design, report, seed)
    progress("packing, and unpacking again")
    pack(folder)
    return Routed(design, folder, report, seed, nextpnr_version(), {"flat.log": mapped, "nextpnr.log": placed})
