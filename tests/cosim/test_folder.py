"""Output folders are written whole or not at all."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from duospike.cosim import folder as folder_module
from duospike.cosim.errors import CosimError
from duospike.cosim.folder import LIST_FILE, TEMPORARY, output_folder, read_list, remove_leftovers, temporary_folder
from duospike.reference.errors import InputError
from duospike.reference.files import write_atomically, write_file
from duospike.reference.locks import try_lock


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


@pytest.fixture(params=["exchange", "two renames"])
def renames(request, monkeypatch):
    """With and without Linux' exchange of two names."""
    if request.param == "two renames":
        monkeypatch.setattr(folder_module, "_rename", lambda *_: False)


def write(target, *files, text="new"):
    with output_folder(target) as folder:
        for file in files:
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text)


def test_a_second_writer_learns_who_writes(tmp_path):
    write(tmp_path / "out", "a", text="old")
    expected = rf"^folder .*out is being written by process {os.getpid()} on .* since .*; wait for its end, or name another"
    with output_folder(tmp_path / "out") as first:
        with pytest.raises(CosimError, match=expected), output_folder(tmp_path / "out"):
            pass
        (first / "a").write_text("new")
    assert (tmp_path / "out" / "a").read_text() == "new"
    assert os.listdir(tmp_path) == ["out"]


def test_files_that_others_put_into_the_folder_meanwhile_stay_in_it(tmp_path, renames):
    target = tmp_path / "out"
    write(target, "a", "part/b", text="old")
    with output_folder(target) as fresh:
        for name in ("mine.txt", "part/mine.txt", "deep/er/mine.txt"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text("precious")
        (target / "empty").mkdir()
        (target / "link").symlink_to("nowhere")
        (fresh / "a").write_text("new")
    assert (target / "a").read_text() == "new" and not (target / "part" / "b").exists()
    for name in ("mine.txt", "part/mine.txt", "deep/er/mine.txt"):
        assert (target / name).read_text() == "precious"
    assert (target / "empty").is_dir() and (target / "link").is_symlink()
    assert os.listdir(tmp_path) == ["out"]
    with pytest.raises(CosimError, match="holds other files"), output_folder(target):
        pass


def test_a_file_with_the_name_of_a_new_one_stays_and_the_old_result_with_it(tmp_path, renames):
    target = tmp_path / "out"
    write(target, "a", text="old")
    with pytest.raises(CosimError, match=r"holds other files \(b\)"), output_folder(target) as fresh:
        (target / "b").write_text("precious")
        (fresh / "a").write_text("new")
        (fresh / "b").write_text("new")
    assert ((target / "a").read_text(), (target / "b").read_text()) == ("old", "precious")
    assert os.listdir(tmp_path) == ["out"]


def test_an_empty_folder_may_get_files_meanwhile(tmp_path, renames):
    (tmp_path / "out").mkdir()
    with output_folder(tmp_path / "out") as fresh:
        (fresh / "a").write_text("new")
        (tmp_path / "out" / "mine.txt").write_text("precious")
    assert sorted(os.listdir(tmp_path / "out")) == [".duospike", "a", "mine.txt"]


def killed(monkeypatch, target, step):
    """A writer that ends at one of its steps as if it were killed: nothing after it is done."""

    def end(*_, **__):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit), output_folder(target) as fresh:
        (fresh / "a").write_text("new")
        (fresh / "c").write_text("new")
        patch.setattr(folder_module, "_tidy", lambda *_: None)
        patch.setattr(*step(end))


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (lambda end: (folder_module, "write_list", end), "old"),
        (lambda end: (folder_module, "_put", end), "old"),
        (lambda end: (folder_module, "foreign_files", end), "new"),
    ],
    ids=["half written", "not exchanged", "exchanged"],
)
def test_what_a_killed_writer_left_is_tidied_up_by_the_next(tmp_path, monkeypatch, renames, step, text):
    target = tmp_path / "out"
    write(target, "a", "b", text="old")
    killed(monkeypatch, target, step)
    assert (target / "a").read_text() == text
    assert sorted(os.listdir(target)) == [".duospike", "a", "b" if text == "old" else "c"]
    (target / "a").unlink()
    (target / "a").write_text("mine: of a name that is on the list")
    write(target, "d")
    assert sorted(os.listdir(target)) == [".duospike", "d"] and os.listdir(tmp_path) == ["out"]


def test_a_writer_killed_between_two_renames_loses_nothing(tmp_path, monkeypatch):
    target, rename = tmp_path / "out", Path.rename
    write(target, "a", text="old")
    monkeypatch.setattr(folder_module, "_rename", lambda *_: False)

    def only_the_first(path, to):
        if path.name == "content":
            raise SystemExit
        return rename(path, to)

    killed(monkeypatch, target, lambda end: (Path, "rename", only_the_first))
    assert not target.exists()
    with pytest.raises(KeyError), output_folder(target):
        raise KeyError
    assert (target / "a").read_text() == "old" and os.listdir(tmp_path) == ["out"]


