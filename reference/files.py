"""Reading TOML, and writing files whole or not at all."""

from __future__ import annotations

import os
import secrets
import tomllib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from .errors import InputError
from .locks import remove_if_free, try_lock


def read_toml(path: Path | str) -> dict[str, Any]:
    """The tables of a TOML file. InputError: not readable, or not TOML."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:  # those of the TOML, of its encoding, and of numbers and tables without end
        raise InputError(f"{path}: not a TOML file ({error})") from None


def write_atomically(path: Path | str, data: bytes) -> None:
    """Write `data` beside `path`, then rename it there: a reader sees the old file or the new one.

    What killed writers of the same file have left beside it is removed. InputError: as check_writable, or the disk refuses.
    """
    check_writable(path)
    path = Path(path)
    passing = f".duospike-{sha256(os.fsencode(path.name)).hexdigest()[:16]}."
    try:
        for left in path.parent.glob(f"{passing}*"):
            remove_if_free(left)
        _write_and_rename(path, passing, data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def _write_and_rename(path: Path, passing: str, data: bytes) -> None:
    file = None
    while file is None:
        temporary = path.with_name(passing + secrets.token_hex(4))
        # Held, the lock says that the file's writer lives.
        file = try_lock(temporary)
    try:
        with file:
            file.write(data)
            file.flush()
            # A network's disk that is full may say so only now.
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file of a folder that nobody sees yet. OSError, which names the file also where the disk is full."""
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def check_writable(path: Path | str) -> None:
    """Refuse what cannot be written before the work that gives its contents.

    InputError: `path` names no file, is a folder, or its folder is missing or not writable.
    """
    path = Path(path)
    if not path.name or os.path.isdir(path):
        raise InputError(f"{path}: cannot be written (is a folder; needs the name of a file)")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not there)")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not writable)")
