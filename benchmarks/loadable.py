"""Measures the area of the AXI shell around a small network, with ROMs and as a loadable core; --write: puts it into docs/.

python -m benchmarks.loadable [--write]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from benchmarks.figures.page import table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.axi.loadable import core_description, loadable_stages, loadable_widths
from duospike.cosim.axi.shell import AxiShell, convert_shell, shell_of
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.folder import temporary_folder
from duospike.cosim.synthesis.families import AREA, XCUP
from duospike.cosim.synthesis.report import area_cells
from duospike.cosim.synthesis.synthesize import synthesize
from duospike.cosim.synthesis.yosys import yosys_version
from duospike.reference.network import Neuron
from duospike.reference.training.random_network import random_network

ARCHITECTURE, INPUT, SEED = "8C3-16C3-MP2-FC40", (1, 14, 14), 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    measurement = begin("loadable")
    text = with_comment(measurement, measured())
    print(text)
    if args.write:
        write_section("loadable", text)
    return 0


def measured() -> str:
    """A line for each design."""
    rows = []
    for name, shell in shells():
        with temporary_folder() as folder:
            area = synthesize(convert_shell(shell), folder, XCUP.name).total
        rows.append([name, *area_cells(area)])
    title = f"The whole shell around {ARCHITECTURE} for images of {INPUT[1]} x {INPUT[2]}, 8 lanes, {yosys_version()}"
    return table(title, ["weights", *(XCUP.units[kind] for kind in AREA)], rows)


def shells() -> Iterator[tuple[str, AxiShell]]:
    """The name of each design, and its shell."""
    network = random_network(ARCHITECTURE, input_shape=INPUT, rate=0.1, seed=SEED, neuron=Neuron("subtract", 5, 5))
    sizing, widths = choose_sizing(network), loadable_widths(network, 0)
    stages = plan_stages(network, sizing)
    yield "in ROMs", shell_of(network, stages)
    stages = loadable_stages(stages)
    shell = shell_of(network, stages, core_description(network, sizing, widths, stages))
    yield f"loadable, {shell.load_pieces} words", shell


if __name__ == "__main__":
    sys.exit(main())
