"""Measures clocks by placement and routing, prints them, and with --write puts them into docs/.

python -m benchmarks.timing [--results runs/timing] [--no-run] [--write]

Writes RESULTS/lanes-L-grade-G/seed-S.json for each number of lanes with its speed grades and each seed; the page is made of
those that are there. One that was measured from the sources of today is not measured again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import Any

from benchmarks.figures.page import ROOT, machine, table, write_section
from benchmarks.figures.record import Measurement, begin, comment, joined
from duospike.cosim.design.build import convert_stages
from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.provenance import run_provenance
from duospike.cosim.design.sizing import choose_sizing
from duospike.cosim.energy.image_costs import image_costs
from duospike.cosim.folder import temporary_folder
from duospike.cosim.synthesis.yosys import yosys_version
from duospike.cosim.timing.place_route import Target, flat_netlist, place_and_route
from duospike.cosim.timing.report import make_report
from duospike.reference.data.datasets import load
from duospike.reference.files import write_atomically
from duospike.reference.modelfile import load_model

MODEL, DATA, IMAGES = "models/fashion-small.safetensors", "fashion-mnist", 20
DESIGNS = ((2, 8), (4, 8), (8, 8), (2, 6), (4, 6), (8, 6))
"""Lanes of each stage, and the speed grade of the device: 6 is the slowest, 8 the fastest."""

SEEDS = (1, 2, 3, 4, 5)
KINDS = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D")

MEASURED = "measured"
"""Of a result: the record of its Measurement."""

Timing = dict[str, Any]
"""The content of timing.json."""

Design = tuple[int, int]
"""Of DESIGNS."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "runs" / "timing", help="folder of the results")
    parser.add_argument("--no-run", action="store_true", help="place nothing, only show the results that are there")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/")
    args = parser.parse_args()
    if not args.no_run:
        for lanes, grade in DESIGNS:
            measure(lanes, grade, folder_of(args.results, lanes, grade))
    found = {design: read(folder_of(args.results, *design)) for design in DESIGNS}
    found = {design: timings for design, timings in found.items() if timings}
    if not found:
        parser.error(f"{args.results}: no result is there")
    record = joined([timing.get(MEASURED) for timings in found.values() for timing in timings])
    text = f"{comment('timing', record)}\n\n{page(found)}"
    print(text)
    if args.write:
        write_section("timing", text)
    return 0


def folder_of(results: Path, lanes: int, grade: int) -> Path:
    return results / f"lanes-{lanes}-grade-{grade}"


def measure(lanes: int, grade: int, folder: Path) -> None:
    """Place the network with as many lanes, once with each seed that is not current, as `duospike synth --pnr` does."""
    today = begin("timing").sources
    seeds = [seed for seed in SEEDS if not is_current(folder / f"seed-{seed}.json", today)]
    if not seeds:
        return
    network = load_model(ROOT / MODEL)
    sizing = choose_sizing(network, lanes)
    stages, images = plan_stages(network, sizing), load(DATA, network, IMAGES).images
    costs, modules = image_costs(network, stages, images), convert_stages(stages)
    about = run_provenance(network, images, DATA, sizing) | {"yosys": yosys_version(), "multipliers": "dsp"}
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder() as work:
        flat_netlist(modules, work)
        for seed in seeds:
            measurement = Measurement("timing", today)
            timing = about | make_report(place_and_route(work, Target(speed=grade, seed=seed)), modules, costs)
            timing[MEASURED] = measurement.record()
            write_atomically(folder / f"seed-{seed}.json", (json.dumps(timing, indent=2) + "\n").encode())
            print(f"{lanes} lanes, grade {grade}, seed {seed}: {timing['fmax_mhz']:.1f} MHz", file=sys.stderr, flush=True)


def is_current(file: Path, today: Mapping[str, str]) -> bool:
    """Whether a result is there and was measured from these sources."""
    return file.exists() and json.loads(file.read_text()).get(MEASURED, {}).get("sources") == today


def read(folder: Path) -> list[Timing]:
    """The results of one design, by seed."""
    files = [folder / f"seed-{seed}.json" for seed in SEEDS]
    return [json.loads(file.read_text()) for file in files if file.exists()]


def page(found: dict[Design, list[Timing]]) -> str:
    """The section: clocks by design, and the slowest path that ends in each stage. found: one or more of each."""
    first = next(iter(found.values()))[0]
    head = (
        f"`{MODEL}` on {first['device']}, {first['target_mhz']} MHz aimed at, {first['images']['images']} test "
        f"images; {first['yosys']}, {first['nextpnr']}, {machine()}. Clocks: the median of the seeds and, in brackets, "
        "the slowest and the fastest; images a second and what leaks at the median; energy is modelled."
    )
    return "\n\n".join([fill(head, 130, break_long_words=False, break_on_hyphens=False), clocks(found), stages(found)])


def clocks(found: dict[Design, list[Timing]]) -> str:
    columns = [
        "lanes", "speed grade", *KINDS, "seeds", "MHz", "critical path ends in", "of it routing", "cycles an image",
        "images a second", "nJ, dynamic", "nJ, static",
    ]  # fmt: skip
    rows = []
    for (lanes, grade), timings in found.items():
        # The seed of the lower median represents all.
        middle = sorted(timings, key=fmax)[(len(timings) - 1) // 2]
        images, path = middle["images"], middle["critical_path"]
        used = [str(middle["utilization"].get(kind, {"used": 0})["used"]) for kind in KINDS]
        speeds = [fmax(timing) for timing in timings]
        clock = f"{median(speeds):.1f} ({min(speeds):.1f} to {max(speeds):.1f})"
        rate = median(timing["images"]["images_per_second"] for timing in timings)
        static = median(timing["images"]["static"] for timing in timings)
        end = f"{path['end']['stage']}, `{path['end']['block']}`"
        cells = [clock, end, f"{path['routing'] / path['delay']:.0%}", f"{images['interval']:.0f}", f"{rate:.0f}"]
        rows.append([str(lanes), str(grade), *used, str(len(timings)), *cells, f"{images['dynamic']:.0f}", f"{static:.0f}"])
    return table("Clock by lanes and speed grade", columns, rows)


def stages(found: dict[Design, list[Timing]]) -> str:
    """Median over the seeds of the slowest path that ends in a stage, and the block that it ends in with most seeds."""
    names = dict.fromkeys(end["stage"] for timings in found.values() for end in timings[0]["slowest_ends"])
    rows = []
    for name in names:
        cells = []
        for timings in found.values():
            ends = [end for timing in timings if (end := slowest(timing, name))]
            blocks = [end["block"] for end in ends]
            often = max(blocks, key=blocks.count, default="")
            cells.append(f"{median(end['delay'] for end in ends):.1f} `{often}`" if ends else "-")
        rows.append([name, *cells])
    title = "Slowest path that ends in a stage, ns, and the block that it ends in"
    return table(title, ["stage", *(f"{lanes} lanes, grade {grade}" for lanes, grade in found)], rows)


def slowest(timing: Timing, stage: str) -> dict[str, Any] | None:
    """The slowest path that ends in a stage; None where no timed path does."""
    return next((end for end in timing["slowest_ends"] if end["stage"] == stage), None)


def fmax(timing: Timing) -> float:
    return timing["fmax_mhz"]


if __name__ == "__main__":
    sys.exit(main())
