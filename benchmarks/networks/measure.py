"""What becomes of the networks of nets.py: imported, compared with SpikingJelly, simulated; --write: into docs/.

python -m benchmarks.networks.measure [--run [NETWORK ...]] [--images 1000] [--cifar FOLDER] [--write]

--run measures rows of the table: those named, such as csnn-4, or all whose weights benchmarks.networks.train has trained.
The results are kept in benchmarks/results/networks, from which the table is made.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import Measurement, begin, comment, joined
from benchmarks.networks import nets
from benchmarks.networks.agreement import Agreement, agreement
from duospike.reference.data.datasets import PUBLISHED, Dataset
from duospike.reference.files import write_atomically
from duospike.reference.modelfile import load_model

NAME = "networks"
"""Of the figures, and of their section in docs/."""
RUNS, RESULTS = Path("runs/networks"), ROOT / "benchmarks" / "results" / "networks"
EVENTS = RUNS / "events.npy"
EVENT_SAMPLES = 4

DATA = {"fashion-mnist": "Fashion-MNIST", "cifar-10": "CIFAR-10, JPEG-coded copy"}
"""What the kept results were measured on."""
CIFAR = "cifar-10-batches-bin"

Result = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A row of the table.

    function: of nets.py. source: what is trained, a name of nets.RECIPES, or None for random weights. bits: of --quantize, or
    None for an exact import. cosim: images that go through the simulator.
    """

    function: str
    title: str
    source: str | None
    bits: int | None = None
    cosim: int = 2
    simulator: str = "verilator"

    @property
    def name(self) -> str:
        return self.function.replace("_", "-") + (f"-{self.bits}" if self.bits else "")

    @property
    def is_trained(self) -> bool:
        return self.source is None or (nets.CHECKPOINTS / f"{self.source}.safetensors").exists()

    @property
    def data(self) -> str:
        return "random events" if self.source is None else DATA[nets.RECIPES[self.source].dataset]

    @property
    def narrowed(self) -> str:
        return nets.DVS_NARROWED if self.source is None else nets.RECIPES[self.source].narrowed

    @property
    def how(self) -> str:
        return "exact" if self.bits is None else f"{self.bits} bits"

    def input_options(self) -> list[str]:
        """What the import is given beside the network."""
        if self.source is None:
            return f"--input 2x128x128 --timesteps {nets.EVENT_TIMESTEPS} --coding events".split()
        recipe = nets.RECIPES[self.source]
        sizes = PUBLISHED[recipe.dataset].shape
        assert sizes is not None
        shape = "x".join(map(str, sizes))
        return f"--input {shape} --timesteps {recipe.timesteps} --image-scale {Fraction(nets.PIXEL)}".split()


CASES = [
    *(Case("csnn", "CSNN", "csnn", bits, simulator="icarus") for bits in (8, 6, 4)),
    Case("csnn_rounded", "CSNN, rounded", "csnn", simulator="icarus"),
    *(Case("fashion_mnist_net", "FashionMNISTNet, LIF", "fashion_mnist_net", bits) for bits in (8, 6, 4)),
    Case("fashion_mnist_net_rounded", "FashionMNISTNet, LIF, rounded", "fashion_mnist_net"),
    *(Case("fashion_mnist_net_plif", "FashionMNISTNet, PLIF", "fashion_mnist_net_plif", bits) for bits in (8, 4)),
    *(Case("cifar10_net", "CIFAR10Net, LIF", "cifar10_net", bits) for bits in (8, 4)),
    Case("cifar10_net_rounded", "CIFAR10Net, LIF, rounded", "cifar10_net"),
    Case("dvs_gesture_net", "DVSGestureNet, LIF, random weights", None),
]


def main() -> int:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs="*", metavar="NETWORK", help=f"all that are trained, or some of {', '.join(names)}")
    parser.add_argument("--images", type=int, default=1000, help="test images whose spikes are compared (default: 1000)")
    parser.add_argument("--cifar", metavar="FOLDER", help="the published files of CIFAR-10")
    parser.add_argument("--write", action="store_true", help="put the table into docs/")
    args = parser.parse_args()
    if unknown := set(args.run or ()) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}; allowed: {', '.join(names)}")
    torch.set_num_threads(1)
    for case in CASES:
        if args.run is not None and (case.name in args.run or not args.run and case.is_trained):
            measure(case, args)
    text = section()
    print(text)
    if args.write:
        write_section(NAME, text)
    return 0


def measure(case: Case, args: argparse.Namespace) -> None:
    """Import and compare, then simulate; what is known goes into RESULTS after each of the two."""
    measurement = begin(NAME)
    RUNS.mkdir(parents=True, exist_ok=True)
    model, data = RUNS / f"{case.name}.safetensors", data_of(case, args.cifar)
    duospike(importing := import_command(case, model, data, args.images))
    same = compared(case, model, args).as_json()
    result: Result = {"commands": [shown(importing, args.cifar)], "agreement": same, "simulation": None}
    keep(case, result, measurement)
    duospike(simulating := cosim_command(case, model, data))
    report = json.loads((RUNS / case.name / "report.json").read_text())
    commands = [shown(importing, args.cifar), shown(simulating, args.cifar)]
    keep(case, {**result, "commands": commands, "simulation": simulation(report)}, measurement)


def keep(case: Case, result: Result, measurement: Measurement) -> None:
    result = {**result, "measured": measurement.record()}
    write_atomically(RESULTS / f"{case.name}.json", (json.dumps(result, indent=2) + "\n").encode())


