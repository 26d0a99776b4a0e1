"""`duospike import`: a network that another program trained, as a model file."""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from duospike.reference.errors import InputError, brief, did_you_mean
from duospike.reference.installation import install_hint

from .network_options import add_event_options, add_labels_option, binning_of, positive, positive_number
from .random_network import RESETS, parse_shape
from .threads import add_threads_option, use_threads

if TYPE_CHECKING:
    import numpy as np

    from duospike.reference.data.datasets import Dataset
    from duospike.reference.data.event_frames import FrameFormat
    from duospike.reference.exchange.quantization.agreement import Agreement
    from duospike.reference.exchange.source import Interface, Source
    from duospike.reference.network import Network

DESCRIPTION = """Read a trained network and write it in integers that give the same spikes for every image, or list all reasons
against it. With --quantize its weights are rounded instead, and what that costs on the test images is printed.
SOURCE is a NIR file, or FILE.py:FUNCTION, a Python file that is run and a function in it that returns a torch module, or modules
in their order, with neurons of snnTorch or SpikingJelly. What SOURCE says itself is not asked for.
See docs/reference/import.md."""

DATA_HELP = (
    "with --quantize: fashion-mnist (default), or a folder with the published files of a data set, whose training images "
    "calibrate and whose test images show the cost; or your own, of which the first calibrate and the others show it: an .npy "
    "file, or a file or folder of recorded events"
)
CALIBRATION_IMAGES, FASHION_MNIST = 1000, "fashion-mnist"
KINDS = ("nir", "torch")
CODINGS = ("direct", "events", "frames")
WEIGHT_BITS = range(2, 9)
READOUTS = ("count", "first_spike", "last_membrane", "max_membrane")
"""As in duospike.reference.network, which needs numpy."""
LIBRARIES = ("snntorch", "spikingjelly", "brevitas")
"""That SOURCE may need, each an extra of its name."""

