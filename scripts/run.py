"""`duospike run`: images through a board, compared with the reference."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .network_options import add_data_options, add_model_argument, load_data, positive
from .progress import counted, steps_shown

DESCRIPTION = """Send images to a board that `duospike build` made, through its serial line, and compare the class, the scores
and the activity counters with the integer reference and the cycle model. Prints images a second, end to end and in the core. A
loadable core gets MODEL first. A line that fails is tried again. With --port icarus or --port verilator the board is a
simulation of the same core with a faster line: the same program, without a board."""

SIMULATED = ("icarus", "verilator")
SIMULATION_SECONDS = 3600
"""For which a simulated core may give no result."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "run", help="images through a board, compared with the reference", description=DESCRIPTION
    )
    add_model_argument(parser)
    parser.add_argument("--port", required=True, metavar="PORT", help="serial port, such as /dev/ttyUSB0; or icarus or verilator "
                        "for a simulated board")  # fmt: skip
    parser.add_argument("--build", type=Path, metavar="DIR", help="folder of the board by build (default: runs/NAME-build)")
    parser.add_argument("--images", type=positive, default=100, metavar="N", help="number of images (default: 100)")
    add_data_options(parser)
    parser.add_argument("--baud", type=positive, metavar="RATE", help="rate of the serial line (default: as built)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.axi.pynq_driver import DriverError
    from duospike.cosim.board.folder import BuiltBoard
    from duospike.cosim.board.host import Host, run_images
    from duospike.cosim.board.overlay import PATIENCE_SECONDS
    from duospike.cosim.errors import CosimError
    from duospike.reference.modelfile import load_model

    network = load_model(args.model)
    board = BuiltBoard(args.build or Path("runs") / f"{Path(args.model).stem}-build", network)
    data = load_data(args, network, args.images)
    patience = SIMULATION_SECONDS if args.port in SIMULATED else PATIENCE_SECONDS
    with steps_shown() as show, port_of(args, board, show) as open_port:
        show("connection")
        try:
            with Host(open_port, board.description, board.words, patience) as host:
                progress = counted(show, "images through the board", len(data.images))
                found = run_images(host, network, board.stages, data.images, progress=progress)
        except DriverError as error:
            raise CosimError(f"the board's core: {error}") from None
    report = {
        "images": len(data.images),
        "differences": found.differences,
        "images_per_second": len(data.images) / found.seconds,
        "core_cycles": found.core_interval(),
        "core_images_per_second": board.clock_mhz * 1e6 / found.core_interval(),
        "packets_repeated": found.repeated,
        "batches_repeated": found.restarts,
        "counters": {stage: dict(counts) for stage, counts in found.counters.items()},
    }
    print(json.dumps(report) if args.json else "\n".join(lines(args, board, report)))
    return 1 if found.differences else 0


@contextmanager
def port_of(args: argparse.Namespace, board, show) -> Iterator:
    """What opens the port of a board, or of its simulation."""
    from duospike.cosim.board.core import SIMULATED_LINE
    from duospike.cosim.board.serial_port import SerialPort
    from duospike.cosim.board.simulated_port import simulated_board
    from duospike.cosim.folder import temporary_folder

    if args.port not in SIMULATED:
        yield lambda: SerialPort(args.port, args.baud or board.baud)
        return
    show(f"simulation in {args.port}")
    modules = board.simulated(SIMULATED_LINE)
    with temporary_folder() as folder, simulated_board(modules, SIMULATED_LINE, folder, args.port) as port:
        yield lambda: port


def lines(args: argparse.Namespace, board, report: dict) -> list[str]:
    """The report in words."""
    differences, images = report["differences"], report["images"]
    where = f"simulated in {args.port}" if args.port in SIMULATED else f"on {args.port}"
    said = [f"NOT EQUAL: {difference}" for difference in differences[:10]]
    if not differences:
        said.append(f"equal {where}: {images} classes, all scores, and the counters of {len(report['counters'])} stages")
    if report["packets_repeated"] or report["batches_repeated"]:
        said.append(f"{report['packets_repeated']} packets and {report['batches_repeated']} batches of images were repeated")
    if args.port not in SIMULATED:
        said.append(f"end to end: {report['images_per_second']:.1f} images a second at {board.baud} baud")
    said.append(
        f"in the core: {report['core_cycles']:.0f} cycles an image in the busiest stage, "
        f"{report['core_images_per_second']:.0f} images a second at {board.clock_mhz:g} MHz"
    )
    return said
