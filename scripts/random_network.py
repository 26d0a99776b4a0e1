"""`duospike random`: an untrained integer network whose layers spike at a wanted rate."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from duospike.reference.errors import InputError

DESCRIPTION = """Write an untrained network of random integers. The thresholds are set layer by layer on random images, so
that the wanted share of the neurons spikes at a timestep. ARCH is layers joined by dashes: nCk (n channels, kernel k), nCk+MPk
and nCk+APk (currents pooled before the neurons), MPk, APk, FCn; sk, pk after k; or VGG9, VGG9/2, VGG9/4, VGG9/8."""
# Written out, as is what follows: the modules that hold these lists need numpy, which a help text does not wait for.
RESETS, CODINGS = ("subtract", "subtract_delayed", "zero", "none"), ("direct", "rate", "events", "frames")
READOUTS = ("count", "first_spike", "last_membrane", "max_membrane")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("random", help="an untrained network of a given size and spike rate", description=DESCRIPTION)
    parser.add_argument("architecture", metavar="ARCH", help="such as 16C3-32C3-MP2-FC100")
    parser.add_argument("--input", required=True, metavar="CxHxW", help="channels, height and width of an image: 3x32x32")
    parser.add_argument("--rate", type=float, default=0.1, metavar="R", help="wanted share of spikes (default: 0.1)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed gives the same file (default: 0)")
    parser.add_argument("--bits", type=int, default=4, metavar="N", help="bits of a weight, 2 to 8 (default: 4)")
    parser.add_argument("--timesteps", type=int, default=2, metavar="T", help="timesteps, 1 to 1024 (default: 2)")
    parser.add_argument("--classes", type=int, default=10, metavar="K", help="classes; must divide the last layer (default: 10)")
    parser.add_argument("--reset", default="subtract", metavar="KIND", help=f"{', '.join(RESETS)} (default: subtract)")
    parser.add_argument("--beta", default="5/32", metavar="m/2^k", help="leak, as a fraction written out (default: 5/32)")
    parser.add_argument("--image-bits", type=int, default=8, metavar="N", help="bits of a pixel, 1 to 16 (default: 8)")
    parser.add_argument("--signed", action="store_true", help="signed pixels")
    parser.add_argument("--coding", default="direct", metavar="C", help=f"{', '.join(CODINGS)} (default: direct)")
    parser.add_argument("--coding-seed", type=int, default=0, metavar="N", help="seed of the rate encoder (default: 0)")
    parser.add_argument("--readout", default="count", metavar="R", help=f"{', '.join(READOUTS)} (default: count)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="model file to write (.safetensors)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.reference.files import check_writable
    from duospike.reference.modelfile import save_model
    from duospike.reference.training.random_network import random_network
    from duospike.reference.training.settings import parse_neuron

    check_writable(args.out)
    network = random_network(
        args.architecture,
        input_shape=parse_shape(args.input),
        rate=args.rate,
        seed=args.seed,
        neuron=parse_neuron(args.reset, args.beta),
        classes=args.classes,
        timesteps=args.timesteps,
        weight_bits=args.bits,
        image_bits=args.image_bits,
        image_signed=args.signed,
        coding=args.coding,
        coding_seed=args.coding_seed,
        readout=args.readout,
    )
    save_model(network, args.out)
    print(f"wrote {args.out}")
    return 0


def parse_shape(text: str) -> tuple[int, int, int]:
    """(channels, height, width) of "3x32x32"."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})x([1-9][0-9]{0,8})x([1-9][0-9]{0,8})", text)
    if not match:
        raise InputError(f"--input {text!r}; needs CxHxW, such as 3x32x32")
    return int(match[1]), int(match[2]), int(match[3])