MODULE = "duospike_imported"
"""What a SOURCE of Python is called while it runs, where its own name is taken."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "import", help="a network of snnTorch, SpikingJelly or NIR as a model file", description=DESCRIPTION
    )
    parser.add_argument("source", metavar="SOURCE", help="FILE.nir, or FILE.py:FUNCTION")
    parser.add_argument(
        "--from", dest="kind", choices=KINDS, help="what SOURCE is (default: nir for FILE.nir, torch for FILE.py:FUNCTION)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="model file to write (.safetensors)")
    parser.add_argument(
        "--input", metavar="CxHxW", help="channels, height and width of an image: 3x32x32 (default: those of a NIR graph's Input)"
    )
    parser.add_argument(
        "--timesteps", type=positive, metavar="T", help="timesteps, 1 to 1024 (default: those of SOURCE's own loop over time)"
    )
    parser.add_argument(
        "--classes", type=positive, metavar="K",
        help="classes; must divide the last layer (default: those of SOURCE's vote, or one for each output)",
    )  # fmt: skip
    parser.add_argument("--coding", default="direct", choices=CODINGS, help="direct (default), events, or frames")
    parser.add_argument("--image-bits", type=positive, metavar="N", help="bits of a pixel (default: 8; 1 for events)")
    parser.add_argument("--signed", action="store_true", help="signed pixels")
    parser.add_argument(
        "--image-scale",
        metavar="S",
        help="value of one step of a pixel to SOURCE: 1, 1/256, 1/255; not needed for events",
    )
    parser.add_argument(
        "--dt", type=positive_number, metavar="DT", help="time step of a NIR graph, in the unit of its time constants"
    )
    parser.add_argument("--reset", choices=RESETS, help="reset of a NIR graph that was written for another than NIR's own")
    parser.add_argument(
        "--spike-at-threshold", action="store_true",
        help="neurons of the NIR graph spike at their threshold, too, as SpikingJelly's do; NIR's do above it only",
    )  # fmt: skip
    bits = f"{WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}"
    parser.add_argument(
        "--readout",
        choices=READOUTS,
        help="what the answer is the largest of: count, the spikes of a class (default); first_spike, how early the first comes; "
        "last_membrane or max_membrane, the potential of its one neuron (default where the last layer has no neurons: the sum of "
        "its currents)",
    )
    parser.add_argument("--quantize", type=int, metavar="BITS", help=f"round the weights to {bits} bits, which is not exact")
    parser.add_argument(
        "--beta", metavar="LEAKS",
        help="with --quantize: leak of all layers, 7/8, or of some, conv1=7/8,fc1=1/2 (default: SOURCE's, or m/2^k near it)",
    )  # fmt: skip
    parser.add_argument("--data", metavar="DATA", help=DATA_HELP)
    add_labels_option(parser)
    add_event_options(parser)
    parser.add_argument(
        "--calibration",
        type=positive,
        metavar="N",
        help=f"with --quantize: calibration images (default: {CALIBRATION_IMAGES}; of an .npy file half at most)",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="with --quantize: test on the first N images (default: all)")
    add_threads_option(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.reference.exchange.exact import exact_network, with_provenance
    from duospike.reference.files import check_writable
    from duospike.reference.modelfile import save_model

    use_threads(args.threads)
    check_writable(args.out)
    check_options(args)
    args.kind = args.kind or kind_of(args.source)
    interface = interface_of(args)
    source = nir_source(args, interface) if args.kind == "nir" else torch_source(args, interface)
    binning = binning_kept(args, interface)
    network = exact_network(source) if args.quantize is None else quantize(source, args)
    how = "exact" if args.quantize is None else f"quantized to {args.quantize} bits"
    save_model(with_provenance(network, origin="duospike import", source=Path(args.source).name, how=how, **binning), args.out)
    print(f"wrote {args.out}" if args.quantize is not None else f"wrote {args.out}: {same(network)} for every image")
    if source.weighted and not source.weighted[-1].fires:
        print("the last layer has no spiking neurons: the answer is the class of the largest " + LARGEST[network.readout])
    if args.kind == "nir":
        spikes = "at its threshold and above" if args.spike_at_threshold else "above its threshold"
        print(f"the graph in forward Euler steps of {args.dt:g}, reset {args.reset or 'zero'}; a neuron spikes {spikes};")
        print("a beta or gain within a few roundings of the file's numbers from m/2^k is m/2^k")
    return 0


LARGEST = {"last_membrane": "sum or last potential", "max_membrane": "potential"}


def same(network: Network) -> str:
    """What an exact import has of its source."""
    return "the same spikes, and the same order of potentials," if network.reads_membranes else "the same spikes"


def kind_of(source: str) -> str:
    """What SOURCE is by its name. InputError: the name does not tell."""
    if source.endswith(".nir"):
        return "nir"
    if re.search(r"\.py(:|$)", source):
        return "torch"
    raise InputError(f"{source}: its name does not tell what it is; name it with --from: {' or '.join(KINDS)}")


def check_options(args: argparse.Namespace) -> None:
    """InputError: options that do not go together, before anything is read or computed."""
    if args.quantize is None:
        for name in ("beta", "data", "labels", "calibration", "limit"):
            if getattr(args, name) is not None:
                raise InputError(f"--{name} is for --quantize; an exact import changes nothing and needs no images")
        return
    if args.quantize not in WEIGHT_BITS:
        raise InputError(f"--quantize {args.quantize}; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
    if args.data == "random":
        raise InputError("--data random: random images do not calibrate; name a published data set or an .npy file")


def interface_of(args: argparse.Namespace) -> Interface:
    """What the options say of the images. InputError: no --image-scale where there are pixels."""
    from duospike.reference.exchange.source import NO_SHAPE, Interface

    shape, timesteps, classes = parse_shape(args.input) if args.input else NO_SHAPE, args.timesteps or 0, args.classes or 0
    if args.coding == "events":
        if args.image_scale is not None:
            raise InputError("--image-scale is for pixels; events are worth 1")
        return Interface(shape, timesteps, classes, "events", args.image_bits or 1, args.signed, readout=args.readout or "")
    if args.image_scale is None:
        raise InputError(
            "--image-scale is needed: what one step of an integer pixel is worth to SOURCE, such as 1, 1/256 or 1/255"
        )
    if not re.fullmatch(r"[1-9][0-9]{0,8}(/[1-9][0-9]{0,8})?", args.image_scale):
        raise InputError(f"--image-scale {args.image_scale!r}; needs a whole number or a fraction, such as 1/256")
    bits, scale = args.image_bits or 8, Fraction(args.image_scale)
    return Interface(shape, timesteps, classes, args.coding, bits, args.signed, scale, args.readout or "")


def nir_source(args: argparse.Namespace, interface: Interface) -> Source:
    from duospike.reference.exchange.nir.nir_import import from_nir
    from duospike.reference.exchange.nir.nir_process import read_graph

    if args.dt is None:
        raise InputError(
            "--dt is needed: NIR's neurons are in continuous time, and the graph does not say in which steps to compute"
        )
    graph = read_graph(args.source)
    return from_nir(graph, interface, dt=args.dt, reset=args.reset or "zero", inclusive=args.spike_at_threshold)


def torch_source(args: argparse.Namespace, interface: Interface) -> Source:
    from duospike.reference.exchange.modules.torch_modules import from_torch

    for name in ("dt", "reset"):
        if getattr(args, name) is not None:
            raise InputError(f"--{name} is for NIR graphs; torch modules say it themselves")
    if args.spike_at_threshold:
        raise InputError("--spike-at-threshold is for NIR graphs; torch modules say themselves where they spike")
    return from_torch(call(args.source), interface)


def call(text: str):
    """What the function of FILE.py:FUNCTION returns; the file is run. InputError: not there, or it fails."""
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise InputError(f"{text!r}; needs FILE.py:FUNCTION, such as mynet.py:trained")
    if not Path(path).is_file():
        raise InputError(f"{path}: not found")
    folder = str(Path(path).resolve().parent)
    sys.path.insert(0, folder)
    own = Path(path).stem
    module_name = own if own.isidentifier() and own not in sys.modules else MODULE
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec and spec.loader
    # Dataclasses and pickles look for the module of a class there.
    sys.modules[module_name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function = getattr(module, name, None)
        if function is None:
            functions = [other for other, value in vars(module).items() if callable(value)]
            raise InputError(f"{path} has no {name}{did_you_mean(name, functions)}")
        return function()
    except InputError:
        raise
    except ModuleNotFoundError as error:
        hint = f"; to install it: {install_hint(error.name)}" if error.name in LIBRARIES else ""
        raise InputError(f"{text}: {brief(error)}{hint}") from error
    except (Exception, SystemExit) as error:
        # A user's own code may fail in any way.
        raise InputError(f"{text}: {type(error).__name__}: {brief(error)}") from error
    finally:
        sys.path.remove(folder)
        sys.modules.pop(module_name, None)


def binning_kept(args: argparse.Namespace, interface: Interface) -> dict[str, str]:
    """How recorded events become frames, for the metadata of the model file. InputError: for a network that takes images."""
    from duospike.reference.data.event_frames import Binning

    chosen = binning_of(args)
    if chosen and len(interface.image_shape) != 4:
        raise InputError(f"--{min(chosen).replace('_', '-')} is for recorded events; --coding {interface.coding} takes images")
    return Binning(**chosen).metadata  # type: ignore[arg-type]


def quantize(source: Source, args: argparse.Namespace) -> Network:
    """The quantized network; prints the leaks that it has in place of the source's, and what all rounding costs."""
    from duospike.reference.exchange.leaks import parse_leaks
    from duospike.reference.exchange.quantization.agreement import compare
    from duospike.reference.exchange.quantization.quantized import quantized_network

    leaks = {} if args.beta is None else parse_leaks(args.beta, [layer.name for layer in source.weighted])
    calibration, test = images_of(args, source.interface)
    network = quantized_network(source, args.quantize, calibration, leaks)
    print_leaks(source, network)
    print_cost(compare(source, network, test), args.quantize)
    return network


