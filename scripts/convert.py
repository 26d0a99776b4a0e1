"""`duospike convert`: a model file to Verilog."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import add_design_options, sizing_of

DESCRIPTION = """Write the accelerator for MODEL to the folder DIR: hierarchical Verilog or VHDL (one module for each block
type and parameter set), weights, biases and thresholds as hex files that serve both, accelerator.f (file list),
accelerator.core (for FuseSoC), verilator.f and waivers.vlt (lint of the Verilog), manifest.json (versions, lanes, hashes).
Simulate or synthesise it with DIR as the working directory, where the hex files are. The same input gives the same bytes.
With --axi the top is axi_shell: the accelerator behind AXI4-Stream and AXI4-Lite, with registers.md, registers.h and
registers.json (its registers), driver.py (for PYNQ), package_ip.tcl (packages it as an IP in Vivado) and clock.xdc."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("convert", help="write the accelerator as Verilog or VHDL", description=DESCRIPTION)
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write; a new, empty or earlier one")
    parser.add_argument(
        "--language", choices=["verilog", "vhdl"], default="verilog", help="Verilog-2005 or VHDL-2008 (default: verilog)"
    )
    parser.add_argument("--axi", action="store_true", help="put the accelerator behind AXI4-Stream and AXI4-Lite")
    parser.add_argument(
        "--clock", type=megahertz, metavar="MHZ", help="clock that the constraints ask for, with --axi (default: 100)"
    )
    add_design_options(parser)
    parser.set_defaults(func=run)


def megahertz(text: str) -> float:
    """Parse a clock rate."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a clock rate of 1 to 1000 MHz")
    return value


def run(args: argparse.Namespace) -> int:
    from cosim.folder import output_folder
    from cosim.hdl_folder import write_hdl
    from cosim.network_run import convert_stages
    from cosim.plan import plan_stages
    from reference.errors import InputError
    from reference.modelfile import load_model

    if args.clock is not None and not args.axi:
        raise InputError("--clock needs --axi: the accelerator alone comes without constraints")
    network = load_model(args.model)
    sizing = sizing_of(network, args)
    stages = plan_stages(network, sizing)
    with output_folder(args.out) as folder:
        if args.axi:
            modules = write_shell(network, sizing, stages, folder, args)
        else:
            modules = convert_stages(stages, args.language)
            write_hdl(network, sizing, stages, modules, folder, args.language)
    lanes = ", ".join(f"{layer}={lanes}" for layer, lanes in sizing.lanes.items())
    print(f"{args.out}: {len(modules)} modules, top {modules[-1].name}, lanes {lanes}")
    return 0


def write_shell(network, sizing, stages, folder: Path, args: argparse.Namespace):
    """Write the accelerator with its AXI shell; returns the modules."""
    from cosim.axi_design import convert_shell, shell_of
    from cosim.axi_folder import DEFAULT_MHZ, WAIVERS, axi_files
    from cosim.hdl_folder import write_hdl

    shell = shell_of(network, stages)
    modules = convert_shell(shell, args.language)
    others = axi_files(network, stages, shell, modules, args.language, args.clock or DEFAULT_MHZ)
    write_hdl(network, sizing, stages, modules, folder, args.language, others, WAIVERS)
    return modules
