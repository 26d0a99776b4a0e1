"""The folder of a board: HDL, bitstream, constraints, what the host must know, and a report."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duospike.cosim.axi.loadable import MAX_HEADROOM, claimed_sizing, load_file, read_core
from duospike.cosim.axi.register_pages import c_header, json_text, markdown_page
from duospike.cosim.axi.shell import ShellPlan, network_hash, plan_of, shell_registers
from duospike.cosim.axi.shell_folder import LOADABLE_WAIVERS, WAIVERS, WEIGHTS, description
from duospike.cosim.conversion.convert import Module
from duospike.cosim.design.hdl_folder import write_hdl
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.provenance import design_provenance
from duospike.cosim.design.sizing import Sizing
from duospike.cosim.errors import CosimError
from duospike.cosim.timing.report import Location, Locator, critical_path
from duospike.reference.errors import InputError
from duospike.reference.files import read_json
from duospike.reference.network import Network
from duospike.rtl.packets import WORD_BITS, Line
from duospike.rtl.registers import FIRST_HASH, HASH_WORDS, hash_words
from duospike.rtl.stage import Stage

from .bitstream import BITSTREAM, CONSTRAINTS, Routed, core_clock
from .boards import check_range
from .core import TOP, convert_core
from .overlay import LARGEST_BEAT

REPORT, REGISTERS = "board.json", "registers.json"
BOARD_WAIVERS = """\
// An address of the bus is that of a word; of a count only the lowest bits are sent.
lint_off -rule UNUSEDSIGNAL -file "*bridge_control_*"
lint_off -rule UNUSEDSIGNAL -file "*answer_header_*"
// The receiver has looked at a packet's mark; beats of less than a word need no restart; nothing watches the streams here.
lint_off -rule UNUSEDSIGNAL -file "*request_fields_*" -match "*'head'*"
lint_off -rule UNUSEDSIGNAL -file "*word_beats_*" -match "*'restart'*"
lint_off -rule UNUSEDSIGNAL -file "*axi_shell_*" -match "*'trace'*"
// As ecppll writes it.
lint_off -rule PINCONNECTEMPTY -file "*pll.v"
"""


def make_report(routed: Routed, network: Network, sizing: Sizing, baud: int) -> dict[str, Any]:
    """The content of board.json; delays are in nanoseconds.

    board; clock_mhz, baud: as built; utilization: for each kind of cell that is used, used and available; fmax_mhz;
    critical_path: see timing.report.critical_path().
    """
    design, report = routed.design, routed.report
    clock, reached = core_clock(report)
    path = critical_path(report, Locator(design.modules), clock)
    return {
        **design_provenance(network, sizing),
        "board": asdict(design.board),
        "clock_mhz": design.clock_mhz,
        "baud": baud,
        "seed": routed.seed,
        "nextpnr": routed.nextpnr,
        "utilization": {kind: counts for kind, counts in sorted(report["utilization"].items()) if counts["used"]},
        "fmax_mhz": reached,
        "critical_path": path,
    }


def report_lines(report: dict[str, Any]) -> list[str]:
    """Use, clock and critical path in words. report: of make_report()."""
    path, board = report["critical_path"], report["board"]
    use = ", ".join(
        f"{kind} {counts['used']} of {counts['available']} ({counts['used'] / counts['available']:.0%})"
        for kind, counts in report["utilization"].items()
    )
    start, end = (str(Location(**path[key])) for key in ("start", "end"))
    return [
        f"placed: {use}",
        f"clock: {report['clock_mhz']:g} MHz asked for and {report['fmax_mhz']:.1f} reached on {board['name']} "
        f"({board['device']}-{board['speed']}), seed {report['seed']}",
        f"critical path: {path['delay']:.2f} ns, {path['logic']:.2f} of logic and {path['routing']:.2f} of routing, "
        f"from {start} to {end}",
    ]


def write_board(
    folder: Path, network: Network, sizing: Sizing, plan: ShellPlan, routed: Routed, baud: int, headroom: int | None = None
) -> dict[str, Any]:
    """Write all to an existing, empty folder; returns the report. headroom: of a loadable core."""
    registers = shell_registers(network, plan.stages, plan.core)
    report = make_report(routed, network, sizing, baud)
    about = description(network, plan.stages, plan.shell, plan.core)
    line = {"board": routed.design.board.name, "clock_mhz": routed.design.clock_mhz, "baud": baud, "headroom": headroom}
    others: dict[str, str | bytes] = {
        BITSTREAM: (routed.folder / BITSTREAM).read_bytes(),
        CONSTRAINTS: (routed.folder / CONSTRAINTS).read_bytes(),
        REPORT: json_text(report),
        "nextpnr.json": json.dumps(routed.report) + "\n",
        "registers.md": markdown_page(registers, TOP),
        "registers.h": c_header(registers),
        REGISTERS: json_text(about | {"line": line}),
        **routed.logs,
        **({} if plan.core is None else {WEIGHTS: load_file(network, plan.core)}),
    }
    waivers = WAIVERS + BOARD_WAIVERS + (LOADABLE_WAIVERS if plan.core else "")
    write_hdl(network, sizing, plan.stages, routed.design.modules, folder, "verilog", others, waivers)
    return report


class BuiltBoard:
    """What a folder of `duospike build` says, for a network that its board is to run.

    description: the content of REGISTERS. stages: of its accelerator for the network. words: that load it, None for a board
    with the network in ROMs. CosimError for another network than the board's, or one that a loadable core does not take.
    """

    def __init__(self, folder: Path, network: Network):
        self.description, report = _read(folder / REGISTERS), _read(folder / REPORT)
        try:
            line = self.description["line"]
            self.clock_mhz, self.baud, self._headroom = line["clock_mhz"], line["baud"], line["headroom"]
            check_range("clock_mhz", "default_mhz", self.clock_mhz)
            check_range("baud", "baud", self.baud)
            sound = self._headroom is None or _is_whole(self._headroom, 0, MAX_HEADROOM)
            bits = self.description["network"]["data_bits"]
            if not (sound and _is_whole(self.baud, 1) and _is_whole(bits, 8, WORD_BITS * LARGEST_BEAT) and bits.bit_count() == 1):
                raise ValueError
            self._hash = [self.description["registers"][f"HASH_{i}"]["value"] for i in range(HASH_WORDS)]
            sizing = report["sizing"]
        except (KeyError, TypeError, ValueError, InputError):
            raise CosimError(f"{folder}: not as build wrote it") from None
        self._network, self.sizing = network, claimed_sizing(network, sizing)
        self.words: bytes | None = None
        if "load" in self.description:
            self.words = load_file(network, read_core(folder))
        elif self._hash != hash_words(network_hash(network)):
            raise CosimError(f"{folder} has the board of another network; build one, with --loadable for many networks")
        self.stages: dict[str, Stage] = plan_stages(network, self.sizing)

    def simulated(self, line: Line) -> tuple[Module, ...]:
        """The core once more, for a simulation with another line; a loadable one only with the network that it was made from."""
        plan = plan_of(self._network, self.sizing, self._headroom)
        hashes = [register.value for register in shell_registers(self._network, plan.stages, plan.core).registers]
        if hashes[FIRST_HASH : FIRST_HASH + HASH_WORDS] != self._hash:
            raise CosimError("a loadable core is simulated with the network that it was built from only")
        return convert_core(plan.shell, line)


def _is_whole(value: Any, least: int, most: float = math.inf) -> bool:
    return type(value) is int and least <= value <= most


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except InputError as error:
        raise CosimError(f"{error}; allowed: the folder of a board by duospike build") from None
