"""The command report as a user runs it."""

import json
import os
import shutil

import pytest

from tests.benches.commands import run
from tests.benches.page_reader import PageReader


@pytest.fixture
def folders(finished_runs, tmp_path):
    """The runs' folders, the model's and the images' files beside them, for a test to change."""
    shutil.copytree(finished_runs["cosim"].parent, tmp_path, dirs_exist_ok=True)
    return {command: tmp_path / command for command in ("cosim", "energy")}


def test_the_page_goes_to_the_first_folder_and_away_with_its_run(folders, tmp_path, capsys):
    assert run("report", folders["cosim"], folders["energy"], "--image", 2) == 0
    page = folders["cosim"] / "report.html"
    assert f"wrote {page}, of {folders['cosim'] / 'report.json'}, {folders['energy'] / 'energy.json'}" in capsys.readouterr().out
    text = PageReader(page.read_text(encoding="utf-8")).text
    assert "Bit-exact in icarus" in text and "Spikes of image 2" in text
    # A run may take the place of the one before it, page and all.
    words = ["--data", tmp_path / "images.npy", "--out", folders["cosim"]]
    assert run("energy", tmp_path / "model.safetensors", "--images", 1, *words) == 0
    assert not page.exists()


def test_a_folder_of_runs_is_all_of_them(folders, tmp_path, capsys):
    (tmp_path / "runs").mkdir()
    for command, folder in folders.items():
        shutil.copytree(folder, tmp_path / "runs" / command)
    (tmp_path / "runs" / "notes.txt").write_text("a file among them")
    assert run("report", tmp_path / "runs") == 0
    page = tmp_path / "runs" / "report.html"
    files = ", ".join(str(tmp_path / "runs" / name) for name in ("cosim/report.json", "energy/energy.json"))
    assert f"wrote {page}, of {files}\n" in capsys.readouterr().out and page.is_file()


def test_files_of_several_commands_in_one_folder_and_a_file_of_choice(folders, tmp_path):
    (folders["energy"] / "energy.json").rename(folders["cosim"] / "energy.json")
    out = tmp_path / "page.html"
    assert run("report", folders["cosim"], "--out", out) == 0
    report = json.loads((folders["cosim"] / "energy.json").read_text())
    [row] = PageReader(out.read_text(encoding="utf-8")).table("nJ an image")
    assert row[1] == (f"{report['total']:.1f}", report["total"])
    first = out.read_bytes()
    assert run("report", folders["cosim"], "--out", out) == 0
    assert out.read_bytes() == first and not (folders["cosim"] / "report.html").exists()


def test_bad_input_is_one_line_and_leaves_nothing(folders, tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "areas.json").write_text("{}")
    bad = {
        "none: not found": ["report", tmp_path / "none"],
        "empty: holds no run": ["report", folders["cosim"], tmp_path / "empty"],
        "areas.json: not what `duospike synth` writes": ["report", tmp_path / "broken"],
        "image 3 is in no run here; allowed: 0 to 2": ["report", folders["cosim"], "--image", "3"],
        "results.json: is the name of a file that duospike study writes": [
            "report",
            tmp_path,
            "--out",
            tmp_path / "results.json",
        ],
        "energy.json: is the name of a file that duospike energy writes": ["report", tmp_path, "--out", tmp_path / "energy.json"],
        "page.html: cannot be written": ["report", folders["cosim"], "--out", tmp_path / "none" / "page.html"],
    }
    before = sorted(tmp_path.rglob("*"))
    capfd.readouterr()
    for message, words in bad.items():
        assert run(*words) == 2
        lines = capfd.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith("duospike: error: ") and message in lines[0], lines
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(SystemExit):
        run("report", folders["cosim"], "--image", "-1")
    assert "'-1' is not a whole number from 0 up" in capfd.readouterr().err


def test_names_and_texts_that_are_no_text_are_shown_by_their_numbers(folders, tmp_path, capsys):
    folder = (tmp_path / "runs\udcff").joinpath("a")
    shutil.copytree(folders["energy"], folder)
    content = json.loads((folder / "energy.json").read_text())
    content["data"]["source"] = "pictures\ud800.npy"
    (folder / "energy.json").write_text(json.dumps(content))
    assert run("report", folder) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert r"runs\udcff/a" in page and r"pictures\ud800.npy" in page
    assert rf"runs\udcff{os.sep}a" in capsys.readouterr().out
