"""`duospike explore`: the lanes and parts of a model's accelerator for a budget."""

from __future__ import annotations

import argparse
import json

from .network_options import (
    add_data_options,
    add_folder_option,
    add_model_argument,
    add_stream_options,
    load_data,
    output_place,
    positive,
    say_written,
)
from .progress import steps_shown

DESCRIPTION = """Choose the lanes of every layer of MODEL, and in how many parts it takes its rows, so that the slowest stage
is as fast as a budget allows. The work of the layers is measured on images by the integer reference, an integer program
finds the lanes (of a fully connected layer that takes the image with their multipliers), and the cycle model, whose counters
are those of the hardware, measures the result. Prints the choice and the Pareto front of other budgets; writes
DIR/sizing.toml, which convert, cosim, cycles and synth take with --sizing, explore.json and, with matplotlib, front.svg."""
BUDGET_HELP = "lanes=200 or luts=50000 (of an UltraScale+, by Yosys), for all layers; or fps=1000, images a second"
SMALLEST, LARGEST = 1e-3, 1e9
"""Budgets."""
FASTEST_CLOCK = 100_000
"""In MHz."""
SLACK_HELP = "by how many percent the interval may be longer than at best where that shortens the latency (default: 0)"


def budget_option(text: str):
    """Parse the value of --budget to a Budget."""
    from duospike.cosim.exploration.explore import BUDGETS, Budget

    kind, _, number = text.partition("=")
    try:
        amount = float(number) if kind == "fps" else int(number)
    except ValueError:
        amount = 0
    if kind not in BUDGETS or not SMALLEST <= amount <= LARGEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of lanes=N, luts=N (whole numbers) and fps=N, from {SMALLEST:g} to {LARGEST:g}"
        )
    return Budget(kind, amount)


def clock_option(text: str) -> int:
    """Parse --clock, in MHz."""
    value = positive(text)
    if value > FASTEST_CLOCK:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {FASTEST_CLOCK}")
    return value


def percent(text: str) -> float:
    """Parse a share in percent, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage from 0 up")
    return value / 100


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("explore", help="lanes and parts of the accelerator for a budget", description=DESCRIPTION)
    add_model_argument(parser)
    parser.add_argument("--budget", type=budget_option, required=True, metavar="KIND=N", help=BUDGET_HELP)
    add_folder_option(parser, "explore")
    parser.add_argument(
        "--minimize", choices=["interval", "latency"], default="interval",
        help="the time between images (default), or that of a single image",
    )  # fmt: skip
    parser.add_argument("--slack", type=percent, default=0.0, metavar="PERCENT", help=SLACK_HELP)
    parser.add_argument("--clock", type=clock_option, default=100, metavar="MHZ", help="clock rate in MHz (default: 100)")
    parser.add_argument("--no-front", action="store_true", help="only the choice, without the Pareto front of other budgets")
    parser.add_argument("--images", type=positive, default=20, metavar="N", help="images that are measured (default: 20)")
    add_data_options(parser)
    add_stream_options(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from rich.console import Console

    from duospike.cosim.cycles.report import stage_rows, stage_table
    from duospike.cosim.design.provenance import run_provenance
    from duospike.cosim.design.sizing import choose_sizing, divisors
    from duospike.cosim.design.sizing_file import write_sizing
    from duospike.cosim.exploration.explore import explore
    from duospike.cosim.exploration.report import choice_line, front_table, make_report
    from duospike.cosim.folder import output_folder
    from duospike.cosim.pages import plots
    from duospike.reference import golden
    from duospike.reference.files import write_file
    from duospike.reference.modelfile import load_model

    network = load_model(args.model)
    data = load_data(args, network, args.images)
    default = choose_sizing(network, timesteps=args.pass_timesteps, queue_depth=args.queue_depth)
    place = output_place(args)
    with output_folder(place) as folder:
        with steps_shown() as show:
            show("integer reference")
            found = explore(
                network, golden.run(network, data.images), args.budget,
                timesteps=default.timesteps, queue_depth=default.queue_depth, clock=args.clock * 1e6,
                shorter_passes=() if args.pass_timesteps else tuple(divisors(default.timesteps)[:-1]),
                objective=args.minimize, slack=args.slack, with_front=not args.no_front, progress=show,
            )  # fmt: skip
        chosen_for = f"Chosen for {ascii(str(args.model))}, {args.budget.kind}={args.budget.amount}, least {args.minimize}:"
        write_sizing(found.chosen.sizing, folder / "sizing.toml", f"{chosen_for}\n{choice_line(found)}")
        report = run_provenance(network, data.images, args.data) | make_report(found)
        write_file(folder / "explore.json", json.dumps(report, indent=2) + "\n")
        if plots.available():
            plots.plot_front(report, folder / "front.svg")
    chosen = found.chosen
    console = Console()
    console.print(stage_table(stage_rows(chosen.run, chosen.stages, chosen.sizing, chosen.interval)))
    console.print(front_table(found))
    print(choice_line(found))
    if not plots.available():
        print(plots.MISSING)
    print(f"the other commands take these lanes with --sizing {place / 'sizing.toml'}")
    say_written(place)
    return 0
