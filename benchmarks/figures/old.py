"""Which measured tables are old: those whose sources have changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from duospike.cosim.sources import ROOT

from .page import page_with
from .record import recorded
from .tables import BY_HAND, FIGURES, Figures


@dataclass(frozen=True)
class Old:
    """A table that is old, and its page, from the root of the repository.

    changed: the sources that have changed since; none if what it was measured from is not known. seconds: that it took.
    """

    figures: Figures
    page: Path
    changed: tuple[str, ...]
    seconds: int | None

    def __str__(self) -> str:
        why = f"{', '.join(self.changed)} changed" if self.changed else "what it was measured from is not recorded"
        how = self.figures.how
        if self.figures in BY_HAND:
            how += f" && python -m benchmarks.figures --record {self.figures.name}"
        last = "" if self.seconds is None else f" ({self.seconds} s when last measured)"
        return f"{self.page}, {self.figures.name}: {why}; to measure it again: {how}{last}"


def old_figures(root: Path = ROOT) -> Iterator[Old]:
    """The tables whose sources are not those that the comment beside them names."""
    for figures in (*FIGURES, *BY_HAND):
        page = page_with(f"<!-- figures {figures.name}: ", root)
        record = recorded(figures.name, page.read_text())
        if record is None:
            yield Old(figures, page.relative_to(root), (), None)
        elif changed := changes(record["sources"], figures, root):
            yield Old(figures, page.relative_to(root), changed, record["seconds"])


def changes(before: Mapping[str, str], figures: Figures, root: Path = ROOT) -> tuple[str, ...]:
    """The sources that differ; a tool that is not installed here is not compared."""
    today = figures.sources(root)
    absent = set(figures.tools) - today.keys()
    return tuple(sorted(name for name in (before.keys() | today.keys()) - absent if before.get(name) != today.get(name)))
