"""Output folders are written whole or not at all."""

import pytest

from cosim.errors import CosimError
from cosim.folder import output_folder


def test_what_is_written_takes_the_place_of_an_earlier_result(tmp_path):
    target = tmp_path / "a" / "out"
    for text in ("one", "two"):
        with output_folder(target) as folder:
            (folder / "report.json").write_text(text)
            (folder / f"{text}.txt").write_text(text)
    assert sorted(file.name for file in target.iterdir()) == ["report.json", "two.txt"]
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


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(CosimError, match="holds other files"), output_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CosimError, match="not a folder"), output_folder(tmp_path / "out"):
        pass


def test_a_parent_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), output_folder(tmp_path / "file" / "out"):
        pass
