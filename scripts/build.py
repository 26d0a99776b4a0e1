"""`duospike build`: a model file to the bitstream of a board."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from .convert import spare_bits
from .network_options import (
    add_design_options,
    add_folder_option,
    add_model_argument,
    output_place,
    positive,
    positive_number,
    say_written,
    sizing_of,
)
from .progress import steps_shown

DESCRIPTION = """Make a bitstream for a board: the accelerator for MODEL behind a serial line to the host, with the board's
pins and clock, mapped by Yosys, placed and routed by nextpnr, packed by ecppack. A design that does not fit, or does not reach
its clock, is refused. Writes to DIR the bitstream (board.bit), the constraints (board.lpf), board.json (what is used, the clock
that is reached, the critical path), the HDL, the registers, and the tools' own reports and logs.
`duospike run` runs images through the board. No bitstream has been tried on a board yet; see docs/how-to/board.md."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("build", help="a bitstream for a board, with open tools", description=DESCRIPTION)
    add_model_argument(parser)
    parser.add_argument("--board", required=True, metavar="NAME", help="ulx3s-85f, ulx3s-25f, icesugar-pro, icepi-zero, "
                        "orangecrab-25f, or one of --boards")  # fmt: skip
    parser.add_argument("--boards", type=Path, metavar="FILE", help="TOML file of more boards, see docs/how-to/board.md")
    add_folder_option(parser, "build")
    parser.add_argument("--clock", type=positive_number, metavar="MHZ", help="clock of the core (default: the board's)")
    parser.add_argument("--baud", type=positive, metavar="RATE", help="rate of the serial line (default: the board's)")
    parser.add_argument("--seed", type=positive, default=1, metavar="N", help="seed of the placement (default: 1)")
    parser.add_argument(
        "--multipliers", choices=["dsp", "lut"], default="dsp", help="what multiplies in the dense core (default: dsp)"
    )
    parser.add_argument("--loadable", action="store_true", help="a core whose network is loaded through the serial line")
    parser.add_argument(
        "--headroom", type=spare_bits, metavar="N",
        help="with --loadable: bits of currents, potentials and thresholds beyond those that MODEL needs (default: 0)",
    )  # fmt: skip
    parser.add_argument("--program", action="store_true", help="program the board with openFPGALoader")
    add_design_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.axi.shell import plan_of
    from duospike.cosim.board.bitstream import BITSTREAM, build_bitstream
    from duospike.cosim.board.boards import board_named, check_range
    from duospike.cosim.board.core import convert_core, serial_line
    from duospike.cosim.board.folder import report_lines, write_board
    from duospike.cosim.board.top import clock_of
    from duospike.cosim.folder import output_folder, temporary_folder
    from duospike.cosim.system import require, run_tool
    from duospike.cosim.timing.place_route import nextpnr_version
    from duospike.reference.errors import InputError
    from duospike.reference.modelfile import load_model

    if args.headroom is not None and not args.loadable:
        raise InputError("--headroom needs --loadable: a network in ROMs has the widths that it needs")
    nextpnr_version()
    loader = require("openFPGALoader", "openfpgaloader") if args.program else "openFPGALoader"
    board = board_named(args.board, args.boards)
    clock_mhz, baud = args.clock or board.default_mhz, args.baud or board.baud
    check_range("--clock", "default_mhz", clock_mhz)
    check_range("--baud", "baud", baud)
    line = serial_line(clock_mhz, baud)
    network = load_model(args.model)
    sizing = sizing_of(network, args)
    headroom = (args.headroom or 0) if args.loadable else None
    place = output_place(args)
    with temporary_folder() as work:
        clock = clock_of(board, clock_mhz, work)
        with output_folder(place) as folder, steps_shown() as show:
            show("conversion to verilog")
            plan = plan_of(network, sizing, headroom)
            core = convert_core(plan.shell, line)
            routed = build_bitstream(board, core, clock, work, seed=args.seed, multipliers=args.multipliers, progress=show)
            report = write_board(folder, network, sizing, plan, routed, baud, headroom)
    print("\n".join(report_lines(report)))
    say_written(place)
    command = [loader, *board.loader, str(place / BITSTREAM)]
    if args.program:
        print(run_tool(command, Path.cwd()).strip())
    else:
        print(f"to program it: {shlex.join(command)}")
    if board.about:
        print(board.about)
    return 0
