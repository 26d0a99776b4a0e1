"""The report of a co-simulation, as a table and as JSON."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from duospike.cosim.cycles.model import SOURCE
from duospike.cosim.design.plan import READOUT, readout_of, stage_beats
from duospike.cosim.design.provenance import run_provenance
from duospike.cosim.design.sizing import Sizing
from duospike.cosim.errors import CosimError
from duospike.cosim.interval import mean_interval
from duospike.reference.files import write_file
from duospike.reference.golden import Trace
from duospike.reference.network import Network
from duospike.rtl.stage import NeuronStage, Stage

from .compare import decode_result
from .network_run import NetworkRun

CLOCK_HZ = 100e6
MAX_LISTED = 20
"""Images that are printed one by one."""


def write_report(
    folder: Path, found: dict[str, Any], *, network: Network, images: np.ndarray, source: str, sizing: Sizing
) -> dict[str, Any]:
    """Write report.json: where the numbers come from, then what was found, of make_report or join_reports. Returns its content.

    source: of the images [count, channels, height, width], as --data names it.
    """
    report = run_provenance(network, images, source, sizing) | found
    write_file(folder / "report.json", json.dumps(report, indent=2) + "\n")
    return report


def make_report(run: NetworkRun, labels: np.ndarray | None, simulator: str) -> dict:
    """The content of report.json.

    bit_exact; mismatch: null or image, stage, timestep, channel, y, x, expected, got; fault: null or why the simulation
    ended early (without the last class all counters are 0); simulator; compared: neuron outputs; images: index, label,
    expected_class, predicted_class (null if it did not come), cycles (from the first pixel to the class); stages: name,
    kind, lanes, neurons, spikes (over all images and timesteps, by the reference; null where none leave), sparsity,
    events, busy_cycles, stall_in, stall_out; total_cycles; interval: see interval.py, null if no class follows another;
    firsts, lasts: by stage, and the firsts of the source, the cycles of the first and last beat of each image that came whole.
    """
    firsts, lasts = _beat_cycles(run)
    return {
        "bit_exact": run.mismatch is None,
        "mismatch": None if run.mismatch is None else dataclasses.asdict(run.mismatch),
        "fault": run.outcome.fault,
        "simulator": simulator,
        "compared": compared_outputs(run.trace, run.stages),
        "images": [_image(run, labels, index) for index in range(len(run.images))],
        "stages": [_stage(run, name, counters) for name, counters in run.activity.items()],
        "total_cycles": run.outcome.cycles,
        "interval": mean_interval(lasts[READOUT]),
        "firsts": firsts,
        "lasts": lasts,
    }


def compared_outputs(trace: Trace, stages: dict[str, Stage]) -> int:
    """Neuron outputs of the stages that are compared: spikes of each timestep, and potentials that a read-out takes."""
    potentials = 0 if trace.membranes is None else trace.membranes[:, :: readout_of(stages).timesteps].size
    return potentials + sum(trace.spikes[name].size for name in stages if name in trace.spikes)


def _beat_cycles(run: NetworkRun) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    firsts, lasts = {SOURCE: list(run.outcome.starts)}, {}
    for name, beats in stage_beats(run.stages).items():
        cycles = [beat.cycle for beat in run.outcome.streams["dst" if name == READOUT else name]]
        whole = min(len(cycles) // beats, len(run.images)) * beats
        firsts[name], lasts[name] = cycles[:whole:beats], cycles[beats - 1 : whole : beats]
    return firsts, lasts


def _image(run: NetworkRun, labels: np.ndarray | None, index: int) -> dict:
    results = run.outcome.streams["dst"]
    predicted = cycles = None
    if index < min(len(results), len(run.outcome.starts)):
        cycles = results[index].cycle - run.outcome.starts[index] + 1
        try:
            predicted = decode_result(run.readout, results[index].value(READOUT))[0]
        except CosimError:
            predicted = None
    return {
        "index": index,
        "label": None if labels is None else int(labels[index]),
        "expected_class": int(run.trace.predicted[index]),
        "predicted_class": predicted,
        "cycles": cycles,
    }


def _stage(run: NetworkRun, name: str, counters: dict[str, int]) -> dict:
    stage, spikes = run.stages[name], run.trace.spikes.get(name)
    neurons = 0
    if isinstance(stage, NeuronStage):
        neurons = stage.outputs if spikes is None else int(np.prod(spikes.shape[2:]))
    return {
        "name": name,
        "kind": stage.kind,
        "lanes": stage.lanes,
        "neurons": neurons,
        "spikes": None if spikes is None else int(spikes.sum()),
        "sparsity": None if spikes is None else 1 - float(spikes.mean()),
        "events": counters["events"],
        "busy_cycles": counters["busy"],
        "stall_in": counters["stall_in"],
        "stall_out": counters["stall_out"],
    }


COLUMNS = ("stage", "kind", "lanes", "neurons", "spikes", "sparsity", "events", "busy\ncycles", "stall\nin", "stall\nout")


def stage_table(report: dict) -> Table:
    """The stages of a report as a table for the terminal."""
    table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    for title in COLUMNS:
        table.add_column(title, justify="left" if title in ("stage", "kind") else "right", no_wrap=True)
    for stage in report["stages"]:
        sparsity = None if stage["sparsity"] is None else f"{stage['sparsity']:.1%}"
        cells = (stage["name"], stage["kind"], stage["lanes"], stage["neurons"] or None, stage["spikes"], sparsity)
        counters = (stage["events"] or None, stage["busy_cycles"], stage["stall_in"], stage["stall_out"])
        table.add_row(*("-" if cell is None else str(cell) for cell in (*cells, *counters)))
    return table


def image_lines(report: dict) -> list[str]:
    """One line for each of the first images: label, what hardware and reference say, in how many cycles; then the accuracy."""
    images = report["images"]
    lines = [_image_line(image) for image in images[:MAX_LISTED]]
    if len(images) > MAX_LISTED:
        lines.append(f"{len(images) - MAX_LISTED} more images are in report.json")
    if all(image["label"] is not None for image in images):
        right = sum(image["predicted_class"] == image["label"] for image in images)
        lines.append(f"accuracy of the hardware: {right} of {len(images)} images, {right / len(images):.2%}")
    return lines


def _image_line(image: dict) -> str:
    label, predicted = image["label"], image["predicted_class"]
    verdict = "" if label is None else ", right" if predicted == label else ", wrong"
    answers = f"hardware {_shown(predicted)}, reference {image['expected_class']}{verdict}"
    return f"image {image['index']}: label {_shown(label)}, {answers}, {_shown(image['cycles'])} cycles"


def throughput_line(report: dict) -> str:
    """Total cycles, and of images that follow each other the interval and how many a second that is at 100 MHz."""
    images, interval = len(report["images"]), report["interval"]
    total = f"total: {report['total_cycles']} cycles for {images} image" + ("s" if images > 1 else "")
    if interval is None:
        return total
    return f"{total}, an image each {interval:.0f} cycles, {CLOCK_HZ / interval:.0f} a second at 100 MHz"


def _shown(value: int | None) -> str:
    return "unknown" if value is None else str(value)
