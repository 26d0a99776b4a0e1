"""Output folders: written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from .errors import CosimError

MARKS = ("manifest.json", "report.json")
"""A folder that holds one of these was written here and may be replaced."""


@contextmanager
def output_folder(target: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `target` when the block ends, and is removed if the block raises.

    CosimError if `target` is a file, or holds files that this project did not write; OSError if it cannot be written.
    """
    target = Path(target)
    if target.exists() and not target.is_dir():
        raise CosimError(f"{target} is not a folder")
    if target.is_dir() and any(target.iterdir()) and not any((target / mark).exists() for mark in MARKS):
        raise CosimError(f"folder {target} holds other files; name a new or empty folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        fresh.chmod(0o755)
        yield fresh
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
