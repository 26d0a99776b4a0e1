"""Runs the demo, prints what it prints, and with --write puts it into docs/.

python -m benchmarks.demo [--write]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.figures.page import ROOT, write_section
from benchmarks.figures.record import begin, with_comment
from benchmarks.times import DEMO
from duospike.cosim.folder import temporary_folder

COLUMNS = "80"
"""Of the terminal."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the output into docs/")
    args = parser.parse_args()
    measurement = begin("demo")
    text = with_comment(measurement, code_block(output()))
    print(text)
    if args.write:
        write_section("demo", text)
    return 0


def output() -> str:
    """What the command of `make demo` prints; SystemExit if it fails."""
    environment = os.environ | {"COLUMNS": COLUMNS, "PYTHONPATH": str(ROOT)}
    with temporary_folder() as folder:
        done = subprocess.run(DEMO, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit("the demo failed")
    return done.stdout.replace(f"{ROOT}/duospike/", "")


def code_block(text: str) -> str:
    """A block of Markdown, without blank lines at its ends and spaces at the ends of lines."""
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(["```", *"\n".join(lines).strip("\n").splitlines(), "```"])


if __name__ == "__main__":
    sys.exit(main())
