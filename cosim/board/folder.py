"""The folder of a board: HDL, bitstream, constraints, what the host must know, and a report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from duospike.cosim.axi.loadable import (
    MAX_HEADROOM,
    CoreError,
    claimed_sizing,
    hardware_hash,
    load_file,
    load_file_of,
    loadable_stages,
    plain,
)
from duospike.cosim.axi.register_pages import c_header, json_text, markdown_page
from duospike.cosim.axi.shell import ShellPlan, network_hash, plan_of, shell_of, shell_registers
from duospike.cosim.axi.shell_folder import LOADABLE_WAIVERS, WAIVERS, WEIGHTS, description
from duospike.cosim.conversion.convert import Module
from duospike.cosim.design.hdl_folder import check_unchanged, write_hdl
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.provenance import design_provenance
from duospike.cosim.design.sizing import Sizing
from duospike.cosim.errors import CosimError
from duospike.cosim.timing.report import Location, Locator, critical_path
from duospike.reference.errors import InputError, brief
from duospike.reference.files import read_json, write_file
from duospike.reference.network import Network
from duospike.rtl.packets import Line
from duospike.rtl.registers import CONSTANTS_FILE, hash_words
from duospike.rtl.stage import Stage

from .bitstream import BITSTREAM, CONSTRAINTS, Routed, core_clock
from .boards import check_range
from .core import TOP, convert_core

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
        **({} if plan.core is None else {WEIGHTS: load_file(network, plan.core)}),
    }
    waivers = WAIVERS + BOARD_WAIVERS + (LOADABLE_WAIVERS if plan.core else "")
    write_hdl(network, sizing, plan.stages, routed.design.modules, folder, "verilog", others, waivers)
    # Not in the manifest, since they hold times: all else is the same in each build.
    for name, log in routed.logs.items():
        write_file(folder / name, log)
    return report


class BuiltBoard:
    """What a folder of `duospike build` says, for a network that its board is to run.

    description: the content of REGISTERS. stages: of its accelerator for the network. words: that load it, None for a board
    with the network in ROMs. CosimError for a file that build did not write so, which it names; for another network than the
    board's, or one that a loadable core does not take.
    """

    def __init__(self, folder: Path, network: Network):
        _check_unchanged(folder)
        self.description, report = read_json(folder / REGISTERS), read_json(folder / REPORT)
        self.clock_mhz, self.baud, self._headroom = _line(folder / REGISTERS, self.description)
        self.words: bytes | None = None
        if "load" in self.description:
            self.words, core = _loaded(folder, network)
            self.sizing = claimed_sizing("load: sizing", network, core["sizing"])
        else:
            core = None
            _check_network(folder, network)
            self.sizing = claimed_sizing(f"{folder / REPORT}: sizing", network, report.get("sizing"))
        self._network = network
        self.stages: dict[str, Stage] = plan_stages(network, self.sizing)
        self._check_description(folder / REGISTERS, core)

    def _check_description(self, path: Path, core: dict[str, Any] | None) -> None:
        """CosimError if the description is not what follows from network, sizing and core."""
        stages = self.stages if core is None else loadable_stages(self.stages)
        shell = shell_of(self._network, stages, core)
        for key, value in description(self._network, stages, shell, core).items():
            if plain(self.description.get(key)) != plain(value):
                raise CosimError(
                    f"{path}: entry {key} is not what the network and its sizing give; it was changed, or another version of "
                    "Duospike built the board: build it anew"
                )

    def simulated(self, line: Line) -> tuple[Module, ...]:
        """The core once more, for a simulation with another line; a loadable one only with the network that it was made from."""
        plan = plan_of(self._network, self.sizing, self._headroom)
        if plain(plan.core) != plain(self.description.get("load")):
            raise CosimError("a loadable core is simulated with the network that it was built from only")
        return convert_core(plan.shell, line)


def _check_unchanged(folder: Path) -> None:
    try:
        check_unchanged(folder, (REGISTERS, REPORT, CONSTANTS_FILE))
    except CosimError as error:
        raise CosimError(f"{error}; allowed: the folder of a board by duospike build") from None


def _check_network(folder: Path, network: Network) -> None:
    """CosimError if the network in a core's ROMs is another one."""
    if hardware_hash(folder / CONSTANTS_FILE) != hash_words(network_hash(network)):
        raise CosimError(f"{folder} has the board of another network; build one, with --loadable for many networks")


def _loaded(folder: Path, network: Network) -> tuple[bytes, dict[str, Any]]:
    """The words that load a network into the core of a folder, and the core's description."""
    try:
        return load_file_of(network, folder)
    except CoreError:
        raise
    except CosimError as error:
        raise CosimError(f"the board of {folder} cannot be loaded with this network: {error}") from None


def _line(path: Path, about: dict[str, Any]) -> tuple[float, int, int | None]:
    """Clock in MHz, rate of the serial line and headroom that a description claims; CosimError if no board has them."""
    found = about.get("line")
    line: dict[str, Any] = {"clock_mhz": None, "baud": None, "headroom": None} | (found if isinstance(found, dict) else {})
    clock_mhz, baud, headroom = line["clock_mhz"], line["baud"], line["headroom"]
    if type(clock_mhz) not in (int, float) or type(baud) is not int:
        raise CosimError(f"{path}: line {brief(found)}; allowed: clock_mhz and baud, as build writes them")
    try:
        check_range(f"{path}: clock_mhz", "default_mhz", clock_mhz)
        check_range(f"{path}: baud", "baud", baud)
    except InputError as error:
        raise CosimError(str(error)) from None
    fits = type(headroom) is int and 0 <= headroom <= MAX_HEADROOM if "load" in about else headroom is None
    if not fits:
        allowed = f"0 to {MAX_HEADROOM}" if "load" in about else "null: its network is in ROMs"
        raise CosimError(f"{path}: headroom {brief(headroom)}; allowed: {allowed}")
    return clock_mhz, baud, headroom
