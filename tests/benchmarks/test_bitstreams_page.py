"""The page of bitstreams: a line by hand, and the kept results."""

import json

import pytest

from benchmarks import bitstreams
from benchmarks.figures.page import page_with

SPOT = {"stage": "fc1", "block": "lif", "instance": "core.fc1", "signal": "sum"}


def result(mhz, tools="Yosys 0.0"):
    return {
        "board": {"device": "LFE5U-85F", "speed": 6}, "clock_mhz": 60.0, "fmax_mhz": mhz, "seed": 1, "tools": tools,
        "options": ["a.safetensors", "--loadable"], "bytes": 77, "utilization": {"TRELLIS_FF": {"used": 5, "available": 9}},
        "critical_path": {"delay": 12.34, "start": SPOT, "end": SPOT | {"signal": "b"}},
        "measured": {"seconds": 3, "sources": {"rtl": "aa"}},
    }  # fmt: skip


def test_a_line_for_each_design():
    text = bitstreams.page({"x": result(80.04), "y": result(70.0, "Yosys 0.1")})
    options = "`a.safetensors --loadable --board ulx3s-85f --lanes 2`"
    assert f"| {options} | 0 | 5 of 9 | 0 | 0 | 60 MHz | 80.0 MHz | 77 |" in text
    assert "LFE5U-85F of speed grade 6, seed 1; Yosys 0.0; Yosys 0.1**" in text
    assert "x: 12.3 ns, from `core.fc1.sum` to `core.fc1.b`; y: " in text


def test_results_of_several_sources_are_said_to_be_so(tmp_path, monkeypatch):
    monkeypatch.setattr(bitstreams, "RESULTS", tmp_path)
    for name, digest in (("loadable", "aa"), ("fashion-small", "bb")):
        measured = {"seconds": 3, "sources": {"rtl": digest}}
        (tmp_path / f"{name}.json").write_text(json.dumps(result(80.0) | {"measured": measured}))
    assert list(bitstreams.kept()) == ["fashion-small", "loadable"]
    assert bitstreams.section(bitstreams.kept()).startswith("<!-- figures bitstreams: 6 s; rtl several -->")


def test_a_build_that_fails_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(bitstreams, "RESULTS", tmp_path / "results")
    with pytest.raises(SystemExit, match="there is no bitstream"):
        bitstreams.build("x", [str(tmp_path / "none.safetensors")])
    assert not (tmp_path / "results").exists()


def test_the_page_holds_the_kept_results():
    assert bitstreams.section(bitstreams.kept()) in page_with("<!-- bitstreams: begin -->").read_text()
