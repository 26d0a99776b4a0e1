"""`duospike cycles`: what the accelerator of a model takes in cycles, by the cycle model, without a simulator."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

from .network_options import add_data_options, add_design_options, add_model_argument, design_of, positive

DESCRIPTION = """Run the cycle model of the accelerator for MODEL on images that follow each other: busy and stalled cycles of
each stage, the latency of an image and the interval between images, equal to the counters of the hardware with no
tolerance, thousands of times faster than Icarus. The spikes are those of the integer reference. With --out writes
cycles.json and, with matplotlib, cycles.svg (what each stage does) and gantt.svg (one image on its way)."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("cycles", help="cycles of the accelerator by the cycle model", description=DESCRIPTION)
    add_model_argument(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write; a new, empty or earlier one")
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
    with output_folder(args.out) if args.out else nullcontext() as folder:
        with Console(stderr=True).status("integer reference") as status:

            def progress(step: str):
                return lambda images: status.update(f"{step}: {images} of {len(data.images)} images")

            trace = golden.run(network, data.images, progress=progress("integer reference"))
            cycles = run_model(stages, trace, progress("cycle model"))
        report = run_provenance(network, data.images, args.data, sizing) | make_report(cycles, stages, sizing)
        if folder:
            write_file(folder / "cycles.json", json.dumps(report, indent=2) + "\n")
            if plots.available():
                plots.plot_cycles(cycles.activity, len(cycles.ends), folder / "cycles.svg")
                plots.plot_gantt(cycles.firsts, cycles.lasts, 0, folder / "gantt.svg")
    Console().print(stage_table(report["stages"]))
    print(run_line(report))
    if folder and not plots.available():
        print(plots.MISSING)
    return 0
