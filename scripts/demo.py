"""`duospike demo`: two images through a shipped network in simulated hardware, for a first look."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import cosim
from .doctor import fashion_mnist_is_there

DESCRIPTION = """Run the shipped network fashion-small on two images in Icarus Verilog and compare every spike with the integer
reference: what `duospike cosim fashion-small` does, with a word on what it did and what comes next. Where the files of
Fashion-MNIST are not installed, the images are random."""
MODEL, SEED = "fashion-small", 0

BEFORE = """The network {model} has been trained on Fashion-MNIST with weights of 4 bits. It is converted to Verilog,
simulated in Icarus on {images}, and compared with the integer reference."""
FASHION, RANDOM = "two of its test images", f"two random images (seed {SEED})"
NO_FASHION = "Fashion-MNIST is not installed; its images come with: apt-get install dataset-fashion-mnist"
NEXT = {
    "report {out}": "one HTML page of this run",
    "cycles {model}": "cycles and images a second, without a simulator",
    "convert {model}": "the Verilog, for a project of your own",
    "train my.toml --out my.safetensors": "a network of your own",
}
"""Commands that come next, each with what it gives."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "demo", help="two images through a shipped network in simulated hardware", description=DESCRIPTION
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/demo"), metavar="DIR", help="folder to write (default: runs/demo)"
    )
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.reference.modelfile import find_model

    found = fashion_mnist_is_there()
    print(BEFORE.format(model=MODEL, images=FASHION if found else RANDOM), flush=True)
    if not found:
        print(NO_FASHION, flush=True)
    data = [] if found else ["--data", "random", "--seed", str(SEED)]
    parser = argparse.ArgumentParser()
    cosim.add_parser(parser.add_subparsers())
    asked = parser.parse_args(["cosim", MODEL, "--out", str(args.out), *data])
    status = asked.func(asked)
    if not status:
        print(f"\n{args.out} holds the Verilog, the spikes of every stage and report.json. What comes next:")
        for command, what in NEXT.items():
            print(f"  duospike {command.format(model=MODEL, out=args.out):<35} {what}")
        print(f"A my.toml to begin with is {find_model(MODEL).with_suffix('.toml')}")
    return status
