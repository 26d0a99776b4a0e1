"""A routed design as Verilog that simulators take: nextpnr's netlist and models of its cells.

The models are those of Yosys' ecp5/cells_sim.v, which cell_models() corrects, and for the cells of which Yosys has only the ports
(PLL, clock buffer, block RAM, multiplier, write port of LUT RAM) those of templates/cells.v.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from duospike.cosim.conversion.convert import Module
from duospike.cosim.errors import CosimError
from duospike.cosim.synthesis.cell_models import cell_models
from duospike.cosim.synthesis.yosys import run_yosys
from duospike.cosim.templates import fill
from duospike.reference.files import write_file

from .bitstream import ROUTED, BoardDesign
from .top import TOP

MODELS = "ecp5/cells_sim.v"
BLOCK_RAM_PORTS = r"\(\* blackbox \*\)\s*module DP16KD\(.*?endmodule"
"""The cell in Yosys' models, which has ports alone."""
LOW = {"TRELLIS_FF": ("LSR",)}
"""Inputs that are low where they lead nowhere; all others are high then, as in the device."""
PADS = {"INPUT": ("PAD_IN", ("B", "O")), "OUTPUT": ("PAD_OUT", ("B", "I"))}
"""Models of pads by their direction, and the pins that they have."""
UNUSED = ("MULT18X18D", "DP16KD")
"""Cells whose constant inputs are parameters, A10MUX and so on, which their models do not have."""
INITIAL = re.compile(r"INITVAL_[0-9A-F]{2}")
BLOCK_RAM_WIDTHS = (9, 18, 36)
BLOCK_RAM = {"REGMODE_A": ("NOREG",), "REGMODE_B": ("NOREG",), "WRITEMODE_A": ("NORMAL",), "WRITEMODE_B": ("NORMAL",)}
"""Settings of block RAMs that are modelled."""


def cells(routed: bool) -> Module:
    """Models of the device's cells; without `routed` only of those that a design has before it is mapped."""
    own = fill("duospike.cosim.board", "cells.v", routed=routed)
    if not routed:
        return Module("cells", "cells.v", own, (), ())
    text, count = re.subn(BLOCK_RAM_PORTS, "", cell_models(MODELS).text, flags=re.DOTALL)
    if count != 1:
        raise CosimError(f"Yosys' {MODELS} is another one than {__name__} expects: {BLOCK_RAM_PORTS}")
    return Module("cells", "cells.v", text + own, (), ())


def design_modules(design: BoardDesign) -> tuple[Module, ...]:
    """The design before it is mapped, ready for a simulation, the top last."""
    return (cells(routed=False), *design.modules)


def routed_modules(folder: Path) -> tuple[Module, ...]:
    """The routed design of a folder, ready for a simulation; its top has the name and the ports of the design's."""
    return (cells(routed=True), Module(TOP, f"{TOP}.v", netlist_text(json.loads((folder / ROUTED).read_text()), folder), (), ()))


def netlist_text(netlist: dict[str, Any], folder: Path) -> str:
    """Verilog of what nextpnr has written; CosimError for a cell whose setting has no model. folder: for work files."""
    [top] = netlist["modules"].values()
    top["cells"] = {name: _for_models(name, cell) for name, cell in top["cells"].items() if not _is_place(cell)}
    write_file(folder / "simulated.json", json.dumps({**netlist, "modules": {TOP: top}}))
    run_yosys(["read_json simulated.json", "write_verilog -noattr simulated.v"], folder, "simulated")
    return (folder / "simulated.v").read_text()


def _is_place(cell: dict[str, Any]) -> bool:
    """Whether a cell only keeps a place free."""
    return cell["type"] == "TRELLIS_COMB" and cell["parameters"].get("MODE") == "RAMW_BLOCK"


def _for_models(name: str, cell: dict[str, Any]) -> dict[str, Any]:
    """The cell with a value at each input that leads nowhere, and without the parameters that its model lacks."""
    if cell["type"] == "TRELLIS_IO":
        return _pad(cell)
    kind, parameters, pins = cell["type"], dict(cell["parameters"]), dict(cell["connections"])
    inputs = [pin for pin, direction in cell["port_directions"].items() if direction == "input"]
    if kind == "TRELLIS_FF" and parameters.pop("SD", "1").strip() == "0":
        # The data come in at another pin.
        pins["DI"] = pins.pop("M")
        inputs = [pin for pin in inputs if pin != "M"] + ["DI"]
        cell = cell | {"port_directions": {k: v for k, v in cell["port_directions"].items() if k != "M"} | {"DI": "input"}}
    for pin in inputs:
        wired, chosen = pins.get(pin), parameters.get(f"{pin}MUX", pin).strip()
        if not wired:
            inverted = chosen == "INV" and kind in UNUSED
            low = chosen == "0" or inverted or pin in LOW.get(kind, ())
            pins[pin] = ["0" if low else "1"]
        elif chosen == "INV" and kind in UNUSED:
            raise CosimError(f"cell {name}: {pin} is inverted, for which the model of {kind} has no parameter")
    if kind in UNUSED:
        parameters = {key: value for key, value in parameters.items() if not key.endswith("MUX")}
    parameters.pop("WCKMUX", None)
    if kind == "TRELLIS_COMB" and cell["connections"].get("FXA"):
        # nextpnr says by the place alone that the multiplexer of a cell is one of six inputs.
        parameters["IS_Z1"] = "1"
    if kind == "DP16KD":
        _check_block_ram(name, parameters)
    unknown = {"TRELLIS_COMB": ("DI0", "DI1"), "MULT18X18D": tuple(pin for pin in pins if re.match("C[0-9]|SR|RO", pin))}
    pins = {pin: bits for pin, bits in pins.items() if bits and pin not in unknown.get(kind, ())}
    directions = {pin: direction for pin, direction in cell["port_directions"].items() if pin in pins}
    return cell | {"parameters": parameters, "connections": pins, "port_directions": directions}


def _pad(cell: dict[str, Any]) -> dict[str, Any]:
    kind, used = PADS[cell["parameters"]["DIR"]]
    directions = {"B": "input" if kind == "PAD_IN" else "output", "O": "output", "I": "input"}
    pins = {pin: cell["connections"][pin] for pin in used}
    return cell | {"type": kind, "parameters": {}, "connections": pins, "port_directions": {pin: directions[pin] for pin in used}}


def _check_block_ram(name: str, parameters: dict[str, str]) -> None:
    for side in "AB":
        width = int(parameters[f"DATA_WIDTH_{side}"], 2)
        if width not in BLOCK_RAM_WIDTHS:
            raise CosimError(f"cell {name}: a block RAM of {width} bits; modelled: {', '.join(map(str, BLOCK_RAM_WIDTHS))}")
    for key, allowed in BLOCK_RAM.items():
        if parameters.get(key, allowed[0]) not in allowed:
            raise CosimError(f"cell {name}: {key} {parameters[key]}; modelled: {', '.join(allowed)}")
