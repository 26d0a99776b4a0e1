"""`duospike synth`: the area of a model's accelerator, by Yosys."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path

from .network_options import add_design_options, positive, sizing_of

DESCRIPTION = """Synthesise the accelerator for MODEL with Yosys and print what each stage and each module takes: LUTs,
flip-flops, carry cells, wide multiplexers, multiplier blocks, LUT RAM and block RAM. A latch, a loop of logic or a net
with several drivers makes it fail. With --out, areas.json (the same numbers), netlist.v (the netlist in the family's
cells, weights included) and yosys.log are written to DIR. Areas are those before placement; see docs/synthesis.md."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("synth", help="area of the accelerator, synthesised by Yosys", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write; a new, empty or earlier one")
    parser.add_argument(
        "--family", choices=["xcup", "ecp5"], default="xcup", help="FPGA: AMD UltraScale+ or Lattice ECP5 (default: xcup)"
    )
    parser.add_argument(
        "--multipliers", choices=["dsp", "lut"], default="dsp", help="what multiplies in the dense core (default: dsp)"
    )
    parser.add_argument("--pnr", action="store_true", help="place and route the design as well, for an ECP5-85F")
    parser.add_argument("--speed", type=int, choices=[6, 7, 8], help="speed grade of --pnr (default: 6)")
    parser.add_argument("--clock", type=positive, metavar="MHZ", help="clock that --pnr aims at (default: 100)")
    parser.add_argument("--seed", type=positive, metavar="N", help="seed of --pnr (default: 1)")
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from cosim import timing_report
    from cosim.folder import output_folder
    from cosim.network_run import convert_stages
    from cosim.origin import design_origin
    from cosim.place_route import Target, flat_netlist, place_and_route
    from cosim.plan import plan_stages
    from cosim.synthesis import synthesize
    from cosim.synthesis_report import area_table, make_report, module_rows, stage_rows, units_line
    from reference.modelfile import load_model

    network = load_model(args.model)
    sizing = sizing_of(network, args)
    stages = plan_stages(network, sizing)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(args.out)) if args.out else None
        work = Path(stack.enter_context(TemporaryDirectory()))
        with Console(stderr=True).status("conversion to verilog") as status:
            modules = convert_stages(stages)
            synthesis = synthesize(modules, work, args.family, args.multipliers, status.update)
            if args.pnr:
                status.update("flat netlist")
                flat_log = flat_netlist(modules, work, args.multipliers)
                status.update("placement and routing")
                placement = place_and_route(work, Target(args.speed or 6, args.clock or 100, args.seed or 1))
                timing = timing_report.make_report(placement, modules)
        if folder:
            report = design_origin(network, sizing) | make_report(synthesis)
            (folder / "areas.json").write_text(json.dumps(report, indent=2) + "\n")
            (folder / "netlist.v").write_text(synthesis.netlist)
            (folder / "yosys.log").write_text(synthesis.log)
            if args.pnr:
                timing = design_origin(network, sizing) | {"yosys": synthesis.yosys} | timing
                (folder / "timing.json").write_text(json.dumps(timing, indent=2) + "\n")
                (folder / "yosys-flat.log").write_text(flat_log)
                (folder / "nextpnr.log").write_text(placement.log)
                (folder / "nextpnr.json").write_text(json.dumps(placement.report) + "\n")
    console = Console()
    console.print(area_table(["module", "in", "times"], module_rows(synthesis)))
    console.print(area_table(["stage", "block"], stage_rows(synthesis)))
    print(f"units of {args.family}: {units_line(synthesis.family)}")
    print(f"{synthesis.yosys}, multipliers in {args.multipliers}; areas of a module are those of one instance, before placement")
    if args.pnr:
        print(timing_report.utilization_line(timing))
        print("\n".join(timing_report.path_lines(timing)))
        console.print(timing_report.ends_table(timing))
    return 0
