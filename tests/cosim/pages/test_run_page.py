"""The page of runs, read by Python's own parser: its numbers are those of the runs' JSON, and nothing is made up."""

import dataclasses
import io
import json
import re
import tracemalloc

import numpy as np
import pytest

from duospike.cosim.pages import plots
from duospike.cosim.pages.run_files import WRITTEN, read_runs
from duospike.cosim.pages.run_page import MAX_DRAWN, MAX_ROWS, SECTIONS, make_page
from duospike.reference.errors import InputError
from tests.benches.page_reader import PageReader
from tests.benches.small_networks import small_network
from tests.benches.small_runs import write_runs

HOSTILE = "<script>alert('$x$')</script><img src=x onerror=alert(1)>&amp;\"'"


@pytest.fixture(scope="module")
def runs(finished_runs):
    """By command."""
    return {run.command: run for run in read_runs(list(finished_runs.values()))}


@pytest.fixture(scope="module")
def page(runs):
    return PageReader(make_page(list(runs.values()), 1))


@pytest.fixture
def plain(monkeypatch):
    """No plots: they take most of the time of a page."""
    monkeypatch.setattr(plots, "available", lambda: False)


def with_content(run, **changes):
    return dataclasses.replace(run, content=json.loads(json.dumps(run.content)) | changes)


