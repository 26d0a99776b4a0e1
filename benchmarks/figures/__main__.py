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

from duospike.cosim.sources import ROOT

from .old import old_figures
from .page import page_with, pages, write_page
from .record import COMMENT, begin, comment
from .tables import BY_HAND, FIGURES


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
