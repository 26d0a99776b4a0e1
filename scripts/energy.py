"""`duospike energy`: the modelled energy of an image in a model's accelerator."""

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
from .progress import steps_shown

DESCRIPTION = """Count what the accelerator for MODEL does for images: weights read, additions, products, accesses of its
memories; and cost it with published coefficients for each operation and width. Joules are modelled, of a 45 nm process:
trust ratios, not joules. Compares with the float twin of the same spikes, and shows how far that depends on each coefficient.
With --clock the accelerator is synthesised, too, for the static power of its area, a bound of its clock and registers, and what
an FPGA's published figures make of it. What is counted and what is not:
docs/explanation/energy.md. Writes energy.json, which the report reads."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("energy", help="modelled energy of an image", description=DESCRIPTION)
    add_model_argument(parser)
    add_folder_option(parser, "energy")
    parser.add_argument("--images", type=positive, default=20, metavar="N", help="number of images (default: 20)")
    clock_help = "add what leaks from the synthesised area at this clock, and a bound of the clock's energy"
    parser.add_argument("--clock", type=positive, metavar="MHZ", help=clock_help)
    add_data_options(parser)
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from duospike.cosim.cycles.model import run_model
    from duospike.cosim.design.provenance import run_provenance
    from duospike.cosim.energy.model import Coefficients, count_operations
    from duospike.cosim.energy.report import energy_lines, energy_table, fabric_report, make_report, static_report
    from duospike.cosim.folder import output_folder
    from duospike.cosim.synthesis.stage_areas import stage_areas
    from duospike.reference import golden
    from duospike.reference.files import write_file

    network, sizing, stages, data = design_of(args)
    place = output_place(args)
    with output_folder(place) as folder:
        with steps_shown() as show:
            show("integer reference and cycle model")
            trace = golden.run(network, data.images)
            cycles = run_model(stages, trace)
            done = count_operations(network, stages, cycles.activity, trace)
            about = run_provenance(network, data.images, args.data, sizing)
            report = about | make_report(done, len(data.images), Coefficients())
            if args.clock:
                areas = stage_areas(stages, show)
                interval = cycles.interval() or cycles.cycles
                report["static"] = static_report(areas, interval, args.clock)
                report["fabric"] = fabric_report(done, areas, interval, len(data.images))
        write_file(folder / "energy.json", json.dumps(report, indent=2) + "\n")
    Console().print(energy_table(report))
    print("\n".join(energy_lines(report)))
    say_written(place)
    return 0
