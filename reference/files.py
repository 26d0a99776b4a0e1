"""Reading TOML, and writing files whole or not at all."""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import InputError


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

    InputError: as check_writable, or the disk refuses.
    """
    check_writable(path)
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def check_writable(path: Path | str) -> None:
    """Refuse what cannot be written before the work that gives its contents.

    InputError: `path` names no file, is a folder, or its folder is missing or not writable.
    """
    path = Path(path)
    if not path.name or path.is_dir():
        raise InputError(f"{path}: cannot be written (is a folder; needs the name of a file)")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not there)")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written (folder {path.parent} is not writable)")
