"""`duospike study`: train and measure a grid of networks."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from .network_options import add_worker_options, say_written

DESCRIPTION = """Train every network of the grid in STUDY.toml, load those of its model files, measure each on all test images
(accuracy, spikes, events, synaptic operations), put each on an accelerator with lanes balanced for it (cycles by the cycle
model, modelled energy), and write results.json, CSV files, summary.md with means and spreads over the seeds and, with
matplotlib, plots to DIR. Points are trained side by side. The same command continues a study that was stopped."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("study", help="train and measure a grid of networks", description=DESCRIPTION)
    parser.add_argument("study", type=Path, metavar="STUDY.toml", help="what to train and measure; see docs/reference/files.md")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the study (default: runs/NAME-study)")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="folder of the data set's files (default for fashion-mnist: where Debian installs it)",
    )  # fmt: skip
    parser.add_argument(
        "--again", action="store_true", help="measure finished points again that other sources than today's made, and train them"
        " again where training is another"
    )  # fmt: skip
    add_worker_options(parser, "points")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.folder import claimed
    from duospike.cosim.study.study_file import read_study

    study = read_study(args.study)
    args.out = args.out or Path("runs") / f"{args.study.stem}-study"
    with claimed(args.out):
        return run_study(args, study)


def run_study(args: argparse.Namespace, study) -> int:
    """Measure the points in the study's folder, which no other command writes meanwhile."""
    from duospike.cosim.cluster import cluster, run_tasks
    from duospike.cosim.pages import plots
    from duospike.cosim.study.measure import RESULT, is_old
    from duospike.cosim.study.report import check_result, files_of, plot_all
    from duospike.reference.files import check_writable, write_atomically

    args.out.mkdir(parents=True, exist_ok=True)
    check_writable(args.out / "results.json")
    results = {}
    # A worker may have another current folder.
    data, points = args.data and args.data.resolve(), args.out.resolve() / "points"
    tasks = {name: (name, study, data, points / name, args.again) for name in study.points}
    with cluster(min(args.workers, len(tasks)), args.scheduler) as client:
        for name, result in run_tasks(client, measure, tasks, partial(print, flush=True)):
            check_result(result, points / name / RESULT)
            results[name] = result
            print(f"{len(results)} of {len(tasks)}: {name}: accuracy {result['accuracy']:.2%}", flush=True)
    ordered = {name: results[name] for name in study.points}
    files = files_of(ordered, [name for name, result in ordered.items() if is_old(result)])
    drawn = plot_all(list(ordered.values()), args.out) if plots.available() else [plots.MISSING]
    for name, text in files.items():
        write_atomically(args.out / name, text.encode())
    print(files["summary.md"])
    print(f"{args.out} holds {', '.join([*drawn, *files])}")
    say_written(args.out)
    return 0


def measure(log, name: str, study, data: Path | None, folder: Path, again: bool = False) -> dict:
    """Measure one point in a worker."""
    import torch

    from duospike.cosim.study.measure import measure_point
    from duospike.cosim.study.study_file import LoadedModel

    torch.set_num_threads(1)
    point = study.points[name]
    frames = None if isinstance(point, LoadedModel) else point.frames
    training = None if isinstance(point, LoadedModel) else point.published.read("train", data, frames)
    sets = training, point.published.read("test", data, frames)
    shown = ""

    def progress(step: str):
        nonlocal shown
        # Of an epoch's batches only the first is shown.
        if step.split(",")[0] != shown:
            shown = step.split(",")[0]
            log(f"{name}: {shown}")

    return measure_point(point, study, sets, folder, progress, again)
