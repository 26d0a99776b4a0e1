"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table without a line end after its last row; a `|` in a cell is escaped."""
    head, *lines = (f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in [titles, *rows])
    return "\n".join([head, "|" + "---|" * len(titles), *lines])