def images_of(args: argparse.Namespace, interface: Interface) -> tuple[np.ndarray, Dataset]:
    """Images that calibrate, and those that show the cost: of one's own the first ones and the others, else both splits."""
    from duospike.reference.data.datasets import check_labels, has_splits, load

    name, binning = args.data or FASHION_MNIST, binning_of(args)
    frames = frames_of(interface, binning)
    if has_splits(name) and args.labels is None:
        train = load(name, None, args.calibration, split="train", binning=binning, frames=frames)
        test = load(name, None, args.limit, binning=binning, frames=frames)
        return train.images[: args.calibration or CALIBRATION_IMAGES], test
    data = load(name, None, labels=args.labels, binning=binning, frames=frames)
    check_labels(args.labels or name, data.labels, interface.classes)
    return split_own(name, data, args)


def frames_of(interface: Interface, binning: dict[str, int | str]) -> FrameFormat | None:
    """What recorded events become; None for a network that takes images."""
    from duospike.reference.data.event_frames import Binning, FrameFormat

    if len(interface.image_shape) != 4:
        return None
    largest = 2 ** (interface.image_bits - interface.image_signed) - 1
    chosen = Binning(**binning)  # type: ignore[arg-type]
    return FrameFormat(interface.timesteps, interface.input_shape, interface.coding == "events", largest, chosen)


