"""The page of clocks: medians and ranges by hand, with all results and with some."""

import json

import pytest

from benchmarks import timing
from benchmarks.timing import is_current, page, read


def result(mhz, seed=1, used=1000, block="lif", ends=(("conv1", "mac_array", 8.0), ("fc1", "lif", 9.0))):
    spots = [{"stage": stage, "block": name, "instance": stage, "signal": "x", "delay": delay} for stage, name, delay in ends]
    return {
        "device": "LFE5U-85F", "speed": 6, "seed": seed, "target_mhz": 100, "yosys": "Yosys 0.0", "nextpnr": "nextpnr 0.0",
        "utilization": {"TRELLIS_COMB": {"used": used, "available": 83640}, "TRELLIS_FF": {"used": 77, "available": 83640}},
        "fmax_mhz": mhz,
        "critical_path": {"delay": 10.0, "routing": 6.0, "end": {"stage": "fc1", "block": block}},
        "slowest_ends": spots,
        "images": {"images": 20, "interval": 2500.0, "images_per_second": mhz * 400, "dynamic": 41.0, "static": 1000 / mhz},
    }  # fmt: skip


def row_of(text, title, first):
    """The cells of a row of a table, without the first."""
    lines = text.partition(f"**{title}")[2].splitlines()
    return next(line for line in lines if line.startswith(f"| {first} |")).strip("| ").split(" | ")[1:]


FOUND = {
    (2, 8): [result(80.0), result(100.0, 2, block="scanner"), result(90.0, 3, block="row_buffer")],
    (4, 6): [result(50.0, ends=[("fc1", "scanner", 20.0)])],
}


def test_clocks_are_medians_with_their_range():
    text = page(FOUND)
    head = " ".join(text.partition("**")[0].split())
    assert "Yosys 0.0, nextpnr 0.0, " in head and "20 test images" in head and "LFE5U-85F, 100 MHz aimed at" in head
    clock = ["90.0 (80.0 to 100.0)", "fc1, `row_buffer`", "60%", "2500", "36000", "41", "11"]
    assert row_of(text, "Clock by lanes", "2") == ["8", "1000", "77", "0", "0", "3", *clock]
    assert row_of(text, "Clock by lanes", "4")[5:7] == ["1", "50.0 (50.0 to 50.0)"]


def test_slowest_paths_are_by_stage():
    text = page(FOUND)
    assert row_of(text, "Slowest path", "conv1") == ["8.0 `mac_array`", "-"]
    assert row_of(text, "Slowest path", "fc1") == ["9.0 `lif`", "20.0 `scanner`"]


def test_results_are_read_by_seed(tmp_path):
    for seed in (3, 1):
        (tmp_path / f"seed-{seed}.json").write_text(json.dumps(result(100.0 + seed, seed)))
    assert [one["seed"] for one in read(tmp_path)] == [1, 3]
    assert read(tmp_path / "none") == []


def test_a_result_from_other_sources_is_measured_again(tmp_path):
    file = tmp_path / "seed-1.json"
    assert not is_current(file, {"rtl": "a"})
    file.write_text(json.dumps(result(100.0)))
    assert not is_current(file, {"rtl": "a"})
    file.write_text(json.dumps(result(100.0) | {"measured": {"seconds": 1, "sources": {"rtl": "a"}}}))
    assert is_current(file, {"rtl": "a"}) and not is_current(file, {"rtl": "b"})


def test_the_page_is_written_between_its_marks(tmp_path, monkeypatch, capsys):
    written = tmp_path / "docs" / "timing.md"
    written.parent.mkdir()
    written.write_text("# Timing\n<!-- timing: begin -->\nold\n<!-- timing: end -->\nafter\n")
    (tmp_path / "lanes-4-grade-6").mkdir()
    (tmp_path / "lanes-4-grade-6" / "seed-2.json").write_text(json.dumps(result(64.0, 2)))
    monkeypatch.setattr("benchmarks.figures.page.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["timing", "--no-run", "--write", "--results", str(tmp_path)])
    assert timing.main() == 0
    text = written.read_text()
    assert "64.0 (64.0 to 64.0)" in text and "old" not in text and text.endswith("<!-- timing: end -->\nafter\n")
    assert "64.0 (64.0 to 64.0)" in capsys.readouterr().out


def test_without_results_there_is_no_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["timing", "--no-run", "--results", str(tmp_path)])
    with pytest.raises(SystemExit):
        timing.main()
    assert "no result is there" in capsys.readouterr().err
