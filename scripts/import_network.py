"""`duospike import`: a network that another program trained, as a model file."""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from duospike.reference.errors import InputError, brief

from .network_options import positive, positive_number
from .random_network import RESETS, parse_shape
from .threads import add_threads_option, use_threads

if TYPE_CHECKING:
    from duospike.reference.data.datasets import Dataset
    from duospike.reference.exchange.source import Interface, Source
    from duospike.reference.network import Network

DESCRIPTION = """Read a trained network and write it in integers that give the same spikes for every image, or list all reasons
against it. With --quantize its weights are rounded instead, and what that costs in accuracy on the test images is printed.
SOURCE is a NIR file, or FILE.py:FUNCTION, a Python file that is run and a function in it that returns a torch module, or modules
in their order, with neurons of snnTorch or SpikingJelly. What SOURCE says itself is not asked for.
See docs/reference/import.md."""

DATA_HELP = (
    "with --quantize: fashion-mnist (default), or a folder with the published files of a data set; its training images "
    "calibrate, its test images show the cost"
)
CALIBRATION_IMAGES, FASHION_MNIST = 200, "fashion-mnist"
KINDS = ("nir", "torch")
WEIGHT_BITS = range(2, 9)
"""As in duospike.reference.network, which needs numpy."""
MODULE = "duospike_imported"
"""What a SOURCE of Python is called while it runs, where its own name is taken."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser(
        "import", help="a network of snnTorch, SpikingJelly, Brevitas or NIR as a model file", description=DESCRIPTION
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
        "--timesteps", type=positive, metavar="T", help="timesteps, 1 to 64 (default: those of SOURCE's own loop over time)"
    )
    parser.add_argument(
        "--classes", type=positive, metavar="K",
        help="classes; must divide the last layer (default: those of SOURCE's vote, or one for each output)",
    )  # fmt: skip
    parser.add_argument("--coding", default="direct", choices=("direct", "events"), help="direct (default), or events")
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
    parser.add_argument("--quantize", type=int, metavar="BITS", help=f"round the weights to {bits} bits, which is not exact")
    parser.add_argument("--beta", metavar="m/2^k", help="with --quantize: leak of all layers in place of SOURCE's")
    parser.add_argument("--data", metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--calibration", type=positive, metavar="N", help=f"with --quantize: calibration images (default: {CALIBRATION_IMAGES})"
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
    network = exact_network(source) if args.quantize is None else quantize(source, args)
    how = "exact" if args.quantize is None else f"quantized to {args.quantize} bits"
    save_model(with_provenance(network, origin="duospike import", source=Path(args.source).name, how=how), args.out)
    print(f"wrote {args.out}" if args.quantize is not None else f"wrote {args.out}: the same spikes for every image")
    if args.kind == "nir":
        spikes = "at its threshold and above" if args.spike_at_threshold else "above its threshold"
        print(f"the graph in forward Euler steps of {args.dt:g}, reset {args.reset or 'zero'}; a neuron spikes {spikes};")
        print("a beta or gain within a few roundings of the file's numbers from m/2^k is m/2^k")
    return 0


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
        for name in ("beta", "data", "calibration", "limit"):
            if getattr(args, name) is not None:
                raise InputError(f"--{name} is for --quantize; an exact import changes nothing and needs no images")
        return
    if args.quantize not in WEIGHT_BITS:
        raise InputError(f"--quantize {args.quantize}; allowed: {WEIGHT_BITS.start} to {WEIGHT_BITS.stop - 1}")
    if args.data == "random":
        raise InputError("--data random: random images do not calibrate; name a published data set")
    if args.data and args.data.endswith(".npy"):
        raise InputError(f"--data {args.data}: has no labels to measure the accuracy with; name a published data set")


def interface_of(args: argparse.Namespace) -> Interface:
    """What the options say of the images. InputError: no --image-scale where there are pixels."""
    from duospike.reference.exchange.source import NO_SHAPE, Interface

    shape, timesteps, classes = parse_shape(args.input) if args.input else NO_SHAPE, args.timesteps or 0, args.classes or 0
    if args.coding == "events":
        if args.image_scale is not None:
            raise InputError("--image-scale is for pixels; events are worth 1")
        return Interface(shape, timesteps, classes, "events", args.image_bits or 1, args.signed)
    if args.image_scale is None:
        raise InputError(
            "--image-scale is needed: what one step of an integer pixel is worth to SOURCE, such as 1, 1/256 or 1/255"
        )
    if not re.fullmatch(r"[1-9][0-9]{0,8}(/[1-9][0-9]{0,8})?", args.image_scale):
        raise InputError(f"--image-scale {args.image_scale!r}; needs a whole number or a fraction, such as 1/256")
    bits, scale = args.image_bits or 8, Fraction(args.image_scale)
    return Interface(shape, timesteps, classes, "direct", bits, args.signed, scale)


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
        return getattr(module, name)()
    except (Exception, SystemExit) as error:
        # A user's own code may fail in any way.
        raise InputError(f"{text}: {type(error).__name__}: {brief(error)}") from error
    finally:
        sys.path.remove(folder)
        sys.modules.pop(module_name, None)


def quantize(source: Source, args: argparse.Namespace) -> Network:
    """The quantized network; prints what it costs in accuracy."""
    from duospike.reference.data.datasets import load
    from duospike.reference.exchange.quantized import quantized_network
    from duospike.reference.training.settings import parse_neuron

    beta = None if args.beta is None else parse_neuron("zero", args.beta)
    images = calibration_images(args)
    chosen = None if beta is None else Fraction(beta.multiplier, 2**beta.shift)
    network = quantized_network(source, args.quantize, images, chosen)
    data = load(args.data or FASHION_MNIST, network, args.limit)
    print_cost(source, network, data, args.quantize)
    return network


def calibration_images(args: argparse.Namespace):
    """The first training images of a published data set."""
    from duospike.reference.data.datasets import fashion_mnist, published_in

    count = args.calibration or CALIBRATION_IMAGES
    if args.data in (None, FASHION_MNIST):
        return fashion_mnist("train").images[:count]
    return published_in(Path(args.data)).read("train", Path(args.data)).images[:count]


def print_cost(source: Source, network: Network, data: Dataset, bits: int) -> None:
    from duospike.reference.exchange.floats import accuracy
    from duospike.reference.golden import evaluate

    assert data.labels is not None
    before, after = accuracy(source, data), evaluate(network, data.images, data.labels).accuracy
    assert after is not None
    print(f"source: {before:.2%} of {len(data.images)} test images")
    print(f"{bits}-bit integers: {after:.2%}, {100 * (after - before):+.2f} percentage points")
