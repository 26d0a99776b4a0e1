"""Output folders are written whole or not at all."""

from pathlib import Path

import pytest

from cosim.errors import CosimError
from cosim.folder import output_folder


def test_what_is_written_takes_the_place_of_an_earlier_result(tmp_path):
    target = tmp_path / "a" / "out"
    for text in ("one", "two"):
        with output_folder(target) as folder:
            (folder / "report.json").write_text(text)
            (folder / f"{text}.txt").write_text(text)
    assert sorted(file.name for file in target.iterdir()) == [".duospike", "report.json", "two.txt"]
    assert [file.name for file in target.parent.iterdir()] == ["out"]


def test_an_error_leaves_the_earlier_result_and_nothing_half_written(tmp_path):
    target = tmp_path / "out"
    with output_folder(target) as folder:
        (folder / "manifest.json").write_text("kept")
    with pytest.raises(KeyError), output_folder(target) as folder:
        (folder / "manifest.json").write_text("lost")
        raise KeyError
    assert (target / "manifest.json").read_text() == "kept"
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("earlier", [False, True])
def test_a_folder_with_other_files_is_left_alone(earlier, tmp_path):
    target = tmp_path / "out"
    if earlier:
        with output_folder(target) as folder:
            (folder / "manifest.json").write_text("ours")
    target.mkdir(exist_ok=True)
    (target / "thesis.tex").write_text("precious")
    with pytest.raises(CosimError, match=r"holds other files \(thesis.tex\)"), output_folder(target):
        pass
    assert (target / "thesis.tex").read_text() == "precious"


def test_the_current_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path in (Path("."), Path(".."), tmp_path):
        with pytest.raises(CosimError, match="is or holds the current one"), output_folder(path):
            pass


def test_a_link_to_a_folder_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with output_folder(tmp_path / "link") as folder:
        (folder / "report.json").write_text("")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "report.json").exists()


def test_parents_made_for_a_failed_result_go_again(tmp_path):
    with pytest.raises(KeyError), output_folder(tmp_path / "a" / "b" / "out"):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CosimError, match="not a folder"), output_folder(tmp_path / "out"):
        pass


def test_a_parent_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CosimError, match="cannot be written"), output_folder(tmp_path / "file" / "out"):
        pass
