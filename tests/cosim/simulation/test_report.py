"""The report says what the run gave, also when the run gave nothing."""

import dataclasses
import io
import re

import numpy as np
import pytest
from rich.console import Console

from duospike.cosim.cycles.model import run_model
from duospike.cosim.simulation.network_run import run_network
from duospike.cosim.simulation.report import MAX_LISTED, image_lines, make_report, stage_table, throughput_line
from duospike.reference.data.datasets import random_images
from tests.benches.small_networks import small_network, small_stages


@pytest.fixture(scope="module")
def hardware_run(tmp_path_factory):
    network = small_network()
    images = random_images(2, network.input_shape, network.pixel_range, 3)
    return run_network(network, small_stages(network), images, tmp_path_factory.mktemp("run"))


def test_stages_are_counted_from_spikes_and_counters(hardware_run):
    report = make_report(hardware_run, np.array([2, 0]), "icarus")
    by_name = {stage["name"]: stage for stage in report["stages"]}
    conv, pool = hardware_run.trace.spikes["conv2"], by_name["pool1"]
    assert by_name["conv2"]["neurons"] == 5 * 6 * 7
    assert by_name["conv2"]["spikes"] == int(conv.sum())
    assert by_name["conv2"]["sparsity"] == pytest.approx(1 - conv.sum() / conv.size)
    # Each group of lanes sees each channel of conv1 that spikes at a pixel once.
    groups = hardware_run.stages["conv2"].groups
    assert by_name["conv2"]["events"] == groups * int(hardware_run.trace.spikes["conv1"].any(1).sum())
    assert (pool["neurons"], pool["kind"], by_name["readout"]["spikes"]) == (0, "pool", None)
    assert [image["label"] for image in report["images"]] == [2, 0]


def test_lines_and_table_show_the_figures(hardware_run):
    report = make_report(hardware_run, None, "icarus")
    assert re.fullmatch(r"image 0: label unknown, hardware ., reference ., [0-9]+ cycles", image_lines(report)[0])
    assert len(image_lines(report)) == 2
    first, second = (beat.cycle for beat in hardware_run.outcome.streams["dst"])
    rate = f"an image each {second - first} cycles, {1e8 / (second - first):.0f} a second at 100 MHz"
    assert throughput_line(report) == f"total: {hardware_run.outcome.cycles} cycles for 2 images, {rate}"
    alone = throughput_line(report | {"images": report["images"][:1], "interval": None})
    assert alone == f"total: {hardware_run.outcome.cycles} cycles for 1 image"
    console = Console(width=80, file=io.StringIO())
    console.print(stage_table(report))
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for stage in report["stages"]:
        assert stage["name"] in text and str(stage["busy_cycles"]) in text


def test_labelled_images_have_an_accuracy_and_many_are_not_listed():
    image = {"label": 3, "predicted_class": 3, "expected_class": 3, "cycles": 7}
    wrong = {"label": 3, "predicted_class": None, "expected_class": 3, "cycles": None}
    lines = image_lines({"images": [{"index": 0, **image}, {"index": 1, **wrong}]})
    assert lines == [
        "image 0: label 3, hardware 3, reference 3, right, 7 cycles",
        "image 1: label 3, hardware unknown, reference 3, wrong, unknown cycles",
        "accuracy of the hardware: 1 of 2 images, 50.00%",
    ]
    many = image_lines({"images": [{"index": i, **image} for i in range(MAX_LISTED + 3)]})
    assert len(many) == MAX_LISTED + 2
    assert many[-2:] == ["3 more images are in report.json", f"accuracy of the hardware: {MAX_LISTED + 3} of 23 images, 100.00%"]


def test_first_and_last_beats_are_those_of_the_cycle_model(hardware_run):
    report, model = (
        make_report(hardware_run, None, "icarus"),
        run_model(hardware_run.stages, hardware_run.trace),
    )
    assert list(report["firsts"]) == list(model.firsts)
    assert report["firsts"] == {name: cycles.tolist() for name, cycles in model.firsts.items()}
    assert report["lasts"] == {name: model.lasts[name].tolist() for name in hardware_run.stages}


def test_only_images_that_came_whole_have_a_last_beat(hardware_run):
    """The second image of conv2 lacks its last beat."""
    streams = hardware_run.outcome.streams | {"conv2": hardware_run.outcome.streams["conv2"][:-1]}
    report = make_report(
        dataclasses.replace(hardware_run, outcome=dataclasses.replace(hardware_run.outcome, streams=streams)), None, "icarus"
    )
    assert {name: len(cycles) for name, cycles in report["lasts"].items() if name != "readout"} == {
        "conv1": 2, "conv2": 1, "pool1": 2, "fc1": 2
    }  # fmt: skip


def test_a_run_without_results_is_reported_with_its_fault(hardware_run):
    streams = {name: [] for name in hardware_run.outcome.streams}
    outcome = hardware_run.outcome
    nothing = dataclasses.replace(outcome, streams=streams, starts=[], cycles=0, activity_word=0, fault="nothing moved")
    report = make_report(dataclasses.replace(hardware_run, outcome=nothing), None, "icarus")
    assert report["fault"] == "nothing moved"
    assert [(image["predicted_class"], image["cycles"]) for image in report["images"]] == [(None, None)] * 2
