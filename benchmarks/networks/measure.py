"""What becomes of the networks of cases.py: imported, compared with their library, simulated; --write: into docs/.

python -m benchmarks.networks.measure [--run [NETWORK ...]] [--cifar FOLDER] [--nmnist FOLDER] [--nir FILE] [--write]

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
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import Measurement, begin, comment, joined
from benchmarks.networks.agreement import Agreement, agreement
from benchmarks.networks.cases import CASES, PAPER, Case
from benchmarks.networks.float_graph import float_graph
from benchmarks.networks.recipe import PIXEL, prepared
from duospike.cosim.synthesis.stage_areas import luts
from duospike.reference.data.datasets import PUBLISHED, Dataset, load
from duospike.reference.files import write_atomically
from duospike.reference.modelfile import load_model
from duospike.reference.network import Network

NAME = "networks"
"""Of the figures, and of their section in docs/."""
RUNS, RESULTS = Path("runs/networks"), ROOT / "benchmarks" / "results" / "networks"
EVENT_SAMPLES = 4
OWN_IMAGES = 2000
"""Images that are written for a network that takes others than the published ones: half of them calibrate."""
CALIBRATION = 30_000
"""Timesteps of all calibration images together, up to 200 images."""
CIFAR, NMNIST, GRAPH = "cifar-10-batches-bin", "N-MNIST", "cnn_sinabs.nir"
"""Under which names the page shows the folders and the file that the options name."""

Result = dict[str, Any]


def main() -> int:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs="*", metavar="NETWORK", help=f"all that are trained, or some of {', '.join(names)}")
    parser.add_argument("--only", choices=STEPS, help="this step alone; default: all but area, which takes long")
    parser.add_argument("--images", type=int, default=1000, help="test images whose spikes are compared (default: 1000)")
    parser.add_argument("--cifar", metavar="FOLDER", help="the published files of CIFAR-10")
    parser.add_argument("--nmnist", metavar="FOLDER", help="the published files of N-MNIST")
    parser.add_argument("--nir", metavar="FILE", help="cnn_sinabs.nir of the NIR paper")
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


STEPS = ("agreement", "simulation", "area")
"""Import and compare; simulate; synthesise. Each needs the model that the first has written."""


def measure(case: Case, args: argparse.Namespace) -> None:
    """What is known goes into RESULTS after each step; a step that failed is said, and the others of the row are left."""
    measurement = begin(NAME)
    RUNS.mkdir(parents=True, exist_ok=True)
    for step in STEPS[:2] if args.only is None else [args.only]:
        result = kept(case) or {"commands": {}}
        try:
            command, found = DO[step](case, args)
        except Failed as failure:
            print(f"{case.name}: {step}: {failure}", file=sys.stderr, flush=True)
            return
        keep(case, {**result, "commands": {**result["commands"], step: shown(command, args)}, step: found}, measurement)


class Failed(Exception):
    """A command of Duospike failed; it has printed why."""


def model_of(case: Case) -> Path:
    return RUNS / f"{case.name}.safetensors"


def imported(case: Case, args: argparse.Namespace) -> tuple[list[str], Result]:
    command = import_command(case, model_of(case), args)
    duospike(command)
    return command, compared(case, model_of(case), args).as_json()


def simulated(case: Case, args: argparse.Namespace) -> tuple[list[str], Result]:
    options = [*data_options(case, args), "--images", str(case.cosim), "--simulator", case.simulator]
    command = ["cosim", str(model_of(case)), *options, "--out", str(RUNS / case.name)]
    duospike(command)
    return command, simulation(json.loads((RUNS / case.name / "report.json").read_text()))


def synthesised(case: Case, args: argparse.Namespace) -> tuple[list[str], Result]:
    command = ["synth", str(model_of(case)), "--out", str(RUNS / f"{case.name}-synth")]
    duospike(command)
    return command, areas(json.loads((RUNS / f"{case.name}-synth" / "areas.json").read_text()))


def areas(report: Result) -> Result:
    """LUTs of the whole, RAM blocks and multipliers."""
    return {"luts": sum(luts(stage["cells"]) for stage in report["stages"])}


DO: dict[str, Callable[[Case, argparse.Namespace], tuple[list[str], Result]]] = {
    "agreement": imported,
    "simulation": simulated,
    "area": synthesised,
}


def kept(case: Case) -> Result | None:
    path = RESULTS / f"{case.name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def keep(case: Case, result: Result, measurement: Measurement) -> None:
    result = {**result, "measured": measurement.record()}
    write_atomically(RESULTS / f"{case.name}.json", (json.dumps(result, indent=2) + "\n").encode())


def data_options(case: Case, args: argparse.Namespace) -> list[str]:
    """What --data gets. Images and events that no published file has are written first, with the same seed each time."""
    if case.events:
        return ["--data", folder(case, args.nmnist, "--nmnist", "N-MNIST")]
    if case.recipe is None:
        events = RUNS / "events.npy"
        np.save(events, case.module.random_events(EVENT_SAMPLES))
        return ["--data", str(events)]
    if case.recipe.dataset == "cifar-10":
        return ["--data", folder(case, args.cifar, "--cifar", "CIFAR-10")]
    if case.recipe.coding == "rate" or case.recipe.padding:
        images, labels = RUNS / f"{case.source}-images.npy", RUNS / f"{case.source}-labels.npy"
        data = own(case)
        np.save(images, data.images)
        np.save(labels, np.asarray(data.labels, np.int64))
        return ["--data", str(images), "--labels", str(labels)]
    return ["--data", "fashion-mnist"]


def folder(case: Case, given: str | None, option: str, data: str) -> str:
    if given is None:
        raise SystemExit(f"{case.name}: name the folder of {data} with {option}")
    return given


def own(case: Case) -> Dataset:
    """The first test images, as the network takes them."""
    assert case.recipe is not None
    test = PUBLISHED[case.recipe.dataset].read("test", None)
    assert test.labels is not None
    return Dataset(prepared(case.recipe, test.images[:OWN_IMAGES], case.timesteps), test.labels[:OWN_IMAGES])


def import_command(case: Case, model: Path, args: argparse.Namespace) -> list[str]:
    source = f"benchmarks/networks/{case.file}.py:{case.function}"
    if case.nir:
        source = str(graph_of(case, args))
    rounding = [] if case.bits is None else ["--quantize", str(case.bits), *data_options(case, args), *few(case)]
    return ["import", source, *case.input_options(), *rounding, "--out", str(model)]


def few(case: Case) -> list[str]:
    """Few images for the import: what it prints compares real numbers, and the comparison with the library is made here."""
    return f"--calibration {min(200, CALIBRATION // case.timesteps)} --limit 100".split()


def graph_of(case: Case, args: argparse.Namespace) -> Path | str:
    """The file of NIR: the one that is named, or written now."""
    if case.function == PAPER:
        if args.nir is None:
            raise SystemExit(f"{case.name}: name the file with --nir")
        return args.nir
    import nir

    path = RUNS / f"{case.function}.nir"
    nir.write(path, getattr(case.module, f"{case.function}_graph")())
    return path


def typed(command: list[str]) -> str:
    return f"duospike {' '.join(command)}"


def shown(command: list[str], args: argparse.Namespace) -> str:
    """For the page: folders and files of others under the names that they are published with."""
    names = {args.cifar: CIFAR, args.nmnist: NMNIST, args.nir: GRAPH}
    return typed([names.get(part, part) for part in command])


def duospike(command: list[str]) -> None:
    """Failed if it fails; it prints why itself."""
    print(typed(command), file=sys.stderr, flush=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    if subprocess.run([sys.executable, "-m", "duospike", *command], cwd=ROOT, env=environment).returncode:
        raise Failed(f"duospike {command[0]} failed")


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
    """The library and the integer reference on the same images."""
    network, count = load_model(model), min(case.images, args.images)
    net = float_graph(args.nir) if case.function == PAPER else getattr(case.module, case.function)()
    scale = Fraction(PIXEL) if case.recipe is not None and case.recipe.coding == "direct" else Fraction(1)
    return agreement(net, network, test_data(case, network, count, args), scale)


def test_data(case: Case, network: Network, count: int, args: argparse.Namespace) -> Dataset:
    if case.events:
        return load(folder(case, args.nmnist, "--nmnist", "N-MNIST"), network, None)
    if case.recipe is None:
        return Dataset(case.module.random_events(EVENT_SAMPLES), None)
    if case.recipe.coding == "rate" or case.recipe.padding:
        data, shown = own(case), slice(OWN_IMAGES // 2, OWN_IMAGES // 2 + count)
        return Dataset(data.images[shown], None if data.labels is None else data.labels[shown])
    test = PUBLISHED[case.recipe.dataset].read("test", Path(args.cifar) if case.recipe.dataset == "cifar-10" else None)
    return Dataset(test.images[:count], None if test.labels is None else test.labels[:count])


def results() -> Iterator[tuple[Case, Result]]:
    """The kept results, in the order of CASES."""
    for case in CASES:
        if result := kept(case):
            yield case, result


def section() -> str:
    """The tables, from the kept results."""
    found = list(results())
    head = (
        f"`python -m benchmarks.networks.measure --run`, on {machine()}. Spikes of every neuron at every timestep, compared with "
        "those of the library itself. The measuring program writes the files in runs/networks that the commands read."
    )
    record = comment(NAME, joined([result["measured"] for _, result in found]))
    tables = [accuracy_table(found), simulation_table(found), commands_of(found)]
    return "\n\n".join([record, textwrap.fill(head, 130, break_on_hyphens=False), *tables])


def accuracy_table(found: list[tuple[Case, Result]]) -> str:
    right = ["images", "library", "integers", "points"]
    columns = ["network", "narrowed to", "data, T", "import", *right, "other answers", "other spikes", "spikes an image"]
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
    about = [case.title, case.narrowed, f"{case.data}, {case.timesteps}", case.how]
    return [*about, f"{one.images:,}", *accuracies, str(one.other_answers), different, spikes]


def simulation_table(found: list[tuple[Case, Result]]) -> str:
    rows = [simulation_row(case, result) for case, result in found if result.get("simulation")]
    equal = ["simulator", "images", "neuron outputs", "spikes"]
    columns = ["network", "import", *equal, "lanes", "passes", "latency, cycles", "cycles an image", "LUTs"]
    return table("In the simulator, every spike equal", columns, rows)


def simulation_row(case: Case, result: Result) -> list[str]:
    one, area = result["simulation"], result.get("area")
    interval = "" if one["interval"] is None else f"{one['interval']:,.0f}"
    equal = [one["simulator"], str(one["images"]), f"{one['compared']:,}", f"{one['spikes']:,}"]
    taken = "" if area is None else f"{area['luts']:,}"
    return [case.title, case.how, *equal, str(one["lanes"]), str(one["passes"]), f"{one['latency']:,}", interval, taken]


def commands_of(found: list[tuple[Case, Result]]) -> str:
    lines = [result["commands"][step] for _, result in found for step in STEPS if step in result["commands"]]
    return "\n".join(["**Commands**", "", "```sh", *lines, "```"])


if __name__ == "__main__":
    sys.exit(main())
