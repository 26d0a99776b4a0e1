"""The option for the number of torch's threads, shared by the commands that compute with torch."""

from __future__ import annotations

import argparse

from duospike.reference.errors import InputError

MAX_THREADS = 1024


def add_threads_option(parser: argparse.ArgumentParser) -> None:
    # One by default: where other work shares the cores, torch's threads spend their time waiting for each other.
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads for torch (default: 1)")


def use_threads(count: int) -> None:
    """Let torch compute with `count` threads. InputError: 0 or less, or more than MAX_THREADS."""
    import torch

    if not 1 <= count <= MAX_THREADS:
        raise InputError(f"--threads {count}; allowed: 1 to {MAX_THREADS}")
    torch.set_num_threads(count)
