"""Output folders: written whole or not at all, and never over somebody else's files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from .errors import CosimError

LIST = ".duospike"
"""File in an output folder that lists what was written there; a folder that holds anything else is left alone."""


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of `path` when the block ends, and is removed if the block raises.

    CosimError if `path` is a file, holds files that this project did not write, is or holds the current folder, or
    cannot be written.
    """
    target = Path(path).resolve()
    _check_replaceable(path, target)
    missing = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise CosimError(f"folder {path} cannot be written: {error.strerror}") from None
    try:
        fresh.chmod(0o755)
        yield fresh
        (fresh / LIST).write_text("".join(f"{name}\n" for name in sorted(os.listdir(fresh))))
        _replace(target, fresh)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()
        raise


def _check_replaceable(path: Path, target: Path):
    if target == Path.cwd() or target in Path.cwd().parents:
        raise CosimError(f"folder {path} is or holds the current one; name another")
    if target.exists() and not target.is_dir():
        raise CosimError(f"{path} is not a folder")
    others = _foreign_files(target) if target.is_dir() else []
    if others:
        raise CosimError(f"folder {path} holds other files ({others[0]}); name a new or empty folder")


def _foreign_files(folder: Path) -> list[str]:
    """What a folder holds beside the files that its list names."""
    written = (folder / LIST).read_text().splitlines() if (folder / LIST).is_file() else []
    return sorted(set(os.listdir(folder)) - {LIST, *written})


def _replace(target: Path, fresh: Path):
    """Put `fresh` in the place of `target`, which is deleted only then."""
    if not target.exists():
        fresh.rename(target)
        return
    old = Path(mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    target.rename(old / target.name)
    fresh.rename(target)
    shutil.rmtree(old)
