"""`duospike pack`: a model file for a core whose weights are loaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from .network_options import add_model_argument

DESCRIPTION = """Write MODEL as the words that fill the memories of the loadable core in the folder CORE, which
`convert --axi --loadable` made from this network or another one. MODEL must have the core's shape: the same layers, neurons,
timesteps and images. Its numbers must fit the core's widths. The driver's load() takes the file."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("pack", help="a network for a core that loads its weights", description=DESCRIPTION)
    add_model_argument(parser)
    parser.add_argument("--core", type=Path, required=True, metavar="CORE", help="folder that convert wrote")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write (.bin)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.axi.loadable import CoreError, load_file_of
    from duospike.cosim.errors import CosimError
    from duospike.reference.files import check_writable, write_atomically
    from duospike.reference.modelfile import load_model

    check_writable(args.out)
    network = load_model(args.model)
    try:
        content, core = load_file_of(network, args.core)
    except CoreError:
        raise
    except CosimError as error:
        raise CosimError(f"{args.model}: {error}") from None
    write_atomically(args.out, content)
    print(f"wrote {args.out}: {core['words']} words")
    return 0
