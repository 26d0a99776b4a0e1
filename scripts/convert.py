"""`duospike convert`: a model file to Verilog."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import add_design_options, sizing_of

DESCRIPTION = """Write the accelerator for MODEL to the folder DIR: hierarchical Verilog or VHDL (one module for each block
type and parameter set), weights, biases and thresholds as hex files that serve both, accelerator.f (file list),
accelerator.core (for FuseSoC), verilator.f and waivers.vlt (lint of the Verilog), manifest.json (versions, lanes, hashes).
Simulate or synthesise it with DIR as the working directory, where the hex files are. The same input gives the same bytes."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("convert", help="write the accelerator as Verilog or VHDL", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; a new, empty or earlier one")
    parser.add_argument(
        "--language", choices=["verilog", "vhdl"], default="verilog", help="Verilog-2005 or VHDL-2008 (default: verilog)"
    )
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from cosim.folder import output_folder
    from cosim.hdl_folder import TOP, write_hdl
    from cosim.network_run import convert_stages
    from cosim.plan import plan_stages
    from reference.modelfile import load_model

    network = load_model(args.model)
    sizing = sizing_of(network, args)
    stages = plan_stages(network, sizing)
    with output_folder(args.out) as folder:
        modules = convert_stages(stages, args.language)
        write_hdl(network, sizing, stages, modules, folder, args.language)
    print(f"{args.out}: {len(modules)} modules, top {TOP}, lanes {', '.join(f'{k}={v}' for k, v in sizing.lanes.items())}")
    return 0
