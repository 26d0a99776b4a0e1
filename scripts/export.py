"""`duospike export`: a model file as a NIR graph."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import add_model_argument, positive_number

DESCRIPTION = """Write MODEL as a graph of NIR with the same spikes, or say all that NIR cannot hold of it: its neurons reset to
zero, and their leak does not floor."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("export", help="a model file as a NIR graph", description=DESCRIPTION)
    add_model_argument(parser)
    parser.add_argument("--to", choices=("nir",), required=True, help="the format")
    parser.add_argument("--dt", type=positive_number, required=True, metavar="DT", help="time step of the time constants: 0.0001")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write (.nir)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.reference.exchange.nir.nir_export import to_nir, write_graph
    from duospike.reference.files import check_writable
    from duospike.reference.modelfile import load_model

    check_writable(args.out)
    write_graph(to_nir(load_model(args.model), args.dt), args.out)
    print(f"wrote {args.out}")
    return 0
