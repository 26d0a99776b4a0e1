"""Measures the areas of the shipped network, prints them, and with --write puts them into docs/.

python -m benchmarks.synthesis [--write]
"""

from __future__ import annotations

import argparse
import resource
import sys

from benchmarks.figures.page import ROOT, machine, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.design.build import convert_stages
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.folder import temporary_folder
from duospike.cosim.synthesis.families import AREA, FAMILIES
from duospike.cosim.synthesis.report import Rows, area_cells, module_rows, stage_rows
from duospike.cosim.synthesis.synthesize import Synthesis, synthesize
from duospike.cosim.synthesis.yosys import yosys_version
from duospike.reference.modelfile import load_model

MODEL = "models/fashion-small.safetensors"
RUNS = (("xcup", "dsp"), ("xcup", "lut"), ("ecp5", "dsp"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    measurement = begin("synthesis")
    network = load_model(ROOT / MODEL)
    modules = convert_stages(plan_stages(network, choose_sizing(network)))
    sections = [_section(modules, *run) for run in RUNS]
    text = with_comment(measurement, "\n\n".join([f"{yosys_version()}, {machine()}.", *sections]))
    print(text)
    if args.write:
        write_section("synthesis", text)
    return 0


def _section(modules, family: str, multipliers: str) -> str:
    """Tables of one run, with the command that gives them and the time that Yosys took."""
    before = _processor_seconds()
    with temporary_folder() as folder:
        synthesis = synthesize(modules, folder, family, multipliers)
    processor = _processor_seconds() - before
    command = f"`duospike synth {MODEL} --family {family} --multipliers {multipliers}`"
    title = f"{command}: {processor:.0f} s of processor time in Yosys."
    tables = [_table(["stage", "block"], stage_rows(synthesis), synthesis)]
    if (family, multipliers) == RUNS[0]:
        tables.append(_table(["module", "in", "times"], module_rows(synthesis), synthesis))
    return "\n\n".join([title, *tables])


def _processor_seconds() -> float:
    """Processor time of the programs run so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _table(titles: list[str], rows: Rows, synthesis: Synthesis) -> str:
    columns = [*titles, *(FAMILIES[synthesis.family.name].units[kind] for kind in AREA)]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(titles) + "---:|" * len(AREA)]
    return "\n".join(lines + ["| " + " | ".join([*texts, *area_cells(area)]) + " |" for texts, area in rows])


if __name__ == "__main__":
    sys.exit(main())
