"""Output folders: written whole or not at all, by one process at a time, and never over the files of others.

What is written grows in a place beside the folder, `.duospike-KEY` with a key of the folder's name, which holds

    lock       who writes the folder; the system releases the lock on it, however the writer ends
    content    the new folder; in the end it and the old one change places, in one step where the system can
    old        the old folder, where the system cannot

A file that is in the folder and not on its list, LIST_FILE, is never deleted. What a killed writer left, the next one removes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO, Any

from duospike.reference.errors import InputError
from duospike.reference.files import TRANSIENT_PREFIX, read_bytes, transient_name
from duospike.reference.locks import lock_existing, try_lock

from .errors import CosimError

LIST_FILE = ".duospike"
"""File in an output folder that lists what was written there; a folder that holds anything else is left alone."""
MAX_LIST_BYTES, MAX_HOLDER_BYTES = 2**22, 1000
TEMPORARY = "duospike-temporary-"
LOCK, CONTENT, OLD = "lock", "content", "old"
TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}
"""A list has names of files, which may not be valid text."""

NOREPLACE, EXCHANGE = 1, 2
AT_FDCWD = -100
NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY)
"""Errors of Linux where a kernel or file system does not know a flag of renameat2."""


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `path` when the block ends, and is removed if the block raises.

    CosimError if `path` is a file, holds files that this project did not write, is or holds the current folder, is being written
    by another, or cannot be written.
    """
    target = Path(path).resolve()
    _check_replaceable(path, target)
    with claimed(path) as place:
        _check_replaceable(path, target)
        fresh = place / CONTENT
        try:
            fresh.mkdir()
            yield fresh
            write_list(fresh, _names(fresh))
            _put(path, place, target)
        except (OSError, InputError) as error:
            raise _named(error, path, fresh) from None
        finally:
            _tidy(place, target)


@contextmanager
def claimed(path: Path) -> Iterator[Path]:
    """Be the only one that writes the folder `path`; gives the place beside it. Parents that are missing are made, and removed
    again if `path` is not made.

    CosimError: another is writing it, and who that is; or the place cannot be made.
    """
    target = Path(path).resolve()
    missing = [parent for parent in target.parents if not parent.exists()]
    place = target.parent / transient_name(target)
    try:
        lock = _lock(path, place)
    except OSError as error:
        raise CosimError(f"folder {path} cannot be written: {error.strerror}") from None
    try:
        _tidy(place, target)
        yield place
    finally:
        with suppress(OSError):
            (place / LOCK).unlink()
        lock.close()
        for folder in (place, *missing):
            with suppress(OSError):
                folder.rmdir()


def _lock(path: Path, place: Path) -> IO[bytes]:
    lock = None
    while lock is None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            place.mkdir()
        # The writer before may remove the place at this moment.
        with suppress(FileNotFoundError):
            lock = try_lock(place / LOCK)
            if lock is None:
                with open(place / LOCK, "rb") as file:
                    holder = file.read(MAX_HOLDER_BYTES).decode(errors="replace") or "another process"
                raise CosimError(f"folder {path} is being written by {holder}; wait for its end, or name another folder")
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    lock.truncate()
    lock.write(f"process {os.getpid()} on {socket.gethostname()} since {since}".encode())
    lock.flush()
    return lock


def _check_replaceable(path: Path, target: Path):
    if target == Path.cwd() or target in Path.cwd().parents:
        raise CosimError(f"folder {path} is or holds the current one; name another")
    if target.exists() and not target.is_dir():
        raise CosimError(f"{path} is not a folder")
    other = next(foreign_files(target), None) if target.is_dir() else None
    if other is not None:
        raise _holds_others(path, other)


def _holds_others(path: Path, name: str) -> CosimError:
    return CosimError(f"folder {path} holds other files ({name}); name a new or empty folder")


def foreign_files(folder: Path) -> Iterator[str]:
    """What a folder holds that is not on its list, as paths below it: files, and folders that are empty."""
    listed = read_list(folder)
    return (name for name in _names(folder) if not _is_covered(name, listed))


def read_list(folder: Path) -> set[str]:
    """The paths on a folder's list; that of a folder means all in it. None where there is no list.

    InputError: the list cannot be read, or is longer than any list of ours.
    """
    if not os.path.lexists(folder / LIST_FILE):
        return set()
    return set(read_bytes(folder / LIST_FILE, MAX_LIST_BYTES).decode(**TEXT).split("\n")[:-1])


def write_list(folder: Path, names: Iterable[str]) -> None:
    """Write a folder's list, whole or not at all."""
    transient = folder / f"{TRANSIENT_PREFIX}list"
    transient.write_text("".join(f"{name}\n" for name in sorted(names)), **TEXT)
    transient.replace(folder / LIST_FILE)


