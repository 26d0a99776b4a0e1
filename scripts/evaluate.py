"""`duospike evaluate`: accuracy and spike rates of a model file by the integer reference."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

from .network_options import (
    add_data_options,
    add_folder_option,
    add_model_argument,
    load_data,
    output_place,
    positive,
    say_written,
)
from .progress import counted, steps_shown
from .threads import add_threads_option, use_threads

if TYPE_CHECKING:
    from duospike.reference.golden import Evaluation
    from duospike.reference.network import Network

DESCRIPTION = """Run MODEL on images with the integer golden model, the one that the hardware must equal, and print
how many answers are right and how often each layer's neurons spike (spikes per neuron and timestep). Writes
evaluation.json, which the report reads."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("evaluate", help="accuracy and spike rates by the integer reference", description=DESCRIPTION)
    add_model_argument(parser)
    add_data_options(parser, with_labels=True)
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N images (default: all; 100 random ones)")
    add_folder_option(parser, "evaluate")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    add_threads_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.design.provenance import run_provenance
    from duospike.cosim.folder import output_folder
    from duospike.reference.files import write_file
    from duospike.reference.golden import evaluate
    from duospike.reference.modelfile import load_model

    use_threads(args.threads)
    network = load_model(args.model)
    data = load_data(args, network, args.limit)
    place = output_place(args)
    with output_folder(place) as folder, steps_shown() as show:
        progress = counted(show, "integer reference", len(data.images))
        result = evaluate(network, data.images, data.labels, progress)
        report = run_provenance(network, data.images, args.data) | dataclasses.asdict(result)
        write_file(folder / "evaluation.json", json.dumps(report, indent=2) + "\n")
    if args.json:
        print(json.dumps({"model": str(args.model), "data": args.data, **dataclasses.asdict(result)}))
    else:
        print_table(network, result)
        say_written(place)
    return 0


def print_table(network: Network, result: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("layer", "output", "spikes per neuron and timestep")
    for layer, shape in zip(network.layers, network.shapes[1:], strict=True):
        rate = result.spike_rates.get(layer.name)
        table.add_row(layer.name, "x".join(map(str, shape)), "no spikes" if rate is None else f"{rate:.2%}")
    Console().print(table)
    accuracy = "unknown (no labels)" if result.accuracy is None else f"{result.accuracy:.2%}"
    print(f"accuracy: {accuracy}, {result.images} images, integer reference")
