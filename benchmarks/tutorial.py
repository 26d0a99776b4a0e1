"""Runs docs/start/tutorial.md, and with --write puts what its commands print here in place of the outputs that it shows.

python -m benchmarks.tutorial [--write]

A line that the page shows is replaced by the next one of the output that has the same words. The page is that of one machine:
another processor may train other weights.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator

from benchmarks.figures.page import machine, write_page, write_section
from benchmarks.figures.record import begin, with_comment
from duospike.cosim.folder import temporary_folder
from tests.benches.tutorial_page import PAGE, Run, run_page

NAME = "tutorial"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the outputs into the page")
    args = parser.parse_args()
    measurement = begin(NAME)
    with temporary_folder() as folder:
        for name in ("page", "tools"):
            (folder / name).mkdir()
        runs = run_page(folder / "page", folder / "tools")
    text = with_outputs(PAGE.read_text(encoding="utf-8"), runs)
    print(text)
    if args.write:
        write_page(PAGE, text)
        write_section(NAME, with_comment(measurement, f"The outputs are those of one machine ({machine()})."))
    return 0


def with_outputs(page: str, runs: Iterable[Run]) -> str:
    """The page with the outputs of its runs; SystemExit if one has no such line."""
    for run in runs:
        lines = iter(run.output.splitlines())
        for block in run.shown:
            renewed = [found(line, lines, run) if line.strip("… ") else line for line in block.splitlines()]
            text = "".join(f"{line}\n" for line in renewed)
            page = page.replace(f"```text\n{block}```", f"```text\n{text}```", 1)
    return page


def found(line: str, lines: Iterator[str], run: Run) -> str:
    """The next of `lines` with the words of `line`."""
    for each in lines:
        if shape(each) == shape(line):
            return each.rstrip()
    raise SystemExit(f"{line!r} is not what this prints, or not in its place: {run.text}{run.output}")


def shape(line: str) -> str:
    """The words of a line, with one # for each number and for numbers in a row."""
    return re.sub(r"#( #)+", "#", re.sub(r"\w*\d[\w.]*%?|─+", "#", " ".join(line.split())))


if __name__ == "__main__":
    sys.exit(main())
