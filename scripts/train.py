"""`duospike train`: train a network from a TOML file and write its integers to a model file."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from duospike.reference.errors import InputError

from .threads import add_threads_option, use_threads

if TYPE_CHECKING:
    from duospike.reference.data.datasets import Dataset
    from duospike.reference.training import train
    from duospike.reference.training.settings import Settings

DESCRIPTION = """Train the spiking network that SETTINGS describes, with quantization in the loop, and write its integers.
Without a model file (a dry run, or a float twin) only the accuracy is printed. A checkpoint is kept after each epoch; a
folder that holds one, of a finished run too, is refused without --resume, so that no run is lost."""

DATA_HELP = "folder of the data set's files (default for fashion-mnist: where Debian installs it); all others need one"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("train", help="train a network and write its integers", description=DESCRIPTION)
    parser.add_argument("settings", metavar="SETTINGS.toml", help="what to train; see models/fashion-small.toml")
    parser.add_argument("--out", type=Path, metavar="FILE", help="model file to write (.safetensors)")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="folder of the checkpoint (default: checkpoints/NAME of SETTINGS.toml)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="continue from the checkpoint; the result equals that of an uninterrupted run"
    )
    parser.add_argument("--float", action="store_true", help="train the float twin: the same recipe without any rounding")
    parser.add_argument("--data", type=Path, metavar="DIR", help=DATA_HELP)
    add_threads_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.folder import claimed

    settings = chosen_settings(args)
    use_threads(args.threads)
    work = work_folder(args, settings)
    with claimed(work):
        return train_in(work, settings, args)


def train_in(work: Path, settings: Settings, args: argparse.Namespace) -> int:
    """Train in a folder, which no other command writes meanwhile."""
    from duospike.reference.data.datasets import check_labels
    from duospike.reference.data.pixels import converted
    from duospike.reference.training import train

    check_unused(work, args.resume)
    test, data = (settings.published.read(split, args.data, settings.frames) for split in ("test", "train"))
    if data.about:
        print(f"training: {data.about}")
    shape = data.images.shape[-3:]
    job = train.resume(settings, shape, work) if args.resume else train.start(settings, shape)
    for one in (data, test):
        job.model.blank.require_fit(converted(one.images, settings.pixels))
        check_labels(args.data or settings.dataset, one.labels, settings.classes)
    started = time.monotonic()
    if settings.keep == "best_test":
        print("keep = 'best_test' chooses the epoch on the test images, so that their accuracy is too high")
    with progress_shown(settings.epochs) as report:
        for found in train.train_on(job, data, test, work, report):
            print(f"epoch {found['epoch']}: {found['test_accuracy']:.2%} of the test images")
    print(f"trained {job.epoch} epochs, {time.monotonic() - started:.0f} s in this run")
    finish(job, test, args)
    return 0


def chosen_settings(args: argparse.Namespace) -> Settings:
    """Settings of the file and the flags; everything that can be refused before the training is refused here."""
    from duospike.reference.files import check_writable
    from duospike.reference.training.settings import FLOAT, read_settings

    settings = read_settings(args.settings)
    if args.float:
        settings = dataclasses.replace(settings, weight_bits=FLOAT)
    if settings.weight_bits == FLOAT and args.out:
        raise InputError("--out: a float twin has no integers to write; leave it out")
    if args.out:
        check_writable(args.out)
    return settings


def work_folder(args: argparse.Namespace, settings: Settings) -> Path:
    """The folder of the checkpoint, made if need be. InputError: not writable."""
    from duospike.reference.files import check_writable
    from duospike.reference.training import train
    from duospike.reference.training.settings import FLOAT

    name = Path(args.settings).stem + ("-float" if settings.weight_bits == FLOAT else "")
    folder = args.work or Path("checkpoints") / name
    folder.mkdir(parents=True, exist_ok=True)
    check_writable(folder / train.CHECKPOINT)
    return folder


def check_unused(folder: Path, resume: bool) -> None:
    """InputError: a fresh run would overwrite a checkpoint."""
    from duospike.reference.training import train

    checkpoint = folder / train.CHECKPOINT
    if checkpoint.exists() and not resume:
        raise InputError(f"{checkpoint}: there is a run already; go on with --resume, delete it, or name another --work")


def finish(job: train.Run, test: Dataset, args: argparse.Namespace) -> None:
    """Print the accuracy on the test images, by the golden model where there are integers, and write the model file."""
    from duospike.reference.data.pixels import converted
    from duospike.reference.golden import evaluate
    from duospike.reference.modelfile import save_model
    from duospike.reference.training import train
    from duospike.reference.training.settings import FLOAT

    model, test = job.kept(), dataclasses.replace(test, images=converted(test.images, job.settings.pixels))
    if job.settings.weight_bits == FLOAT:
        print(f"float twin: {train.accuracy(model, test):.2%} of {len(test.images)} test images")
        return
    network = dataclasses.replace(model.export(), metadata=train.provenance(job.settings))
    result = evaluate(network, test.images, test.labels)
    print(f"integer reference: {result.accuracy:.2%} of {result.images} test images")
    if args.out:
        save_model(network, args.out)
        print(f"wrote {args.out}")
    else:
        print("no model file was asked for; the same command with --resume --out FILE writes it from the checkpoint")


@contextmanager
def progress_shown(epochs: int) -> Iterator[Callable[[train.Progress], None]]:
    """A progress bar on a terminal, else one line for each tenth of an epoch."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if not Console().is_terminal:
        yield lambda progress: print_tenths(progress, epochs)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("")
        yield lambda progress: bar.update(
            task, total=progress.batches, completed=progress.batch, description=describe(progress, epochs)
        )


def print_tenths(progress: train.Progress, epochs: int) -> None:
    if progress.batch * 10 // progress.batches > (progress.batch - 1) * 10 // progress.batches:
        print(f"{describe(progress, epochs)} batch {progress.batch}/{progress.batches}", flush=True)


def describe(progress: train.Progress, epochs: int) -> str:
    return f"epoch {progress.epoch}/{epochs} loss {progress.loss:.4f} accuracy {progress.accuracy:.2%}"
