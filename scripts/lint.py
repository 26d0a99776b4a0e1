"""`duospike lint`: what MyHDL would convert wrongly in Python files."""

from __future__ import annotations

import argparse

from cosim.convertible import check_file

DESCRIPTION = """Find the constructs of which MyHDL makes wrong HDL, or none, in the blocks of Python files, without running
them. One finding a line: file, line, rule, code, what happens, and what to write instead. docs/convertible.md has the rules.
Exit status 0 if there is no finding, else 1."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("lint", help="find what MyHDL converts wrongly in Python files", description=DESCRIPTION)
    parser.add_argument("files", metavar="FILE", nargs="+", help="Python files with MyHDL blocks")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    findings = [finding for file in args.files for finding in check_file(file)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0
