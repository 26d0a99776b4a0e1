"""`duospike cosim`: run a model's accelerator in a simulator and compare every spike with the reference."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .network_options import add_data_options, add_design_options, design_of, positive

DESCRIPTION = """Convert the accelerator for MODEL, run images through it in a simulator, and compare the spikes of every
stage, timestep and neuron, the class counts and the class with the integer reference. Prints a table of the stages and
writes DIR/report.json beside the files of the run. The first difference, an unknown bit or a missing beat makes it
fail."""
SIMULATOR_HELP = "icarus or verilator for Verilog, ghdl for VHDL (default: icarus)"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("cosim", help="run the accelerator in a simulator and compare", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; a new, empty or earlier one")
    parser.add_argument("--images", type=positive, default=2, metavar="N", help="number of images (default: 2)")
    add_data_options(parser)
    parser.add_argument("--simulator", choices=["icarus", "verilator", "ghdl"], default="icarus", help=SIMULATOR_HELP)
    parser.add_argument("--waves", action="store_true", help="also write waves.fst and waves.gtkw for GTKWave")
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from cosim.folder import output_folder
    from cosim.network_run import run_network
    from cosim.report import image_lines, make_report, stage_table, throughput_line
    from cosim.waves import SAVE_FILE, save_file

    network, _, stages, data = design_of(args)
    console = Console(stderr=True)
    with output_folder(args.out) as folder:
        with console.status("starting") as status:
            finished = run_network(
                network, stages, data.images, folder, simulator=args.simulator, waves=args.waves, progress=status.update
            )
        report = make_report(finished, data.labels, args.simulator)
        (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
        if args.waves:
            (folder / SAVE_FILE).write_text(save_file(finished.bench))
    if report["fault"] is None:
        Console().print(stage_table(report))
        print("\n".join([*image_lines(report), throughput_line(report)]))
    if finished.mismatch is not None:
        print(f"NOT EQUAL: {finished.mismatch}" + (f" ({report['fault']})" if report["fault"] else ""))
        return 1
    values = sum(spikes.size for spikes in finished.trace.spikes.values())
    spikes = sum(int(spikes.sum()) for spikes in finished.trace.spikes.values())
    print(f"bit-exact in {args.simulator}: {values} neuron outputs, {spikes} of them spikes, all class counts and classes")
    return 0
