"""`duospike cosim`: run a model's accelerator in a simulator and compare every spike with the reference."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from .network_options import (
    add_data_options,
    add_design_options,
    add_folder_option,
    add_model_argument,
    add_renamed_option,
    add_worker_options,
    design_of,
    output_place,
    positive,
    say_written,
)
from .progress import steps_shown

DESCRIPTION = """Convert the accelerator for MODEL, run images through it in a simulator, and compare the spikes of every
stage, timestep and neuron, the scores and the class with the integer reference. Prints a table of the stages and
writes DIR/report.json beside the files of the run. The first difference, an unknown bit or a missing beat makes it
fail. With --batch several simulations run side by side, as tasks of Dask's distributed; the report does not depend on which
worker ran which part, and of a worker that is lost only the part that it was running begins again."""
BATCH_HELP = "images of a simulation: several run side by side, each in a folder of its own (default: all in one simulation)"
SIMULATOR_HELP = "icarus or verilator for Verilog, ghdl for VHDL (default: icarus)"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("cosim", help="run the accelerator in a simulator and compare", description=DESCRIPTION)
    add_model_argument(parser)
    add_folder_option(parser, "cosim")
    parser.add_argument("--images", type=positive, default=2, metavar="N", help="number of images (default: 2)")
    add_data_options(parser, with_labels=True)
    parser.add_argument("--simulator", choices=["icarus", "verilator", "ghdl"], default="icarus", help=SIMULATOR_HELP)
    parser.add_argument("--batch", type=positive, metavar="N", help=BATCH_HELP)
    add_renamed_option(parser, "--part", "--batch")
    add_worker_options(parser, "simulations")
    parser.add_argument("--waves", action="store_true", help="also write waves.fst and waves.gtkw for GTKWave")
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from duospike.cosim.folder import output_folder
    from duospike.cosim.simulation.compare import Mismatch
    from duospike.cosim.simulation.report import image_lines, stage_table, throughput_line, write_report
    from duospike.reference.errors import InputError

    if args.waves and args.batch:
        raise InputError("--waves with --batch; allowed: one of them")
    network, sizing, stages, data = design_of(args)
    place = output_place(args)
    with output_folder(place) as folder:
        found = run_batches(args, sizing, data, folder) if args.batch else run_whole(args, network, stages, data, folder)
        report = write_report(folder, found, network=network, images=data.images, source=args.data, sizing=sizing)
    if report["fault"] is None:
        Console().print(stage_table(report))
        print("\n".join([*image_lines(report), throughput_line(report)]))
    if report["mismatch"] is not None:
        say_written(place)
        print(f"NOT EQUAL: {Mismatch(**report['mismatch'])}" + (f" ({report['fault']})" if report["fault"] else ""))
        return 1
    spikes = sum(stage["spikes"] or 0 for stage in report["stages"])
    values = report["compared"]
    print(f"bit-exact in {args.simulator}: {values} neuron outputs, {spikes} of them spikes, all scores and classes")
    say_written(place)
    return 0


def run_whole(args: argparse.Namespace, network, stages, data, folder: Path) -> dict:
    """Run all images in one simulation."""
    from duospike.cosim.simulation.network_run import run_network
    from duospike.cosim.simulation.report import make_report
    from duospike.cosim.simulation.waves import SAVE_FILE, save_file
    from duospike.reference.files import write_file

    with steps_shown() as show:
        finished = run_network(network, stages, data.images, folder, simulator=args.simulator, waves=args.waves, progress=show)
    if args.waves:
        write_file(folder / SAVE_FILE, save_file(finished.bench))
    return make_report(finished, data.labels, args.simulator)


def run_batches(args: argparse.Namespace, sizing, data, folder: Path) -> dict:
    """Run --batch images in a simulation, and the simulations on workers."""
    from duospike.cosim.cluster import cluster, run_tasks
    from duospike.cosim.simulation.batches import batch_folder, join_reports, run_batch
    from duospike.reference.modelfile import find_model

    # A worker may have another current folder.
    model, tasks = find_model(args.model).resolve(), {}
    for number, start in enumerate(range(0, len(data.images), args.batch)):
        some = slice(start, start + args.batch)
        labels = None if data.labels is None else data.labels[some]
        place = batch_folder(folder, number)
        tasks[place.name] = (model, sizing, data.images[some], labels, args.simulator, place)
    with cluster(min(args.workers, len(tasks)), args.scheduler) as client:
        reports = dict(run_tasks(client, run_batch, tasks, partial(print, flush=True)))
    return join_reports([reports[name] for name in tasks])
