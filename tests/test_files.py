import fcntl
import os
from pathlib import Path

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

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
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
        write_atomically(tmp_path / ("a" * 256), b"new")
    assert os.listdir(tmp_path) == []


def test_the_longest_name_that_the_file_system_takes(tmp_path):
    write_atomically(tmp_path / ("a" * 255), b"new")
    assert os.listdir(tmp_path) == ["a" * 255]


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path, monkeypatch):
    """The temporary file of a writer that is killed before it can rename it stays; here the rename does not come back."""
    path = tmp_path / "a"

    def killed(self, target):
        raise SystemExit

    monkeypatch.setattr(Path, "replace", killed)
    monkeypatch.setattr(Path, "unlink", lambda self, **_: None)
    with pytest.raises(SystemExit):
        write_atomically(path, b"half")
    monkeypatch.undo()
    (left,) = os.listdir(tmp_path)
    with (tmp_path / left).open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        write_atomically(path, b"new")
        assert sorted(os.listdir(tmp_path)) == [left, "a"]
    write_atomically(path, b"newer")
    assert path.read_bytes() == b"newer" and os.listdir(tmp_path) == ["a"]
