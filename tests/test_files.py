import os

import pytest

from reference.errors import InputError
from reference.files import check_writable, write_atomically


def test_replaces_a_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["a"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(self, data):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(InputError, match="a: cannot be written .No space left on device."):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("write", [check_writable, lambda path: write_atomically(path, b"new")], ids=["check", "write"])
@pytest.mark.parametrize(
    "path, message",
    [
        ("", "is a folder; needs the name of a file"),
        (".", "is a folder; needs the name of a file"),
        ("..", "is a folder"),
        ("/", "is a folder"),
        ("taken", "taken: cannot be written .is a folder"),
        ("none/a", "none/a: cannot be written .folder none is not there"),
        ("file/a", "folder file is not there"),
    ],
)
def test_paths_that_name_no_file_to_write(tmp_path, monkeypatch, write, path, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=message):
        write(path)
    assert sorted(os.listdir(tmp_path)) == ["file", "taken"] and os.listdir(tmp_path / "taken") == []


def test_a_folder_without_write_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(InputError, match="a: cannot be written .folder .* is not writable"):
        check_writable(tmp_path / "a")


def test_a_name_that_the_file_system_refuses(tmp_path):
    with pytest.raises(InputError, match="cannot be written .File name too long"):
        write_atomically(tmp_path / ("a" * 250), b"new")
    assert os.listdir(tmp_path) == []
