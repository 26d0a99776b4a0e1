"""`duospike cycles`: what the accelerator of a model takes in cycles, by the cycle model, without a simulator."""

from __future__ import annotations

import argparse
import json

from .network_options import (
    add_data_options,
    add_design_options,
    add_folder_option,
    add_model_argument,
    design_of,
    output_place,
    positive,
    say_written,
)
from .progress import counted, steps_shown

DESCRIPTION = """Run the cycle model of the accelerator for MODEL on images that follow each other: busy and stalled cycles of
each stage, the latency of an image and the interval between images, equal to the counters of the hardware with no
tolerance, thousands of times faster than Icarus. The spikes are those of the integer reference. Writes
cycles.json, which the report reads, and, with matplotlib, cycles.svg (what each stage does) and gantt.svg (one image on its
way)."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("cycles", help="cycles of the accelerator by the cycle model", description=DESCRIPTION)
    add_model_argument(parser)
    add_folder_option(parser, "cycles")
    parser.add_argument("--images", type=positive, default=20, metavar="N", help="number of images (default: 20)")
    add_data_options(parser)
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from duospike.cosim.cycles.model import run_model
    from duospike.cosim.cycles.report import make_report, run_line, stage_table
    from duospike.cosim.design.provenance import run_provenance
    from duospike.cosim.folder import output_folder
    from duospike.cosim.pages import plots
    from duospike.reference import golden
    from duospike.reference.files import write_file

    network, sizing, stages, data = design_of(args)
    place = output_place(args)
    with output_folder(place) as folder:
        with steps_shown() as show:
            trace = golden.run(network, data.images, progress=counted(show, "integer reference", len(data.images)))
            cycles = run_model(stages, trace, counted(show, "cycle model", len(data.images)))
        report = run_provenance(network, data.images, args.data, sizing) | make_report(cycles, stages, sizing)
        write_file(folder / "cycles.json", json.dumps(report, indent=2) + "\n")
        if plots.available():
            plots.plot_cycles(cycles.activity, len(cycles.ends), folder / "cycles.svg")
            plots.plot_gantt(cycles.firsts, cycles.lasts, 0, folder / "gantt.svg")
    Console().print(stage_table(report["stages"]))
    print(run_line(report))
    if not plots.available():
        print(plots.MISSING)
    say_written(place)
    return 0
