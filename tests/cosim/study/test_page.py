"""The page of a study, read by Python's own parser: means by hand, all plots in it, hashes of the files, nothing from outside."""

import dataclasses
import hashlib
import json

import pytest

from duospike.cosim.pages import plots
from duospike.cosim.pages.run_files import read_study
from duospike.cosim.study.page import make_study_page
from duospike.reference.errors import InputError
from tests.benches.page_reader import PageReader
from tests.cosim.pages.test_run_page import HOSTILE
from tests.cosim.study.test_report import RESULTS

VERSIONS = {"duospike": "0.0.7", "python": "3.0"}


def point(number, **changes):
    more = {"lanes": 12, "cycle_images": 5, "clock_mhz": None, "images": 700, "generator": VERSIONS}
    return {**RESULTS[number], **more, **changes}


@pytest.fixture
def folder(tmp_path):
    """A study of two seeds in floats and one in 4 bits, whose model file is there."""
    results = {"bits=float,seed=1": point(0), "bits=4,seed=1": point(1), "bits=float,seed=2": point(2)}
    (tmp_path / "results.json").write_text(json.dumps(results))
    model = tmp_path / "points" / "bits=4,seed=1" / "model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"integers")
    return tmp_path


@pytest.fixture
def plain(monkeypatch):
    """No plots: they take most of the time of a page."""
    monkeypatch.setattr(plots, "available", lambda: False)


def page_of(folder, **changes):
    return PageReader(make_study_page(dataclasses.replace(read_study(folder), **changes)))


def test_means_spreads_and_points_by_hand(folder, plain):
    page = page_of(folder)
    (float_row, int_row) = page.table("Mean ± standard deviation")
    assert [text for text, _ in float_row[:3]] == ["float", "2", "80.00 ± 14.14 %"] and float_row[2][1] == pytest.approx(0.8)
    assert [text for text, _ in int_row[:4]] == ["4", "1", "80.00 %", "88.00 %"] and int_row[3][1] == pytest.approx(0.88)
    assert [text for text, _ in float_row[4:]] == ["14 ± 6", "18 ± 0", "5 ± 0", "70 ± 0", "100 ± 0", "150 ± 0", "7 ± 0"]
    points = {row[0][0]: [value for _, value in row[1:]] for row in page.table("Each point")}
    assert list(points) == ["bits=float,seed=1", "bits=4,seed=1", "bits=float,seed=2"]
    assert points["bits=float,seed=2"] == pytest.approx([0.7, 0.64, 18, 18, 5, 70, 100, 150, 7])
    (pair,) = page.table("Differences from the baseline")
    # 4 of 10 spikes are saved; the interval of a single pair is unknown.
    assert [text for text, _ in pair[:4]] == ["4", "weight_bits float", "1", "-10.0 (one pair)"]
    assert pair[4][1] == pytest.approx(40)
    ratios = [[text for text, _ in row] for row in page.table("Energy over that of the first row")]
    assert ratios == [[bits, seeds, "7", "–", "1.00", *["–"] * 4] for bits, seeds in (("float", "2"), ("4", "1"))]
    shared = {row[0][0]: row[1][0] for row in page.table("What all points share")}
    assert shared == {
        "lanes": "12",
        "cycle images": "5",
        "clock mhz": "–",
        "images": "700",
        "coding": "direct",
        "timesteps": "2",
    }
    assert "Highest accuracy 80.00 %" in page.text


def test_the_highest_and_the_least_are_those_of_the_right_rows(folder, plain):
    results = read_study(folder).content
    results["bits=4,seed=1"] |= {"accuracy": 0.81, "interval": 130.0, "energy": 3.0}
    text = page_of(folder, content=results).text
    assert "Highest accuracy 81.00 % weight_bits 4" in text and "nJ an image 3 weight_bits 4" in text
    assert "Shortest interval, cycles 100 weight_bits float" in text


def test_areas_are_shown_where_they_were_synthesised(folder, plain):
    results = read_study(folder).content
    results["bits=4,seed=1"] |= {"area": {"lut": 300.0, "lut_ram": 20.0, "block_ram": 1.5}, "static": 9.0}
    page = page_of(folder, content=results)
    rows = page.table("Mean ± standard deviation")
    assert [row[-3:] for row in rows] == [[("-", None)] * 3, [("320", 320.0), ("1.5", 1.5), ("9", 9.0)]]
    assert [row[-3][0] for row in page.table("Each point")] == ["-", "320", "-"]


def test_the_page_needs_nothing_else_and_has_all_plots(folder):
    page = page_of(folder)
    assert page.tags.count("svg") == 7 and {"script", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    assert all(link.startswith(("#", "data:")) for link in page.links), page.links
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert page.texts.count("weight_bits float") >= 3


def test_versions_and_hashes(folder, plain):
    page = page_of(folder)
    measure_text = {row[0][0]: row[1][0] for row in page.table("Where it is from")}
    digest = hashlib.sha256((folder / "results.json").read_bytes()).hexdigest()
    assert measure_text["SHA-256 of results.json"] == digest and measure_text["version of duospike"] == "0.0.7"
    models = {row[0][0]: row[1][0] for row in page.table("Model files")}
    assert models["bits=4,seed=1"] == hashlib.sha256(b"integers").hexdigest() and models["bits=float,seed=1"] == "–"
    assert "do not say with which versions" not in page.text
    results = read_study(folder).content
    results["bits=4,seed=1"]["generator"] = {"duospike": "0.0.8"}
    del results["bits=float,seed=2"]["generator"]
    page = page_of(folder, content=results)
    assert {row[0][0]: row[1][0] for row in page.table("Where it is from")}["version of duospike"] == "0.0.7, 0.0.8"
    assert "1 points do not say with which versions" in page.text


@pytest.mark.parametrize("name", ["..", "../..", "a/../..", "/etc"])
def test_no_model_outside_the_folder_is_read(name, folder, plain):
    (folder / "model.safetensors").write_bytes(b"another")
    page = page_of(folder, content={name: point(1)})
    assert page.table("Model files") == [[(name, None), ("–", None)]]


# Labels of that length leave a plot no room.
@pytest.mark.filterwarnings("ignore:constrained_layout")
def test_markup_is_shown_as_text(folder):
    settings = {HOSTILE: HOSTILE, "seed": 1}
    other = point(1, settings=settings | {HOSTILE: "plain"})
    page = page_of(folder, content={HOSTILE: point(0, settings=settings, generator={HOSTILE: HOSTILE}), "b": other})
    assert {"script", "img"}.isdisjoint(page.tags) and page.tags.count("svg") == 5
    assert "".join(page.texts).count(HOSTILE) >= 6


def test_what_no_study_wrote_is_refused(folder, plain):
    whole = point(0)
    changed = [{key: value for key, value in whole.items() if key != "layers"}, whole | {"interval": "fast"}, 3]
    for content in ({}, *({"a": one} for one in changed), {"a": whole, "b": whole | {"settings": 3}}):
        with pytest.raises(InputError, match="results.json: not what `duospike study` writes"):
            page_of(folder, content=content)
