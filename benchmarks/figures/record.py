"""What a measured table was measured from, as a comment beside it: digests of its sources, and the seconds that it took.

<!-- figures synthesis: 412 s; rtl f05682c4, cosim/design 439f9e00, yosys 0.23 -->
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .tables import BY_HAND, FIGURES, Figures

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
