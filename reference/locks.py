"""Locks of files: held by the process that has the file open, released by the system when that process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO


def try_lock(path: Path) -> IO[bytes] | None:
    """The file at `path`, made if need be, with its lock held until it is closed; None if another holds the lock.

    OSError: the file cannot be opened, or its file system has no locks.
    """
    while True:
        file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        except BaseException:
            file.close()
            raise
        if is_at(file, path):
            return file
        # Its last holder has removed it.
        file.close()


def is_at(file: IO[bytes], path: Path) -> bool:
    """Whether an open file is the one that has this path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    return False


def lock_existing(path: Path, *, shared: bool) -> IO[bytes] | None:
    """The file at `path` with a lock on it until it is closed; None if there is no such file, or (not shared) another has a lock.

    shared: others may have the same lock; it is waited for.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_at(file, path):
            return file
    except BlockingIOError:
        pass
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def remove_if_free(path: Path) -> None:
    """Remove a file, if it is there and not locked."""
    with suppress(OSError):
        file = lock_existing(path, shared=False)
        if file:
            with file:
                path.unlink()