def test_the_page_needs_nothing_else(runs, page):
    assert {"script", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    assert all(link.startswith(("#", "data:")) for link in page.links), page.links
    # Names in the page are its own, also where several plots are in it, and what is pointed to is there.
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert "url(http" not in make_page(list(runs.values()), 1)


def test_sections_and_figures_are_there(page):
    assert {anchor for anchor, _, _ in SECTIONS} <= set(page.ids)
    # Cycles and Gantt chart of cosim and of cycles, raster, front.
    assert page.tags.count("svg") == 6
    assert "Not measured here" not in page.text and "not measured" not in page.text


def facts_of(page):
    """The key figures at the top: texts by label."""
    return dict(zip(page.labels, page.figures, strict=True))


def test_the_top_says_network_data_set_and_headline(runs, page, plain):
    evaluation, cycles = runs["evaluate"].content, runs["cycles"].content
    assert page.heading == "3C3-5C3-MP2-FC6 on none"
    assert "weights of 4 bits, " in page.text and f"Images: {cycles['data']['source']}" in page.text
    assert list(page.labels)[:4] == ["Accuracy", "Images a second at 100 MHz", "Latency at 100 MHz, ms", "Bit-exact"]
    found = facts_of(page)
    assert found["Images a second at 100 MHz"] == f"{1e8 / cycles['interval']:.0f}"
    assert found["Latency at 100 MHz, ms"] == f"{cycles['latency'] / 1e5:.3f}"
    assert (evaluation["accuracy"], found["Accuracy"]) == (None, "unknown, images without labels")
    # Without the other commands the co-simulation has its own figures, which are those of the cycle model.
    alone = facts_of(PageReader(make_page([runs["cosim"]], 0)))
    assert {label: alone[label] for label in list(found)[:4]} == {label: found[label] for label in list(found)[:4]}
    assert alone["LUTs"] == "not measured"
    assert PageReader(make_page([runs["cosim"], other_network(runs["cycles"])], 0)).heading == "2 networks"


def other_network(run):
    return with_content(run, network=run.content["network"] | {"sha256": "0" * 64})


def test_results_come_before_the_network_and_its_training():
    anchors = [anchor for anchor, _, _ in SECTIONS]
    assert anchors[:2] == ["verification", "accuracy"] and anchors[-2:] == ["network", "origin"]


def test_numbers_are_those_of_the_runs(runs, page):
    stages = {stage["name"]: stage for stage in runs["cosim"].content["stages"]}
    for name, numbers in page.values("Spikes by the reference").items():
        stage = stages[name]
        assert numbers == [stage["neurons"] or None, stage["spikes"], stage["sparsity"], stage["events"]]
    counted = page.values(f"{runs['cosim'].content['total_cycles']} cycles of 3 images")
    keys = ("lanes", "busy_cycles", "stall_in", "stall_out")
    assert {name: numbers[1:] for name, numbers in counted.items()} == {
        name: [stage[key] for key in keys] for name, stage in stages.items()
    }
    modelled = {one["name"]: one for one in runs["cycles"].content["stages"]}
    keys = ("lanes", "parts", "busy", "busy_share", "stall_in", "stall_out")
    assert {name: numbers[1:] for name, numbers in page.values("Cycles an image, mean").items()} == {
        name: [one[key] for key in keys] for name, one in modelled.items()
    }
    cycles = runs["cycles"].content
    [facts] = page.table("By the cycle model")
    assert [value for _, value in facts] == [cycles[key] for key in ("images", "cycles", "latency", "interval")]
    energy = runs["energy"].content
    [totals] = page.table("nJ an image")
    assert [value for _, value in totals] == [energy[key] for key in ("images", "total", "float_total", "float_ratio")]
    [drawn] = page.table("The ratio with all coefficients drawn")
    assert [value for _, value in drawn] == energy["float_ratio_drawn"]
    for name, numbers in page.values("Where it goes").items():
        assert sorted(number for number in numbers[:-1] if number is not None) == sorted(energy["stages"][name].values())
        assert numbers[-1] == pytest.approx(sum(energy["stages"][name].values()))
    area = runs["synth"].content
    for row in (*area["stages"], {"name": "total", **area["total"]}):
        kinds = ("lut", "ff", "carry", "mux", "dsp", "lut_ram", "block_ram")
        assert page.values("Each stage")[row["name"]][1:] == [row[kind] for kind in kinds]
    timing = runs["synth --family ecp5 --pnr"].content
    [clock] = page.table("Clock")
    assert [value for _, value in clock] == [
        timing["fmax_mhz"],
        *(timing["critical_path"][key] for key in ("delay", "logic", "routing")),
    ]
    # Of each stage the slowest of its instances.
    assert {name: numbers[0] for name, numbers in page.values("The slowest path").items()} == {"conv1": 11.461, "fc1": 8.25}
    used = {kind: numbers[:2] for kind, numbers in page.values("Use of the device").items()}
    assert used == {kind: [one["used"], one["available"]] for kind, one in timing["utilization"].items()}
    [rates] = page.table("At that clock")
    assert [value for _, value in rates] == [
        timing["images"][key] for key in ("images", "interval", "images_per_second", "dynamic", "static")
    ]
    images = [[one[key] for key in ("expected_class", "predicted_class", "cycles")] for one in runs["cosim"].content["images"]]
    assert [[value for _, value in row[2:]] for row in page.table("Images")] == images


def test_the_network_is_named_once_and_with_its_hash(runs, page):
    network = runs["cosim"].content["network"]
    assert page.values("Layers")["conv2"] == [None, None, 3, 5 * 3 * 9, 4, None, None]
    shown = {row[0][0]: row[1][0] for row in page.table("The network")}
    assert (shown["SHA-256 of the model file"], shown["timesteps"]) == (network["sha256"], "2")
    assert [[text for text, _ in row] for row in page.table("How it was trained")] == [["dataset", "none"], ["note", "plain"]]
    hashes = [row[1][0] for caption, rows in page.tables if caption == "Where it is from" for row in rows]
    for run in runs.values():
        assert run.sha256 in hashes
    assert {network["sha256"], runs["cosim"].content["data"]["sha256"]} <= set(hashes)


def test_the_sparsity_of_an_image_is_that_of_its_spikes(runs, page, plain):
    """All images together have the spikes of the report."""
    images = [page, *(PageReader(make_page(list(runs.values()), image)) for image in (0, 2))]
    for stage in runs["cosim"].content["stages"][:-1]:
        found = [
            each.values(f"Spikes of image {image}, all")[stage["name"]] for each, image in zip(images, (1, 0, 2), strict=True)
        ]
        assert sum(spikes for spikes, _ in found) == stage["spikes"]
        assert sum(sparsity for _, sparsity in found) / 3 == pytest.approx(stage["sparsity"])


@pytest.mark.parametrize("command", WRITTEN.values())
def test_what_is_missing_is_named_with_its_command(command, runs, plain):
    alone = PageReader(make_page([runs[command]], 0)).text
    for other in WRITTEN.values():
        assert (f"Not measured here: duospike {other} MODEL." in alone) == (other != command), other
    without = PageReader(make_page([run for run in runs.values() if run.command != command], 0)).text
    assert f"Not measured here: duospike {command} MODEL." in without


def test_accuracy_needs_labels(runs, plain):
    assert "unknown, images without labels" in PageReader(make_page([runs["cosim"]], 0)).text
    images = [{**one, "label": one["predicted_class"] if one["index"] else 99} for one in runs["cosim"].content["images"]]
    labelled = PageReader(make_page([with_content(runs["cosim"], images=images)], 0))
    [[_, (text, value)]] = labelled.table("Simulated hardware")
    assert (text, value) == ("66.67%", pytest.approx(2 / 3))


def test_a_difference_is_shown(runs, plain):
    mismatch = {"image": 1, "stage": "conv2", "timestep": 0, "channel": 4, "y": 3, "x": 2, "expected": 1, "got": 0}
    wrong = with_content(runs["cosim"], bit_exact=False, mismatch=mismatch, fault="nothing moved", lasts=dict.fromkeys(
        runs["cosim"].content["lasts"], [5]))  # fmt: skip
    page = PageReader(make_page([wrong], 1))
    assert {row[0][0]: row[1][0] for row in page.table("The first difference")} == {key: str(mismatch[key]) for key in mismatch}
    assert "NOT EQUAL to the integer reference in icarus." in page.text and "nothing moved" in page.text
    assert "Bit-exact in" not in page.text
    assert "No Gantt chart: image 1 did not come whole in this run." in page.text


def test_a_changed_file_of_the_hdl_is_named(runs, plain):
    assert "files have the SHA-256 of the manifest." in PageReader(make_page([runs["convert"]], 0)).text
    changed = with_content(runs["convert"])
    changed.content["files"]["accelerator.v"] = "0" * 64
    changed.content["files"]["gone.v"] = changed.content["files"]["../model.safetensors"] = "0" * 64
    text = PageReader(make_page([changed], 0)).text
    assert "accelerator.v differs, gone.v is missing, ../model.safetensors is missing." in text
    assert "files have the SHA-256" not in text


def test_runs_of_two_networks_or_sizings_are_named(runs, tmp_path, plain):
    assert "do not belong" not in PageReader(make_page(list(runs.values()), 0)).text
    other = write_runs(tmp_path, small_network(seed=5), ["cycles"])["cycles"]
    text = PageReader(make_page([*runs.values(), *read_runs([other])], 0)).text
    assert "These runs are of 2 networks" in text and "sizings" not in text
    sizing = runs["energy"].content["sizing"] | {"queue_depth": 3}
    text = PageReader(make_page([runs["cosim"], with_content(runs["energy"], sizing=sizing)], 0)).text
    assert "These runs are of 2 sizings" in text and "2 networks" not in text


def hostile(run):
    """The same run with markup for every text: names of layers and stages, and all values."""

    def changed(value):
        if isinstance(value, dict):
            return {HOSTILE + key if key == "conv1" else key: changed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [changed(one) for one in value]
        return HOSTILE + value if isinstance(value, str) else value

    return dataclasses.replace(run, content=changed(run.content))


@pytest.mark.parametrize("command", WRITTEN.values())
def test_markup_in_a_run_is_shown_as_text(command, runs, monkeypatch):
    monkeypatch.setattr(plots, "available", lambda: command == "cycles")
    page = PageReader(make_page([hostile(runs[command])], 0))
    assert {"script", "img"}.isdisjoint(page.tags)
    assert HOSTILE in "".join(page.texts)
    if command == "cycles":
        # In the plots as well.
        assert page.tags.count("svg") == 2 and "".join(page.texts).count(HOSTILE + "conv1") >= 4


def test_files_that_no_command_wrote_are_refused(runs, plain):
    for run in runs.values():
        for broken in ({}, {"stages": 3, "images": 2, "files": [], "network": {"layers": 1}}, run.content | {"network": "x"},
                       run.content | {"network": run.content["network"] | {"timesteps": {}}}):  # fmt: skip
            with pytest.raises(InputError, match=f"{run.name}: not what `duospike {run.command}` writes"):
                make_page([dataclasses.replace(run, content=broken)], 0)


def test_an_image_must_be_in_a_run(runs, plain):
    with pytest.raises(InputError, match="image 3 is in no run here; allowed: 0 to 2"):
        make_page(list(runs.values()), 3)
    assert make_page([runs["synth"]], 3)


def test_runs_of_earlier_versions_lack_what_they_lack(runs, plain):
    old = {key: value for key, value in runs["cosim"].content.items() if key not in ("network", "data", "firsts", "generator")}
    text = PageReader(make_page([dataclasses.replace(runs["cosim"], content=old)], 0)).text
    assert text.count("written by an earlier version") == 3


def test_without_matplotlib_the_page_says_so(runs, plain):
    page = PageReader(make_page(list(runs.values()), 0))
    assert "svg" not in page.tags and page.text.count(plots.MISSING) == 6


def test_more_stages_than_a_network_has_are_not_drawn_and_long_tables_are_refused(runs):
    stage = runs["cycles"].content["stages"][0]
    many = [stage | {"name": f"conv{i}"} for i in range(MAX_DRAWN + 1)]
    page = PageReader(make_page([with_content(runs["cycles"], stages=many)], 0))
    assert f"not drawn, as it has {MAX_DRAWN + 1} parts; drawn are up to {MAX_DRAWN}" in page.text
    assert len(page.table("Cycles an image")) == MAX_DRAWN + 1
    long = with_content(runs["cycles"], stages=[stage] * (MAX_ROWS + 1))
    with pytest.raises(InputError, match=f"{MAX_ROWS + 1} rows of .*; allowed: up to {MAX_ROWS}"):
        make_page([long], 0)


def texts_of(plot, *args):
    file = io.StringIO()
    plot(*args, file)
    return re.findall(r"<text[^>]*>([^<]*)</text>", file.getvalue())


def test_axes_of_shares_are_in_per_cent_and_those_of_costs_start_at_zero():
    points = [("a", 900.0, 0.88, 5.0, 0.01), ("b", 1000.0, 0.9, None, None)]
    texts = texts_of(plots.plot_points, points, [], ("nJ", "accuracy"), "title")
    shares = [float(text[:-1]) for text in texts if text.endswith("%")]
    assert "0" in texts and len(shares) > 1 and all(85 < one < 95 for one in shares)
    lines = {"a": {"conv1": (0.75, 0.01), "fc1": (0.9, None)}}
    assert "80.0%" in texts_of(plots.plot_lines, lines, ["conv1", "fc1"], "sparsity", "title")
    bars = {"latency": {"a": (1000.0, 1200.0), "b": (900.0, None)}}
    texts = texts_of(plots.plot_bars, bars, "cycles", "title")
    assert "0" in texts and not any("\u2212" in text for text in texts)


def test_titles_and_labels_are_broken_to_the_width_of_a_plot():
    bars = {"energy": {"weight_bits 4, timesteps 25, epochs 1, rate": (1.0, None)}}
    texts = texts_of(plots.plot_bars, bars, "nJ", "Latency of an image, and the interval between images that follow each other")
    assert max(map(len, texts)) <= plots.LETTERS and {"weight_bits 4,", "timesteps 25, epochs"} <= set(texts)


def test_a_raster_of_one_channel_takes_no_more_memory_than_its_spikes(tmp_path):
    """Seven hundred rows of a million places would."""
    spikes = {"conv1": np.zeros((1, 1, 1, plots.RASTER_VALUES // 16), np.uint8)}
    tracemalloc.start()
    plots.plot_raster(spikes, "title", tmp_path / "raster.svg")
    assert tracemalloc.get_traced_memory()[1] < 25 * plots.RASTER_VALUES
    tracemalloc.stop()
