"""Pages of docs/ that hold measured figures, between two marks."""

from __future__ import annotations

from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write_section(path: Path, text: str) -> None:
    """Put `text` between the marks of a page."""
    page = path.read_text()
    before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
    path.write_text(f"{before}\n{text}\n{after}")
