"""`duospike synth`: the area of a model's accelerator, by Yosys, and its clock, by nextpnr."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .network_options import (
    DATA_HELP,
    add_design_options,
    add_folder_option,
    add_model_argument,
    output_place,
    positive,
    say_written,
    sizing_of,
)
from .progress import steps_shown

DESCRIPTION = """Synthesise the accelerator for MODEL with Yosys and print what each stage and each module takes: LUTs,
flip-flops, carry cells, wide multiplexers, multiplier blocks, LUT RAM and block RAM. A latch, a loop of logic or a net
with several drivers makes it fail. areas.json (the same numbers), netlist.v (the netlist in the family's
cells, weights included) and yosys.log are written to DIR. Areas are those before placement; see docs/explanation/synthesis.md.
With --pnr the accelerator is placed and routed by nextpnr as well, out of context on an LFE5U-85F: its clock, the critical path
by stage and block, images a second and the modelled energy of an image. timing.json (the same), nextpnr.json,
nextpnr.log and flat.log (Yosys' for it) are written, too; see docs/explanation/synthesis.md."""

PNR_OPTIONS = ("speed", "clock", "seed", "data", "images")
DATA, IMAGES = "fashion-mnist", 20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "synth", help="area and clock of the accelerator, by Yosys and nextpnr", description=DESCRIPTION
    )
    add_model_argument(parser)
    add_folder_option(parser, "synth")
    parser.add_argument(
        "--family", choices=["xcup", "ecp5"], default="xcup", help="FPGA: AMD UltraScale+ or Lattice ECP5 (default: xcup)"
    )
    parser.add_argument(
        "--multipliers", choices=["dsp", "lut"], default="dsp", help="what multiplies in the dense core (default: dsp)"
    )
    add_design_options(parser)
    parser.add_argument("--pnr", action="store_true", help="place and route, too; with --family ecp5")
    pnr = parser.add_argument_group("options of --pnr")
    pnr.add_argument("--speed", type=int, choices=[6, 7, 8], help="speed grade of the device (default: 6, the slowest)")
    pnr.add_argument("--clock", type=positive, metavar="MHZ", help="target clock (default: 100)")
    pnr.add_argument("--seed", type=positive, metavar="N", help="seed of the placement (default: 1)")
    pnr.add_argument("--data", metavar="DATA", help=f"images for the cycle model: {DATA_HELP}")
    pnr.add_argument("--images", type=positive, metavar="N", help="number of images (default: 20)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from duospike.cosim.design.build import convert_stages
    from duospike.cosim.design.plan import plan_stages
    from duospike.cosim.design.provenance import design_provenance, run_provenance
    from duospike.cosim.energy.image_costs import image_costs
    from duospike.cosim.folder import output_folder, temporary_folder
    from duospike.cosim.synthesis.report import area_table, make_report, module_rows, stage_rows, units_line
    from duospike.cosim.synthesis.synthesize import synthesize
    from duospike.cosim.timing.report import ends_table, timing_lines
    from duospike.reference.data.datasets import load
    from duospike.reference.files import write_file
    from duospike.reference.modelfile import load_model

    check_options(args)
    network = load_model(args.model)
    sizing = sizing_of(network, args)
    stages = plan_stages(network, sizing)
    place = output_place(args)
    with output_folder(place) as folder, temporary_folder() as work, steps_shown() as show:
        if args.pnr:
            show("integer reference and cycle model")
            images = load(args.data or DATA, network, args.images or IMAGES).images
            costs = image_costs(network, stages, images)
        show("conversion to verilog")
        modules = convert_stages(stages)
        synthesis = synthesize(modules, work, args.family, args.multipliers, show)
        report = design_provenance(network, sizing) | make_report(synthesis)
        files = {"areas.json": report, "netlist.v": synthesis.netlist, "yosys.log": synthesis.log}
        if args.pnr:
            timing, others = place_and_time(modules, costs, work, args, show)
            origin = run_provenance(network, images, args.data or DATA, sizing)
            files |= {"timing.json": origin | {"yosys": synthesis.yosys} | timing, **others}
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
            write_file(folder / name, text)
    console = Console()
    console.print(area_table(["module", "in", "times"], module_rows(synthesis)))
    console.print(area_table(["stage", "block"], stage_rows(synthesis)))
    print(f"units of {args.family}: {units_line(synthesis.family)}")
    print(f"{synthesis.yosys}, multipliers in {args.multipliers}; areas of a module are those of one instance, before placement")
    if args.pnr:
        console.print(ends_table(timing))
        print("\n".join(timing_lines(timing)))
    say_written(place)
    return 0


def check_options(args: argparse.Namespace) -> None:
    """CosimError for --pnr with a family that it does not know, for its options without it, and where nextpnr is missing."""
    from duospike.cosim.errors import CosimError
    from duospike.cosim.timing.place_route import nextpnr_version

    given = [f"--{name}" for name in PNR_OPTIONS if getattr(args, name) is not None]
    if given and not args.pnr:
        raise CosimError(f"{', '.join(given)} without --pnr: areas know nothing of it")
    if args.pnr and args.family != "ecp5":
        raise CosimError(f"--pnr with family {args.family}: there is no open placer for it; allowed: --family ecp5")
    if args.pnr:
        nextpnr_version()


def place_and_time(modules, costs, work: Path, args: argparse.Namespace, progress) -> tuple[dict, dict]:
    """Place and route converted modules: the content of timing.json, and the other files by name."""
    from duospike.cosim.timing.place_route import REPORT, Target, flat_netlist, place_and_route
    from duospike.cosim.timing.report import make_report

    progress("flat netlist by Yosys")
    log = flat_netlist(modules, work, args.multipliers)
    standard = Target()
    target = Target(args.speed or standard.speed, args.clock or standard.clock_mhz, args.seed or standard.seed)
    placement = place_and_route(work, target, progress)
    files = {"flat.log": log, "nextpnr.log": placement.log, REPORT: json.dumps(placement.report) + "\n"}
    return {"multipliers": args.multipliers} | make_report(placement, modules, costs), files