def test_a_file_of_others_in_what_a_killed_writer_left_goes_back(tmp_path, monkeypatch):
    """It was put there just before the exchange."""
    target = tmp_path / "out"
    write(target, "a", text="old")
    killed(monkeypatch, target, lambda end: (folder_module, "foreign_files", end))
    (place,) = [path for path in tmp_path.iterdir() if path != target]
    (place / "content" / "mine.txt").write_text("precious")
    with pytest.raises(CosimError, match=r"holds other files \(mine.txt\)"), output_folder(target):
        pass
    assert (target / "mine.txt").read_text() == "precious" and (target / "a").read_text() == "new"


def test_a_list_that_names_files_elsewhere_deletes_none_of_them(tmp_path):
    target = tmp_path / "out"
    write(target, "a")
    (tmp_path / "mine.txt").write_text("precious")
    (target / ".duospike").write_text(f"a\n../mine.txt\n{tmp_path}/mine.txt\n..\n")
    write(target, "b")
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_list_that_names_a_folder_stands_for_all_in_it(tmp_path):
    target = tmp_path / "out"
    write(target, "part-0/a")
    (target / ".duospike").write_text("part-0\n")
    write(target, "b")
    assert sorted(os.listdir(target)) == [".duospike", "b"]


@pytest.mark.parametrize("length", [200, 255])
def test_long_names(tmp_path, length):
    for _ in range(2):
        write(tmp_path / ("a" * length), "a")
    assert os.listdir(tmp_path) == ["a" * length]


def test_what_others_have_among_the_temporary_folders_stays(tmp_path):
    """However much it looks like what a killed run has left, which goes."""
    for name in (f"{TEMPORARY}left/content", f"{TEMPORARY}notes", "elsewhere/content"):
        (tmp_path / name).mkdir(parents=True)
    for folder in (f"{TEMPORARY}left", f"{TEMPORARY}notes", "elsewhere"):
        (tmp_path / folder / "lock").touch()
    for name in (f"{TEMPORARY}notes/mine.txt", "elsewhere/content/mine"):
        (tmp_path / name).touch()
    (tmp_path / f"{TEMPORARY}link").symlink_to(tmp_path / "elsewhere")
    with temporary_folder(tmp_path):
        pass
    assert sorted(os.listdir(tmp_path)) == [f"{TEMPORARY}link", f"{TEMPORARY}notes", "elsewhere"]
    assert sorted(os.listdir(tmp_path / f"{TEMPORARY}notes")) == ["lock", "mine.txt"]
    assert (tmp_path / "elsewhere" / "content" / "mine").exists()


FULL = "/out/report.json: No space left on device$"


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    write(tmp_path / "out", "a", text="old")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CosimError, match=FULL), output_folder(tmp_path / "out") as folder:
        write_file(folder / "report.json", "text")
    assert (tmp_path / "out" / "a").read_text() == "old" and os.listdir(tmp_path) == ["out"]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can make a small disk")
def test_a_disk_that_is_full_names_the_file(tmp_path):
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("this system lets no disk be made")
    try:
        write(tmp_path / "out", "a", text="old")
        with pytest.raises(CosimError, match=FULL), output_folder(tmp_path / "out") as folder:
            write_file(folder / "report.json", "x" * 100_000)
        with pytest.raises(InputError, match=r"/model: cannot be written \(No space left on device\)$"):
            write_atomically(tmp_path / "model", b"x" * 100_000)
        assert (tmp_path / "out" / "a").read_text() == "old" and os.listdir(tmp_path) == ["out"]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_an_empty_folder_of_a_maker_that_was_killed_before_its_lock_goes(tmp_path):
    (tmp_path / f"{TEMPORARY}abcdefgh").mkdir()
    with temporary_folder(tmp_path) as folder:
        assert os.listdir(tmp_path) == [folder.parent.name]
    assert os.listdir(tmp_path) == []


def test_a_maker_whose_folder_is_taken_for_a_leftover_makes_another(tmp_path, monkeypatch):
    """Another process sweeps right after the folder is made, and once more right after its lock's file is there."""
    calls = []

    def swept(path):
        calls.append(path)
        if len(calls) == 1:
            remove_leftovers(tmp_path)
        if len(calls) == 2:
            path.touch()
            remove_leftovers(tmp_path)
        return try_lock(path)

    monkeypatch.setattr("duospike.cosim.folder.try_lock", swept)
    with temporary_folder(tmp_path) as folder:
        assert len(calls) == 3 and folder.is_dir()
        remove_leftovers(tmp_path)
        assert folder.is_dir()
    assert os.listdir(tmp_path) == []


def test_a_list_of_gigabytes_is_not_read(tmp_path):
    """As a damaged folder may hold one; it takes no room on the disk."""
    with open(tmp_path / LIST_FILE, "wb") as file:
        file.truncate(2**33)
    with pytest.raises(InputError, match=r"\.duospike: 8589934592 bytes; allowed: up to 4194304"):
        read_list(tmp_path)
