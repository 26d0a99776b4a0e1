import fcntl
import gzip
import json
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duospike.reference.errors import MAX_SHOWN, InputError, brief, name_text
from duospike.reference.files import (
    GZIP,
    MAX_DEPTH,
    MAX_JSON,
    MAX_LINE,
    MAX_TOML,
    ZLIB,
    check_writable,
    inflate,
    inflate_start,
    read_bytes,
    read_json,
    read_toml,
    write_atomically,
)


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


def test_files_are_read_up_to_their_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1234")
    assert read_bytes(path, 4) == b"1234"
    with pytest.raises(InputError, match="a: 4 bytes; allowed: up to 3"):
        read_bytes(path, 3)
    # 8 GB of which the disk holds nothing.
    os.truncate(path, 2**33)
    for read in (read_bytes, read_json, read_toml):
        with pytest.raises(InputError, match="a: 8589934592 bytes; allowed"):
            read(path)


def test_only_plain_files_are_read(tmp_path):
    """A pipe would wait for its writer for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path, message in ((tmp_path / "pipe", "not a file"), (tmp_path, "not a file"), (tmp_path / "b", "b: not found")):
        with pytest.raises(InputError, match=message):
            read_bytes(path)
    with pytest.raises(InputError, match=r"a.x00b': cannot be read"):
        read_bytes(f"{tmp_path}/a\0b")


@given(data=st.binary(max_size=300), kind=st.sampled_from([GZIP, ZLIB]), spare=st.integers(0, 3))
def test_what_is_compressed_is_expanded_up_to_the_limit(data, kind, spare):
    packed = gzip.compress(data) if kind == GZIP else zlib.compress(data)
    assert inflate(packed, kind, len(data) + spare) == data
    assert inflate_start(packed, kind, len(data) + 5) == data and (not data or inflate_start(packed, kind, 1) == data[:1])
    for changed, limit, message in (
        (packed, len(data) - 1, "expands to more than"),
        (packed[:-1], len(data), "is cut"),
        (packed + b"0", len(data), "more follows"),
        (b"0" + packed, len(data), "incorrect header"),
    ):
        if limit >= 0:
            with pytest.raises(ValueError, match=message):
                inflate(changed, kind, limit)


def deep(levels):
    return "[" * levels + "]" * levels


WRONG_JSON = {
    "twice": ('{"a": 1, "b": {"c": 1, "c": 1}}', "twice in an object: key 'c'"),
    "NaN": ('{"a": [NaN]}', "a number is NaN; allowed: finite"),
    "infinity": ('{"a": -Infinity}', "a number is -Infinity"),
    "beyond a double": ('{"a": {"b": [1, 1e999]}}', "b = inf; allowed: finite numbers"),
    "65 bits": ('{"a": 18446744073709551616}', "a is an integer of 65 bits; allowed: up to 64"),
    "5000 digits": (f'{{"a": {"1" * 5000}}}', "not JSON"),
    "nested": (f'{{"a": {deep(MAX_DEPTH + 1)}}}', f"nested deeper than {MAX_DEPTH}"),
    "nested without end": ("[" * 100_000, f"nested deeper than {MAX_DEPTH}"),
    "cut": ('{"a": ', "not JSON"),
    "bytes": (b"\xff\xfe\x00", "not JSON"),
    "no object": ("[1]", "not a JSON object"),
    "a long key twice": (f'{{"{"a" * 5000}": 1, "{"a" * 5000}": 2}}', "twice in an object"),
}


@pytest.mark.parametrize("text, message", WRONG_JSON.values(), ids=WRONG_JSON)
def test_json_that_could_be_read_in_two_ways_or_without_end_is_refused(text, message, tmp_path):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_json(tmp_path / "a.json")
    assert str(caught.value).startswith(f"{tmp_path}") and "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_json_within_the_limits_is_read(tmp_path):
    text = f'{{"a": {deep(MAX_DEPTH - 1)}, "b": [18446744073709551615, -1e308], "c": "\\ud800"}}'
    (tmp_path / "a.json").write_text(text)
    assert read_json(tmp_path / "a.json") == json.loads(text)
    (tmp_path / "a.json").write_text("{}" + " " * MAX_JSON)
    with pytest.raises(InputError, match=f"allowed: up to {MAX_JSON}"):
        read_json(tmp_path / "a.json")


WRONG_TOML = {
    "NaN": ("[a]\nb = [1, nan]", "b = nan; allowed: finite numbers"),
    "infinity": ("a = {b = -inf}", "b = -inf"),
    "65 bits": ("a = 18446744073709551616", "integer of 65 bits"),
    "twice": ("a = 1\na = 2", "not a TOML file"),
    "nested": (f"a = {deep(MAX_DEPTH + 2)}", f"nested deeper than {MAX_DEPTH}"),
    "nested without end": ("a = " + "[" * 990, "not a TOML file"),
    "a key of many parts": (".".join("a" * 400) + " = 1", f"nested deeper than {MAX_DEPTH}"),
    "a long line": ("a = 1\nb = " + "1" * MAX_LINE, "line 2 has 1004 characters; allowed: up to 1000"),
    "long": ("#\n" * MAX_TOML, f"allowed: up to {MAX_TOML}"),
    "key with lines": ('"a\\nb" = nan', r"'a.nb' = nan"),
}


@pytest.mark.parametrize("text, message", WRONG_TOML.values(), ids=WRONG_TOML)
def test_toml_without_end_is_refused(text, message, tmp_path):
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_toml(tmp_path / "a.toml")
    assert "\n" not in str(caught.value)


def test_messages_show_a_part_of_what_is_long():
    assert brief("a" * 10**6) == f"'{'a' * (MAX_SHOWN - 1)}... (1000002 characters)"
    assert brief(ValueError("red \x1b[31m")) == r"red \x1b[31m"
    assert name_text("conv1.weight") == "conv1.weight" and name_text("a\nb\x1b[2J") == r"'a\nb\x1b[2J'"
    assert name_text("x" * MAX_SHOWN) == "x" * MAX_SHOWN and len(name_text("x" * 10**6)) < MAX_SHOWN + 30
    assert brief(ValueError("two\nlines")) == "two lines" and brief("two\nlines") == r"'two\nlines'"