def _names(folder: Path) -> Iterator[str]:
    """The paths of all files and empty folders below a folder, except its list and what is transient."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(TRANSIENT_PREFIX)]
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        inside = os.path.relpath(place, folder)
        for name in (*files, *links):
            path = os.path.normpath(os.path.join(inside, name))
            if path != LIST_FILE and not name.startswith(TRANSIENT_PREFIX):
                yield path
        if inside != "." and not folders and not files:
            yield inside


def _is_covered(name: str, listed: set[str]) -> bool:
    """Whether a path is on a list, or below a folder that is."""
    return name in listed or any(str(parent) in listed for parent in Path(name).parents)


def _put(path: Path, place: Path, target: Path):
    """Let the fresh folder take the place of `target`. The files of others in it come along; CosimError, and nothing is changed,
    if one has the name of a new file."""
    fresh = place / CONTENT
    if not target.exists():
        fresh.rename(target)
        return
    # An empty folder of a user gets an empty list: what is in it from now on is not the project's.
    (target / LIST_FILE).touch()
    old = _exchange(fresh, target, place / OLD)
    taken = [name for name in foreign_files(old) if os.path.lexists(target / name)]
    if taken:
        _exchange(old, target, fresh)
        raise _holds_others(path, taken[0])


def _exchange(fresh: Path, target: Path, aside: Path) -> Path:
    """Let two folders change places; returns where that of `target` is now.

    Where the system has no exchange, `target` goes aside first, and for that moment there is none: _tidy() puts it back.
    """
    if _rename(fresh, target, EXCHANGE):
        return fresh
    target.rename(aside)
    fresh.rename(target)
    return aside


def _rename(source: Path, target: Path, flag: int) -> bool:
    """Linux' renameat2; False where there is none for these paths."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in NOT_SUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def _tidy(place: Path, target: Path):
    """Remove what is left in the place of a writer that is done, has failed or was killed, and put back what it had put aside."""
    aside = place / OLD
    if aside.exists() and not target.exists():
        aside.rename(target)
    for folder in (aside, place / CONTENT):
        if folder.exists():
            _remove(folder, target)


def _remove(folder: Path, target: Path):
    """Remove a folder, except files that are not on its list: they go to `target`, or stay where their names are taken there."""
    if not (folder / LIST_FILE).exists():
        # Never finished: no reader has seen it.
        shutil.rmtree(folder, ignore_errors=True)
        return
    others = {name for name in list(foreign_files(folder)) if not _moved(folder / name, target / name)}
    for inside, folders, files in os.walk(folder, topdown=False):
        for name in (*files, *folders):
            path = os.path.join(inside, name)
            if os.path.relpath(path, folder) not in others | {LIST_FILE}:
                with suppress(OSError):
                    os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
    if not others:
        (folder / LIST_FILE).unlink()
        folder.rmdir()


def _moved(source: Path, target: Path) -> bool:
    """Move a file or folder; False where its new name is taken."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if _rename(source, target, NOREPLACE):
            return True
    except (FileExistsError, NotADirectoryError):
        return False
    if os.path.lexists(target):
        return False
    source.rename(target)
    return True


def _named(error: OSError | InputError, path: Path, fresh: Path) -> Exception:
    """An error at a file of the fresh folder, with the name that the file would have had; others as they are."""
    if isinstance(error, InputError):
        return CosimError(str(error).replace(str(fresh), str(path))) if str(fresh) in str(error) else error
    if error.filename is not None and Path(error.filename).is_relative_to(fresh):
        return CosimError(f"{Path(path) / Path(error.filename).relative_to(fresh)}: {error.strerror}")
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CosimError(f"folder {path} cannot be written: {error.strerror}")
    return error


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """An empty folder in `parent` (default: the system's for temporary files), removed with all in it when the block is left.

    Those that killed runs have left there are removed first.
    """
    parent = parent or Path(gettempdir())
    remove_leftovers(parent)
    folder, lock = _locked_folder(parent)
    with ExitStack() as stack:
        stack.callback(_discard, folder)
        stack.enter_context(lock)
        (folder / CONTENT).mkdir()
        yield folder / CONTENT


def _locked_folder(parent: Path) -> tuple[Path, IO[bytes]]:
    """A new folder in `parent` and its lock. Until it has its lock another process may take it for a leftover and remove it."""
    while True:
        folder = Path(mkdtemp(prefix=TEMPORARY, dir=parent))
        with suppress(FileNotFoundError):
            lock = try_lock(folder / LOCK)
            if lock:
                return folder, lock


def remove_leftovers(parent: Path) -> None:
    """Remove this user's temporary folders in `parent` that nobody holds any more, and those that have no lock yet."""
    for folder in parent.glob(f"{TEMPORARY}*"):
        # Only if it is empty.
        with suppress(OSError):
            folder.rmdir()
    for lock in parent.glob(f"{TEMPORARY}*/{LOCK}"):
        with suppress(OSError):
            held = lock_existing(lock, shared=False) if _is_temporary(lock.parent) else None
            if held:
                with held:
                    _discard(lock.parent)


def _is_temporary(folder: Path) -> bool:
    """Whether a folder is this user's, and holds what temporary_folder() makes and nothing else."""
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and {LOCK, CONTENT}.issuperset(os.listdir(folder))


def _discard(folder: Path) -> None:
    """Remove a temporary folder. If a program still writes to it, what is left keeps its lock, by which others find it later."""
    shutil.rmtree(folder / CONTENT, ignore_errors=True)
    if not (folder / CONTENT).exists():
        shutil.rmtree(folder, ignore_errors=True)
