"""`duospike lint`: what MyHDL would convert wrongly in Python files."""

from __future__ import annotations

import argparse
import sys

DESCRIPTION = """Find the constructs of which MyHDL makes wrong HDL, or none, in the blocks of Python files, without running
them. One finding a line: file, line, rule, code, what happens, and what to write instead. docs/reference/lint.md has the rules.
Files without a block, and blocks whose ports have no types in the file, are
named on stderr. Exit status 0 if there is no finding and one file at least has a block, else 1."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("lint", help="find what MyHDL converts wrongly in Python files", description=DESCRIPTION)
    parser.add_argument("files", metavar="FILE", nargs="+", help="Python files with MyHDL blocks")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from duospike.cosim.lint import check_file

    findings = [finding for file in args.files for finding in check_file(file)]
    for finding in findings:
        print(finding)
    read = [_report_reading(file) for file in args.files]
    return 0 if any(read) and not findings else 1


def _report_reading(file: str) -> bool:
    """Say on stderr what the lint could not see in a file; True if it has a block."""
    from duospike.cosim.lint import blocks_of

    blocks = blocks_of(file)
    if not blocks:
        print(f"{file}: not read: no block found", file=sys.stderr)
    untyped = sorted(name for name, has_types in blocks.items() if not has_types)
    if untyped:
        print(f"{file}: types of ports not seen, form alone checked: {', '.join(untyped)}", file=sys.stderr)
    return bool(blocks)
