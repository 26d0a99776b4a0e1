"""The measured tables of docs/, and what each was measured from: `python -m benchmarks.figures --check`.

The program that writes a table writes a comment beside it, with digests of its sources and the seconds that it took:

    <!-- figures synthesis: 412 s; rtl f05682c4, cosim/design 439f9e00, yosys 0.23 -->

A table whose sources have changed since is old. --check names each, with what changed and the command that measures it again, and
ends with status 1 if there is one. --renew runs these commands, those of hours left out, one after the other; a table that is
current is skipped, so a run that was stopped goes on where it was. --record NAME is for a table that no program writes: it puts
today's digests beside it, right after its figures were measured. A page is found by the comment or the marks in it, so it
may be moved and named as one likes.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.page import page_with, pages, write_page
from benchmarks.sources import ROOT
from benchmarks.tables import BY_HAND, FIGURES, Figures

UNKNOWN = "several"
"""In place of a digest, where parts of a table were measured from different sources."""


@dataclass(frozen=True)
class Measurement:
    """Of a table, from now on: its sources are those of the moment when the measuring begins."""

    name: str
    sources: Mapping[str, str]
    start: float = field(default_factory=time.monotonic)

    def record(self) -> dict[str, Any]:
        """What results in JSON keep of it, to be given to comment()."""
        return {"seconds": round(time.monotonic() - self.start), "sources": dict(self.sources)}


def begin(name: str) -> Measurement:
    return Measurement(name, by_name(name).sources())


def by_name(name: str) -> Figures:
    return next(figures for figures in (*FIGURES, *BY_HAND) if figures.name == name)


def comment(name: str, record: Mapping[str, Any] | None) -> str:
    """The comment beside a table. record: of its Measurement; None where nobody knows what it was measured from."""
    if record is None:
        return f"<!-- figures {name}: {NOT_RECORDED} -->"
    sources = ", ".join(f"{source} {digest}" for source, digest in record["sources"].items())
    seconds = "" if record["seconds"] is None else f"{record['seconds']} s; "
    return f"<!-- figures {name}: {seconds}{sources} -->"


def joined(records: list[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """The record of a table that was measured in parts, by their records; None if one is not known."""
    known = [record for record in records if record is not None]
    if len(known) < len(records) or not known:
        return None
    sources = {}
    for name in dict.fromkeys(name for record in known for name in record["sources"]):
        values = {record["sources"].get(name) for record in known}
        sources[name] = values.pop() if len(values) == 1 else UNKNOWN
    return {"seconds": sum(record["seconds"] for record in known), "sources": sources}


def with_comment(measurement: Measurement, text: str) -> str:
    """A section that has just been measured, under the comment of its figures."""
    return f"{comment(measurement.name, measurement.record())}\n\n{text}"


COMMENT = r"<!-- figures {name}: (?:(?:(\d+) s; )?(.*?)) -->"
NOT_RECORDED = "sources not recorded"


def recorded(name: str, page: str) -> dict[str, Any] | None:
    """The record in a page's text; None if it says that there is none. ValueError if there is no comment."""
    found = re.search(COMMENT.format(name=re.escape(name)), page)
    if not found:
        raise ValueError(f"no comment of {name}")
    if found[2] == NOT_RECORDED:
        return None
    pairs = (pair.rsplit(" ", 1) for pair in found[2].split(", "))
    return {"seconds": found[1] and int(found[1]), "sources": {source: digest for source, digest in pairs}}


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", action="store_true", help="name the tables that are old")
    what.add_argument("--renew", action="store_true", help="measure them again, those of hours and those by hand left out")
    what.add_argument("--record", metavar="NAME", choices=[figures.name for figures in BY_HAND], help="was measured by hand, now")
    args = parser.parse_args()
    if args.record:
        return record_by_hand(args.record)
    return renew() if args.renew else check()


def check() -> int:
    found = list(old_figures())
    print("\n".join(map(str, found)) or f"all of {len(list(pages()))} pages: no figure is old")
    return 1 if found else 0


def record_by_hand(name: str) -> int:
    """Put today's digests beside a table."""
    page = page_with(f"<!-- figures {name}: ")
    now = comment(name, {**begin(name).record(), "seconds": None})
    write_page(page, re.sub(COMMENT.format(name=re.escape(name)), lambda _: now, page.read_text()))
    return 0


def renew() -> int:
    """Run the command of each old table; one that fails does not stop the others."""
    found = [old for old in old_figures() if old.figures in FIGURES]
    failed = []
    for old in found:
        if old.figures.takes_hours:
            print(f"left out, takes hours: {old}", flush=True)
            continue
        print(old, flush=True)
        failed += [old.figures.name] * (not all(map(run, old.figures.commands)))
    if failed:
        print(f"figures: not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(command: str) -> bool:
    """Whether a program of this repository succeeds."""
    return subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
