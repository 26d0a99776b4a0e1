"""Measures what `duospike import --quantize` costs a float network of snnTorch; --write: into docs/.

python -m benchmarks.quantization [--steps 1200] [--seed 1] [--limit 10000] [--write]
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from fractions import Fraction

import numpy as np
import snntorch
import torch
from snntorch import functional as SF
from snntorch import utils
from torch import nn

from benchmarks.figures.page import machine, table, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.reference.data.datasets import FASHION_MNIST_CLASSES, FASHION_MNIST_SHAPE, Dataset, fashion_mnist
from duospike.reference.exchange.modules.torch_modules import from_torch
from duospike.reference.exchange.quantization.agreement import compare_all
from duospike.reference.exchange.quantization.quantized import quantized_network
from duospike.reference.exchange.source import Interface

TIMESTEPS, BATCH, RATE, LEVELS = 4, 100, 5e-3, 256
BITS = (8, 6, 5, 4, 3, 2)
CALIBRATION = 1000
"""Training images, as many as the command takes by default."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200, help="steps of training, of 100 images (default: 1200, two epochs)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and order of images (default: 1)")
    parser.add_argument("--limit", type=int, default=10_000, help="test images (default: all)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    args = parser.parse_args()
    measurement = begin("quantization")
    torch.set_num_threads(1)
    train, test = fashion_mnist("train"), fashion_mnist("test")
    assert test.labels is not None
    test = Dataset(test.images[: args.limit], test.labels[: args.limit])
    torch.manual_seed(args.seed)
    net = trained(network(), train, args.steps)
    interface = Interface(FASHION_MNIST_SHAPE, TIMESTEPS, FASHION_MNIST_CLASSES, image_scale=Fraction(1, LEVELS))
    text = with_comment(measurement, measured(net, interface, train.images[:CALIBRATION], test, args))
    print(text)
    if args.write:
        write_section("quantization", text)
    return 0


def network() -> nn.Sequential:
    """In floats throughout, batch norm and all; snnTorch's own reset, by subtraction and delayed."""

    def neurons() -> snntorch.Leaky:
        return snntorch.Leaky(beta=0.5, init_hidden=True)

    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        neurons(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        neurons(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, 50),
        neurons(),
    )


def trained(net: nn.Sequential, data: Dataset, steps: int) -> nn.Sequential:
    """Cross entropy of the votes, by Adam, as in snnTorch's tutorials."""
    loss = SF.ce_count_loss(population_code=True, num_classes=FASHION_MNIST_CLASSES)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    assert data.labels is not None
    order = torch.cat([torch.randperm(len(data.images)) for _ in range(-(-steps * BATCH // len(data.images)))])
    for step, chosen in enumerate(order.split(BATCH)[:steps]):
        images = torch.from_numpy(data.images[chosen.numpy()] / LEVELS).float()
        utils.reset(net)
        spikes = torch.stack([net(images) for _ in range(TIMESTEPS)])
        error = loss(spikes, torch.from_numpy(data.labels[chosen.numpy()]))
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} of {steps}: loss {error:.3f}", file=sys.stderr, flush=True)
    return net.eval()


def measured(net: nn.Sequential, interface: Interface, calibration: np.ndarray, test: Dataset, args) -> str:
    """The section: accuracy of the source in float64, and of the integers at each width."""
    source = from_torch(net, interface)
    all_found = compare_all(source, [quantized_network(source, bits, calibration) for bits in BITS], test)
    layers = all_found[0].other_spikes
    rows = [["source, float64", f"{all_found[0].before:.2%}", "", "", *("" for _ in layers)]]
    for bits, found in zip(BITS, all_found, strict=True):
        assert found.before is not None and found.after is not None
        shares = (f"{share:.2%}" for share in found.other_spikes.values())
        rows.append([f"{bits} bits", f"{found.after:.2%}", found.cost, f"{found.equal_answers:.2%}", *shares])
    head = (
        f"`python -m benchmarks.quantization --steps {args.steps} --seed {args.seed}`, on {machine()}, one thread: a network in "
        f"floats, 8C3-MP2-16C3-MP2-FC50 with batch norm, beta 1/2, T = {TIMESTEPS}, trained in snnTorch {snntorch.__version__} "
        f"on Fashion-MNIST, {args.steps} steps of {BATCH} images; {CALIBRATION} calibration images, {len(test.images):,} test "
        "images. The intervals are over images like these; another training is not in them."
    )
    columns = ["weights", "accuracy", "percentage points (95 %)", "same answers", *(f"other spikes, {name}" for name in layers)]
    rounded = table("Accuracy after rounding", columns, rows)
    return f"{textwrap.fill(head, 130, break_on_hyphens=False)}\n\n{rounded}"


if __name__ == "__main__":
    sys.exit(main())