def split_own(name: str, data: Dataset, args: argparse.Namespace) -> tuple[np.ndarray, Dataset]:
    """Of one's own images or events the first ones calibrate, and those after them show the cost."""
    from duospike.reference.data.datasets import Dataset

    count = args.calibration or min(CALIBRATION_IMAGES, len(data.images) // 2)
    others, needed = len(data.images) - count, args.limit or 1
    if not count or others < needed:
        raise InputError(
            f"{name}: holds {len(data.images)} images; needs {needed} that show the cost (--limit) besides {count or 1} "
            "that calibrate (--calibration)"
        )
    print(f"{name}: the first {count} images calibrate, the {args.limit or others} after them show the cost")
    chosen = slice(count, args.limit and count + args.limit)
    return data.images[:count], Dataset(data.images[chosen], None if data.labels is None else data.labels[chosen])


SHOWN_LEAKS = 3
"""Of a layer with a leak for each channel."""


def print_leaks(source: Source, network: Network) -> None:
    """Leaks that are not the source's; with one timestep none counts."""
    from duospike.reference.network import Pool

    integers = [layer for layer in network.layers if not isinstance(layer, Pool)]
    for layer, converted in zip(source.weighted, integers, strict=True):
        pairs = {(layer.beta_of(output), converted.neuron.of_output(output).fraction) for output in range(layer.outputs)}
        changed = sorted((beta, near) for beta, near in pairs if beta != near) if network.timesteps > 1 else []
        for beta, near in changed[:SHOWN_LEAKS]:
            print(f"{layer.name}: beta {float(beta):.6g} -> {near} ({float(near):.4g}, error {float(abs(near - beta)):.2g})")
        if changed[SHOWN_LEAKS:]:
            worst = max(float(abs(near - beta)) for beta, near in changed)
            print(f"{layer.name}: {len(changed)} betas in all, the largest error {worst:.2g}")


def print_cost(found: Agreement, bits: int) -> None:
    if found.before is not None:
        print(f"source: {found.before:.2%} of {found.images} test images")
        print(f"{bits}-bit integers: {found.after:.2%}, percentage points (95 % interval over such images): {found.cost}")
    print(f"answers that are the source's: {found.equal_answers:.2%} of {found.images} test images")
    print(f"spikes that are not: {', '.join(f'{name} {share:.2%}' for name, share in found.other_spikes.items())}")
