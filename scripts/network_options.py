"""Options that several commands share: those of the images, and those that shape an accelerator."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections import Counter
from pathlib import Path

DATA_HELP = (
    "fashion-mnist (default: its test images), a folder with the published files of Fashion-MNIST, MNIST, CIFAR-10, "
    "CIFAR-100, SVHN, N-MNIST or DVS128 Gesture, random, an .npy file of images, or a file or folder of recorded events "
    "(.npy, .bin, .aedat, .aedat4, .h5)"
)
BINS_HELP = "of recorded events: timesteps of equal time or of equally many events (default: as trained, else time)"
BIN_TIME_HELP = (
    "of recorded events: length of a timestep in microseconds, 0 to cut the whole recording into the timesteps (default: as "
    "trained, else 0)"
)
DOWNSCALE_HELP = "of recorded events: N x N pixels of the sensor become one (default: as trained, else 1)"
LANES_HELP = (
    "output channels computed side by side: one number for all layers, or conv1=4,fc2=10 for some "
    "(default: 8, or all outputs of a layer with fewer)"
)
ROW_PARTS_HELP = (
    "in how many parts a sparse layer processes a row of its input: conv2=3,fc1=4 (default: as many as leave 64 channels in each)"
)
LANE_MULTIPLIERS_HELP = (
    "multipliers of each lane of a first, fully connected layer that takes the image: up to a pixel's channels, or a multiple of "
    "these (default: up to 8)"
)
SIZING_HELP = (
    "TOML file of lanes, row_parts, lane_multipliers, timesteps and queue_depth, such as explore writes; the options below "
    "override it"
)
QUEUE_HELP = "events that a spike-event queue holds (default: 16)"
TIMESTEPS_HELP = "timesteps that go through the hardware at once (default: up to 4, as many as divide the network's)"


def lanes_option(text: str) -> int | dict[str, int]:
    """Parse the value of --lanes or --lane-multipliers: one number, or a number for each of some layers."""
    try:
        return int(text) if "=" not in text else by_layer(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor a list like conv1=4,fc2=10") from None


def row_parts_option(text: str) -> dict[str, int]:
    """Parse the value of --row-parts."""
    try:
        return by_layer(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list like conv2=3,fc1=4") from None


def by_layer(text: str) -> dict[str, int]:
    """Numbers by layer name from a list like conv1=4,fc2=10; ValueError if it is not such a list."""
    pairs = [item.split("=") for item in text.split(",")]
    chosen = [(name.strip(), int(number)) for name, number in pairs]
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


def zero_or_more(text: str) -> int:
    """Parse a whole number from 0 up."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def positive_number(text: str) -> float:
    """Parse a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number above 0")
    return value


def add_model_argument(parser: argparse.ArgumentParser) -> None:
    """MODEL, which duospike.reference.modelfile.find_model finds."""
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors), or a shipped network: fashion-small")


def add_folder_option(parser: argparse.ArgumentParser, command: str) -> None:
    """--out of a command that writes a folder; output_place() has the default."""
    help_text = f"folder to write; a new, empty or earlier one (default: runs/NAME-{command}, NAME that of MODEL)"
    parser.add_argument("--out", type=Path, metavar="DIR", help=help_text)
    parser.set_defaults(command=command)


def output_place(args: argparse.Namespace) -> Path:
    """The folder that a command writes: --out, or below runs/ the model's name and the command's.

    Not a folder within runs/NAME, which then could be no command's own.
    """
    return args.out or Path("runs") / f"{Path(args.model).stem}-{args.command}"


def say_written(place: Path) -> None:
    """The last line of a command that writes a folder."""
    print(f"wrote {place}")


def add_data_options(parser: argparse.ArgumentParser, *, with_labels: bool = False) -> None:
    """--data, --seed and add_event_options: the images, as load_data() reads them. with_labels: --labels, too."""
    parser.add_argument("--data", default="fashion-mnist", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of random images (default: 0)")
    parser.set_defaults(labels=None)
    if with_labels:
        add_labels_option(parser)
    add_event_options(parser)


def add_labels_option(parser: argparse.ArgumentParser) -> None:
    """--labels: of images and events that have none themselves."""
    parser.add_argument("--labels", type=Path, metavar="FILE", help="labels of your own images or events: .npy, integers [count]")


def add_event_options(parser: argparse.ArgumentParser) -> None:
    """--bins, --bin-time and --downscale: how recorded events become frames."""
    parser.add_argument("--bins", choices=["time", "count"], help=BINS_HELP)
    parser.add_argument("--bin-time", type=zero_or_more, metavar="US", help=BIN_TIME_HELP)
    parser.add_argument("--downscale", type=positive, metavar="N", help=DOWNSCALE_HELP)


def binning_of(args: argparse.Namespace) -> dict[str, int | str]:
    """What the options of add_event_options say, by the names of duospike.reference.data.event_frames.Binning."""
    return {key: getattr(args, key) for key in ("bins", "bin_time", "downscale") if getattr(args, key) is not None}


def load_data(args: argparse.Namespace, network, count: int | None):
    """The first `count` images (None: all) that the options of add_data_options name, a Dataset."""
    from duospike.reference.data.datasets import load

    data = load(args.data, network, count, args.seed, labels=args.labels, binning=binning_of(args))
    if data.about:
        print(data.about, file=sys.stderr)
    return data


def add_worker_options(parser: argparse.ArgumentParser, what: str) -> None:
    """--workers and --scheduler: who does `what` side by side; see duospike.cosim.cluster."""
    cores = os.cpu_count() or 1
    parser.add_argument(
        "--workers", type=positive, default=cores, metavar="N", help=f"{what} side by side on this machine (default: the cores)"
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS",
        help=f"Dask scheduler whose workers do the {what}, such as tcp://host:8786; they see the files under the same paths",
    )  # fmt: skip


def add_design_options(parser: argparse.ArgumentParser) -> None:
    """--sizing, --lanes, --row-parts, --lane-multipliers and add_stream_options: what shapes the accelerator for a network."""
    parser.add_argument("--sizing", type=Path, metavar="FILE", help=SIZING_HELP)
    parser.add_argument("--lanes", type=lanes_option, metavar="LANES", help=LANES_HELP)
    parser.add_argument("--row-parts", type=row_parts_option, metavar="PARTS", help=ROW_PARTS_HELP)
    add_renamed_option(parser, "--parts", "--row-parts")
    parser.add_argument("--lane-multipliers", type=lanes_option, metavar="N", help=LANE_MULTIPLIERS_HELP)
    add_stream_options(parser)


class _Renamed(argparse.Action):
    """Refuses an option; const: the name that it has now."""

    def __call__(self, parser, namespace, values, option_string=None):
        parser.error(f"{self.option_strings[0]} is called {self.const}")


def add_renamed_option(parser: argparse.ArgumentParser, old: str, new: str) -> None:
    """Refuse an option by the name that it had before, and name the new one."""
    parser.add_argument(old, action=_Renamed, nargs="?", const=new, dest=argparse.SUPPRESS, help=argparse.SUPPRESS)


def add_stream_options(parser: argparse.ArgumentParser) -> None:
    """--pass-timesteps and --queue-depth."""
    parser.add_argument("--pass-timesteps", type=positive, metavar="N", help=TIMESTEPS_HELP)
    parser.add_argument("--queue-depth", type=positive, metavar="N", help=QUEUE_HELP)


def sizing_of(network, args: argparse.Namespace):
    """The Sizing that the options ask for."""
    from duospike.cosim.design.sizing_file import sizing_from

    wanted = {
        "lanes": args.lanes, "row_parts": args.row_parts, "timesteps": args.pass_timesteps, "queue_depth": args.queue_depth,
        "lane_multipliers": args.lane_multipliers,
    }  # fmt: skip
    return sizing_from(network, args.sizing, wanted)


def design_of(args: argparse.Namespace):
    """What the options and the model ask for: network, sizing, the stages of its accelerator, and the images (a Dataset)."""
    from duospike.cosim.design.plan import plan_stages
    from duospike.reference.modelfile import load_model

    network = load_model(args.model)
    sizing = sizing_of(network, args)
    return network, sizing, plan_stages(network, sizing), load_data(args, network, args.images)
