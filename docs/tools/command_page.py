"""Writes docs/reference/commands.md from the parsers of the commands: `python -m docs.tools.command_page`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from duospike.scripts.main import COMMANDS, build_parser

PAGE = Path(__file__).parents[1] / "reference" / "commands.md"
HEAD = """# Commands

Every command of `duospike` with its arguments and options. `python -m docs.tools.command_page` writes this page from the parsers,
so it says what `duospike COMMAND --help` says.

A command ends with exit status 0. Bad input is one line on stderr, or one for each reason, and exit status 2. `doctor` and `lint`
also end with 1 where they have found something; `cosim` does so at a difference."""


def page() -> str:
    """The whole page."""
    overview = table(("command", "what it does"), ((f"[`{name}`](#{name})", summary) for name, (_, summary) in COMMANDS.items()))
    return "\n\n".join([HEAD, overview, *(section(name) for name in COMMANDS)]) + "\n"


def section(name: str) -> str:
    """One command: what it does, and its arguments."""
    parser = parser_of(name)
    shown = [action for action in parser._actions if action.dest != "help" and action.help != argparse.SUPPRESS]
    positional = [action for action in shown if not action.option_strings]
    options = [action for action in shown if action.option_strings]
    line = " ".join(["duospike", name, *(str(action.metavar or action.dest) for action in positional), "[OPTIONS]"])
    description = " ".join((parser.description or "").split())
    rows = ((f"`{spelled(action)}`", explained(action, parser)) for action in [*positional, *options])
    return f"## {name}\n\n```sh\n{line}\n```\n\n{escaped(description)}\n\n{table(('argument', 'meaning'), rows)}"


def parser_of(name: str) -> argparse.ArgumentParser:
    """The parser of one command."""
    [commands] = [action for action in build_parser(name)._actions if isinstance(action, argparse._SubParsersAction)]
    return commands.choices[name]


def spelled(action: argparse.Action) -> str:
    """An argument as it is written on the command line."""
    value = str(action.metavar or action.dest)
    if not action.option_strings:
        return value
    if action.nargs == 0:
        return action.option_strings[-1]
    if action.metavar is None and action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    elif action.metavar is None:
        value = value.upper()
    return f"{action.option_strings[-1]} {value}"


def explained(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """The help of an argument; of one that must be given, that it must."""
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    return escaped(f"{text}{'; required' if action.required and action.option_strings else ''}")


def escaped(text: str) -> str:
    """Text in which Markdown finds no HTML and no end of a cell."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", r"\|").replace("*", r"\*")


def table(titles: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [" | ".join(titles), " | ".join("---" for _ in titles), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
