"""A co-simulation in batches of images, each in a simulation and a folder of its own, and one report of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from duospike.cosim.design.plan import plan_stages
from duospike.cosim.design.sizing import Sizing
from duospike.cosim.folder import output_folder
from duospike.cosim.interval import mean_interval_of_batches
from duospike.reference.modelfile import load_model

from .network_run import run_network
from .report import make_report

SUMS = ("spikes", "events", "busy_cycles", "stall_in", "stall_out")
"""Of a stage, what is added up over the batches."""


def batch_folder(folder: Path, number: int) -> Path:
    return folder / f"batch-{number}"


def run_batch(
    log, model: Path, sizing: Sizing, images: np.ndarray, labels: np.ndarray | None, simulator: str, folder: Path
) -> dict:
    """The report of a batch, whose files are written to a folder, whole or not at all."""
    network = load_model(model)
    stages = plan_stages(network, sizing)
    with output_folder(folder) as fresh:
        finished = run_network(network, stages, images, fresh, simulator=simulator)
    report = make_report(finished, labels, simulator)
    log(f"{folder.name}: {len(images)} images, {report['total_cycles']} cycles")
    return report


def join_reports(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """One report of all images, as if each batch had begun after the last class of the one before.

    mismatch: that of the earliest image. fault: of the batch with the mismatch, or the first one. parts: number of images of
    each batch.
    """
    images: list[dict[str, Any]] = []
    stages = [dict(stage) for stage in reports[0]["stages"]]
    firsts: dict[str, list[int]] = {name: [] for name in reports[0]["firsts"]}
    lasts: dict[str, list[int]] = {name: [] for name in reports[0]["lasts"]}
    mismatch, start = None, 0
    for number, report in enumerate(reports):
        if mismatch is None and report["mismatch"] is not None:
            mismatch = report["mismatch"] | {"image": report["mismatch"]["image"] + len(images)}
        for joined, cycles in ((firsts, report["firsts"]), (lasts, report["lasts"])):
            for name, of_stage in cycles.items():
                joined[name] += [cycle + start for cycle in of_stage]
        if number:
            for stage, more in zip(stages, report["stages"], strict=True):
                stage |= {key: None if stage[key] is None else stage[key] + more[key] for key in SUMS}
        before = len(images)
        images += [image | {"index": image["index"] + before} for image in report["images"]]
        start += report["total_cycles"]
    for i, stage in enumerate(stages):
        silent = [(report["stages"][i]["sparsity"], len(report["images"])) for report in reports]
        stage["sparsity"] = None if stage["sparsity"] is None else sum(share * count for share, count in silent) / len(images)
    return {
        "bit_exact": mismatch is None,
        "mismatch": mismatch,
        "fault": next((report["fault"] for report in reports if report["fault"] is not None), None),
        "simulator": reports[0]["simulator"],
        "compared": sum(report["compared"] for report in reports),
        "images": images,
        "stages": stages,
        "total_cycles": start,
        "interval": mean_interval_of_batches([(report["interval"], len(report["images"])) for report in reports]),
        "firsts": firsts,
        "lasts": lasts,
        "parts": [len(report["images"]) for report in reports],
    }
