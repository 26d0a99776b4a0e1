"""Area of the AXI shell around a network, synthesised by Yosys: with ROMs, and as a loadable core.

.venv/bin/python -m benchmarks.loadable MODEL [FAMILY]
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from duospike.cosim.axi.loadable import core_description, loadable_stages, loadable_widths
from duospike.cosim.axi.shell import convert_shell, shell_of
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.folder import temporary_folder
from duospike.cosim.synthesis.synthesize import Area, synthesize
from duospike.reference.modelfile import load_model


def shells(model: Path):
    """The name of each design, and its AxiShell."""
    network = load_model(model)
    sizing, widths = choose_sizing(network), loadable_widths(network, 0)
    stages = plan_stages(network, sizing)
    yield "ROMs", shell_of(network, stages)
    stages = loadable_stages(stages)
    core = core_description(network, sizing, widths, stages)
    shell = shell_of(network, stages, core)
    yield f"loadable, {shell.load_pieces} words", shell


def main(model: Path, family: str = "xcup") -> None:
    """Print a table of Markdown."""
    kinds = list(asdict(Area()))
    print(f"| {family} | {' | '.join(kinds)} |\n|---|{'---|' * len(kinds)}")
    for name, shell in shells(model):
        with temporary_folder() as folder:
            area = synthesize(convert_shell(shell), folder, family).total
        print(f"| {name} | {' | '.join(f'{number:g}' for number in asdict(area).values())} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
