"""`duospike synth`: the area of a model's accelerator, by Yosys."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from pathlib import Path

from .network_options import add_design_options, sizing_of

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
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from tempfile import TemporaryDirectory

    from rich.console import Console

    from cosim.folder import output_folder
    from cosim.network_run import convert_stages
    from cosim.origin import design_origin
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
        if folder:
            report = design_origin(network, sizing) | make_report(synthesis)
            (folder / "areas.json").write_text(json.dumps(report, indent=2) + "\n")
            (folder / "netlist.v").write_text(synthesis.netlist)
            (folder / "yosys.log").write_text(synthesis.log)
    console = Console()
    console.print(area_table(["module", "in", "times"], module_rows(synthesis)))
    console.print(area_table(["stage", "block"], stage_rows(synthesis)))
    print(f"units of {args.family}: {units_line(synthesis.family)}")
    print(f"{synthesis.yosys}, multipliers in {args.multipliers}; areas of a module are those of one instance, before placement")
    return 0
