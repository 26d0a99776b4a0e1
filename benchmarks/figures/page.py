"""Pages of docs/generated/ that hold measured figures, each section between two marks."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

from duospike.cosim.markdown import markdown_table
from duospike.reference.files import write_atomically

ROOT = Path(__file__).parents[2]


def pages(root: Path | None = None) -> Iterator[Path]:
    """The README and every page of docs/."""
    root = root or ROOT
    yield from (path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.exists())


def page_with(mark: str, root: Path | None = None) -> Path:
    """The one page that holds a text; ValueError if none does, or several."""
    found = [path for path in pages(root) if mark in path.read_text()]
    if len(found) != 1:
        raise ValueError(f"{mark!r} must be in one page, and is in {', '.join(map(str, found)) or 'none'}")
    return found[0]


def write_section(name: str, text: str) -> Path:
    """Put `text` between the marks of a section, <!-- NAME: begin --> and <!-- NAME: end -->; returns its page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    path = page_with(begin)
    page = path.read_text()
    before, after = page[: page.index(begin) + len(begin)], page[page.index(end) :]
    write_page(path, f"{before}\n{text}\n{after}")
    return path


def write_page(path: Path, text: str) -> None:
    write_atomically(path, text.encode())


def machine() -> str:
    """What the figures were measured on."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"


def table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown under its title."""
    return f"**{title}**\n\n{markdown_table(columns, rows)}"
