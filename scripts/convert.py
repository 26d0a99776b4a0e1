"""`duospike convert`: a model file to Verilog."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import add_design_options, add_folder_option, add_model_argument, output_place, say_written, sizing_of
from .progress import steps_shown

DESCRIPTION = """Write the accelerator for MODEL to the folder DIR: hierarchical Verilog or VHDL (one module for each block
type and parameter set), weights, biases and thresholds as hex files that serve both, accelerator.f (file list),
accelerator.core (for FuseSoC), verilator.f and waivers.vlt (lint of the Verilog), manifest.json (versions, lanes, hashes).
Simulate or synthesise it with DIR as the working directory, where the hex files are. The same input gives the same bytes.
With --axi the top is axi_shell: the accelerator behind AXI4-Stream and AXI4-Lite, with registers.md, registers.h and
registers.json (its registers), driver.py (for PYNQ), package_ip.tcl (packages it as an IP in Vivado) and clock.xdc.
With --axi --loadable weights, biases and thresholds lie in memories that a host fills through AXI4-Lite, and no hex files hold
them: the core runs any network of its shape whose numbers fit its widths; weights.bin is MODEL for it, pack makes others."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("convert", help="write the accelerator as Verilog or VHDL", description=DESCRIPTION)
    add_model_argument(parser)
    add_folder_option(parser, "convert")
    parser.add_argument(
        "--language", choices=["verilog", "vhdl"], default="verilog", help="Verilog-2005 or VHDL-2008 (default: verilog)"
    )
    parser.add_argument("--axi", action="store_true", help="put the accelerator behind AXI4-Stream and AXI4-Lite")
    parser.add_argument(
        "--clock", type=megahertz, metavar="MHZ", help="clock that the constraints ask for, with --axi (default: 100)"
    )
    parser.add_argument("--loadable", action="store_true", help="a core whose network is loaded at run time, with --axi")
    parser.add_argument(
        "--headroom", type=spare_bits, metavar="N",
        help="with --loadable: bits of currents, potentials and thresholds beyond those that MODEL needs (default: 0)",
    )  # fmt: skip
    add_design_options(parser)
    parser.set_defaults(func=run)


def spare_bits(text: str) -> int:
    """Parse a number of spare bits."""
    from duospike.cosim.axi.loadable import MAX_HEADROOM

    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= MAX_HEADROOM:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bits of 0 to {MAX_HEADROOM}")
    return value


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
    from duospike.cosim.design.hdl_folder import write_accelerator
    from duospike.cosim.folder import output_folder
    from duospike.reference.errors import InputError
    from duospike.reference.modelfile import load_model

    if args.clock is not None and not args.axi:
        raise InputError("--clock needs --axi: the accelerator alone comes without constraints")
    if args.loadable and not args.axi:
        raise InputError("--loadable needs --axi: the network comes through the AXI shell")
    if args.headroom is not None and not args.loadable:
        raise InputError("--headroom needs --loadable: a network in ROMs has the widths that it needs")
    network = load_model(args.model)
    sizing = sizing_of(network, args)
    place = output_place(args)
    with output_folder(place) as folder, steps_shown() as show:
        show(f"conversion to {args.language}")
        if args.axi:
            modules = write_shell(network, sizing, folder, args)
        else:
            modules = write_accelerator(network, sizing, folder, args.language)
    lanes = ", ".join(f"{layer}={lanes}" for layer, lanes in sizing.lanes.items())
    print(f"{len(modules)} modules, top {modules[-1].name}, lanes {lanes}")
    say_written(place)
    return 0


def write_shell(network, sizing, folder: Path, args: argparse.Namespace):
    """Write the accelerator with its AXI shell; returns the modules."""
    from duospike.cosim.axi.shell import convert_shell, plan_of
    from duospike.cosim.axi.shell_folder import DEFAULT_MHZ, LOADABLE_WAIVERS, WAIVERS, axi_files
    from duospike.cosim.design.hdl_folder import write_hdl

    plan = plan_of(network, sizing, (args.headroom or 0) if args.loadable else None)
    modules = convert_shell(plan.shell, args.language)
    others = axi_files(
        network, plan.stages, plan.shell, modules, args.language, args.clock or DEFAULT_MHZ, plan.core
    )
    waivers = WAIVERS + LOADABLE_WAIVERS if args.loadable else WAIVERS
    write_hdl(network, sizing, plan.stages, modules, folder, args.language, others, waivers)
    return modules
