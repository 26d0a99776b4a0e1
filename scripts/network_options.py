"""Options that several commands share: those of the images, and those that shape an accelerator."""

from __future__ import annotations

import argparse
from collections import Counter

DATA_HELP = "fashion-mnist (default: its test images), a folder with its IDX files, random, or an .npy file of images"
LANES_HELP = (
    "output channels computed side by side: one number for all layers, or conv1=4,fc2=10 for some "
    "(default: 8, or all outputs of a layer with fewer)"
)


def lanes_option(text: str) -> int | dict[str, int]:
    """Parse the value of --lanes."""
    try:
        if "=" not in text:
            return int(text)
        pairs = [item.split("=") for item in text.split(",")]
        chosen = [(name.strip(), int(lanes)) for name, lanes in pairs]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a list like conv1=4,fc2=10") from None
    name, times = Counter(name for name, _ in chosen).most_common(1)[0]
    if times > 1:
        raise argparse.ArgumentTypeError(f"{text!r} names layer {name} {times} times")
    return dict(chosen)


def positive(text: str) -> int:
    """Parse a whole number from 1 up."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return value


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """--data and --seed: the images, as reference.datasets.load takes them."""
    parser.add_argument("--data", default="fashion-mnist", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of random images (default: 0)")


def add_design_options(parser: argparse.ArgumentParser) -> None:
    """--lanes and --queue-depth: what shapes the accelerator for a given network."""
    parser.add_argument("--lanes", type=lanes_option, metavar="LANES", help=LANES_HELP)
    parser.add_argument(
        "--queue-depth", type=positive, default=16, metavar="N", help="events that a spike-event queue holds (default: 16)"
    )
