"""Writing files whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError


def write_atomically(path: Path | str, data: bytes) -> None:
    """Write `data` beside `path`, then rename it there: a reader sees the old file or the new one.

    InputError: the folder is missing or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None
