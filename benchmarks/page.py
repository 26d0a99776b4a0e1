"""Pages of docs/generated/ that hold measured figures, each section between two marks."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from duospike.cosim.markdown import markdown_table
from duospike.reference.files import write_atomically


def write_section(path: Path, text: str, name: str = "measured") -> None:
    """Put `text` between the marks of a page's section, <!-- NAME: begin --> and <!-- NAME: end -->."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text()
    before, after = page[: page.index(begin) + len(begin)], page[page.index(end) :]
    write_atomically(path, f"{before}\n{text}\n{after}".encode())


def machine() -> str:
    """What the figures were measured on."""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"


def table(title: str, columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown under its title."""
    return f"**{title}**\n\n{markdown_table(columns, rows)}"