def data_of(case: Case, cifar: str | None) -> str:
    """What --data gets. Events are written first, with the same seed each time."""
    if case.source is None:
        np.save(EVENTS, nets.random_events(EVENT_SAMPLES))
        return str(EVENTS)
    if nets.RECIPES[case.source].dataset == "fashion-mnist":
        return "fashion-mnist"
    if cifar is None:
        raise SystemExit(f"{case.name}: name the folder of CIFAR-10 with --cifar")
    return cifar


def import_command(case: Case, model: Path, data: str, images: int) -> list[str]:
    rounding = [] if case.bits is None else ["--quantize", str(case.bits), "--data", data, "--limit", str(images)]
    return ["import", f"benchmarks/networks/nets.py:{case.function}", *case.input_options(), *rounding, "--out", str(model)]


def cosim_command(case: Case, model: Path, data: str) -> list[str]:
    options = ["--data", data, "--images", str(case.cosim), "--simulator", case.simulator]
    return ["cosim", str(model), *options, "--out", str(RUNS / case.name)]


def typed(command: list[str]) -> str:
    return f"duospike {' '.join(command)}"


def shown(command: list[str], cifar: str | None) -> str:
    """For the page: the folder of CIFAR-10 under the name that it is published with."""
    return typed([CIFAR if part == cifar else part for part in command])


def duospike(command: list[str]) -> None:
    """SystemExit if it fails; it prints why itself."""
    print(typed(command), file=sys.stderr, flush=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if subprocess.run([sys.executable, "-m", "duospike", *command], cwd=ROOT, env=environment).returncode:
        raise SystemExit(f"duospike {command[0]} failed")


def simulation(report: Result) -> Result:
    """What the table shows of a co-simulation. cycles: an image each, and from its first pixel to its class."""
    assert report["bit_exact"]
    return {
        "simulator": report["simulator"],
        "images": len(report["images"]),
        "compared": report["compared"],
        "spikes": sum(stage["spikes"] or 0 for stage in report["stages"]),
        "latency": max(image["cycles"] for image in report["images"]),
        "interval": report["interval"],
        "lanes": sum(stage["lanes"] or 0 for stage in report["stages"]),
        "passes": report["network"]["timesteps"] // report["sizing"]["timesteps"],
    }


def compared(case: Case, model: Path, args: argparse.Namespace) -> Agreement:
    """SpikingJelly and the integer reference on the same images."""
    network, net = load_model(model), getattr(nets, case.function)()
    if case.source is None:
        return agreement(net, network, Dataset(nets.random_events(EVENT_SAMPLES), None), Fraction(1))
    recipe = nets.RECIPES[case.source]
    folder = None if recipe.dataset == "fashion-mnist" else Path(args.cifar)
    test = PUBLISHED[recipe.dataset].read("test", folder)
    some = Dataset(test.images[: args.images], None if test.labels is None else test.labels[: args.images])
    return agreement(net, network, some, Fraction(nets.PIXEL))


def results() -> Iterator[tuple[Case, Result]]:
    """The kept results, in the order of CASES."""
    for case in CASES:
        path = RESULTS / f"{case.name}.json"
        if path.exists():
            yield case, json.loads(path.read_text())


def section() -> str:
    """The tables, from the kept results."""
    found = list(results())
    head = (
        f"`python -m benchmarks.networks.measure --run`, on {machine()}. Spikes of every neuron at every timestep, compared with "
        "those of SpikingJelly itself. The measuring program writes runs/networks/events.npy."
    )
    record = comment(NAME, joined([result["measured"] for _, result in found]))
    tables = [accuracy_table(found), simulation_table(found), commands_of(found)]
    return "\n\n".join([record, textwrap.fill(head, 130, break_on_hyphens=False), *tables])


def accuracy_table(found: list[tuple[Case, Result]]) -> str:
    right = ["images", "SpikingJelly", "integers", "points"]
    columns = ["network", "narrowed to", "data", "import", *right, "other answers", "other spikes", "spikes an image"]
    return table("Accuracy and spikes", columns, [accuracy_row(case, Agreement(**result["agreement"])) for case, result in found])


def accuracy_row(case: Case, one: Agreement) -> list[str]:
    if one.source_accuracy is None or one.accuracy is None:
        accuracies = ["", "", ""]
    else:
        points = 100 * (one.accuracy - one.source_accuracy)
        accuracies = [f"{one.source_accuracy:.2%}", f"{one.accuracy:.2%}", f"{points:+.2f}"]
    different = f"{one.different / one.outputs:.2%}" if one.different else f"none of {one.outputs:,}"
    before, after = (f"{total / one.images:,.0f}" for total in (one.source_spikes, one.spikes))
    spikes = before if before == after else f"{before}, then {after}"
    about = [case.title, case.narrowed, case.data, case.how]
    return [*about, f"{one.images:,}", *accuracies, str(one.other_answers), different, spikes]


def simulation_table(found: list[tuple[Case, Result]]) -> str:
    rows = []
    for case, result in found:
        one = result["simulation"]
        if one is None:
            continue
        interval = "" if one["interval"] is None else f"{one['interval']:,.0f}"
        equal = [one["simulator"], str(one["images"]), f"{one['compared']:,}", f"{one['spikes']:,}"]
        rows.append([case.title, case.how, *equal, str(one["lanes"]), str(one["passes"]), f"{one['latency']:,}", interval])
    equal = ["simulator", "images", "neuron outputs", "spikes"]
    columns = ["network", "import", *equal, "lanes", "passes", "latency, cycles", "cycles an image"]
    return table("In the simulator, every spike equal", columns, rows)


def commands_of(found: list[tuple[Case, Result]]) -> str:
    lines = [command for _, result in found for command in result["commands"]]
    return "\n".join(["**Commands**", "", "```sh", *lines, "```"])


if __name__ == "__main__":
    sys.exit(main())
